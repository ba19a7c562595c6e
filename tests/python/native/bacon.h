// What one module throws and another one catches: each has its own description of the type.
#ifndef ERYX_TEST_BACON_H
#define ERYX_TEST_BACON_H

struct Plain {
    int code;
};

#endif
