/* The version, which stands nowhere else: CMakeLists.txt and pyproject.toml read it here. */
#ifndef ERYX_VERSION_H
#define ERYX_VERSION_H

#define ERYX_VERSION_MAJOR 0
#define ERYX_VERSION_MINOR 1
#define ERYX_VERSION_PATCH 0

#define ERYX_TEXT_OF_(number) #number
#define ERYX_VERSION_TEXT_(major, minor, patch)                                                    \
    ERYX_TEXT_OF_(major) "." ERYX_TEXT_OF_(minor) "." ERYX_TEXT_OF_(patch)
#define ERYX_VERSION ERYX_VERSION_TEXT_(ERYX_VERSION_MAJOR, ERYX_VERSION_MINOR, ERYX_VERSION_PATCH)

#endif
