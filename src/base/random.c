#include "base/random.h"

#include <stdlib.h>
#include <unistd.h>

#include <openssl/rand.h>

void random_bytes(void *at, size_t size)
{
    const size_t chunk_max = 1 << 20; /* OpenSSL counts in int */
    unsigned char *to = at;

    while (size > 0) {
        size_t chunk = size < chunk_max ? size : chunk_max;
        if (RAND_bytes(to, (int)chunk) != 1)
            abort(); /* a guessable token is worse than no server */
        to += chunk;
        size -= chunk;
    }
}

void random_uuid(char *text_out)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[16];
    char *to = text_out;

    random_bytes(bytes, sizeof(bytes));
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version 4, RFC 9562 section 5.4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* variant 10 */
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[bytes[i] >> 4];
        *to++ = hex[bytes[i] & 0x0f];
    }
    *to = '\0';
}

void random_token(char *text_out, size_t length)
{
    /* 64 characters: the low six bits of a random byte choose one without bias. */
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    random_bytes(text_out, length);
    for (size_t i = 0; i < length; i++)
        text_out[i] = alphabet[(unsigned char)text_out[i] & 63];
    text_out[length] = '\0';
}
