#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

/* Randomness that nobody can guess (the operating system's, through OpenSSL). Any thread. */

#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT_SIZE = 37 };

void random_bytes(void *at, size_t size); /* aborts when the system has none */
void random_uuid(char *text_out); /* version 4, lower case, terminated: UUID_TEXT_SIZE bytes */
void random_token(char *text_out, size_t length); /* URL-safe alphabet; length characters + NUL */

#endif
