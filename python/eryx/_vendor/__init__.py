"""Libraries of others, unchanged, so that eryx needs nothing but Python itself at run time.

`packaging` is put here when the package is built (CMakeLists.txt).
"""
