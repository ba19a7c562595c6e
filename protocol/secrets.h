/*
 * Secrets: service ASK_SECRETS of ask.h.
 */
#ifndef ERYX_PROTOCOL_SECRETS_H
#define ERYX_PROTOCOL_SECRETS_H

enum secrets_operation {
    /* Gives name, zero byte, placeholder, zero byte of each secret; with room 0 their size. */
    SECRETS_ENVIRONMENT = 1,
};

#endif
