/* What OpenSSL's digests are compiled with, for WebAssembly. */
#ifndef OPENSSL_CONFIGURATION_H
#define OPENSSL_CONFIGURATION_H

#define OPENSSL_CONFIGURED_API 40000
#define OPENSSL_NO_ASM
#define THIRTY_TWO_BIT
#define BN_LLONG
#define RC4_INT unsigned int

#endif
