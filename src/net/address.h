#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

/* A peer's IP address in its smallest form; an IPv4 address that came mapped into IPv6 is IPv4. */

#include <stdint.h>
#include <sys/socket.h>

#include "base/str.h"

struct address {
    uint8_t is_ipv6;
    uint8_t bytes[16];
};

enum { ADDRESS_TEXT_MAX = 46 };

struct address address_of(const struct sockaddr_storage *socket_address);
/* Writes the text, at most ADDRESS_TEXT_MAX bytes with its NUL, and returns a view of it. */
struct str address_text(const struct address *a, char *text_out);

/* Reads an IPv4 or IPv6 literal. Returns the socket address's size, or 0 when it is neither. */
socklen_t address_read(const char *literal, int port, struct sockaddr_storage *address_out);

#endif
