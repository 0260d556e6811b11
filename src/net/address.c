#include "net/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>

_Static_assert(ADDRESS_TEXT_MAX >= INET6_ADDRSTRLEN, "the longest address fits");

struct address address_of(const struct sockaddr_storage *socket_address)
{
    struct address a = {0};

    if (socket_address->ss_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, socket_address, sizeof(ipv4));
        memcpy(a.bytes, &ipv4.sin_addr, 4);
    } else if (socket_address->ss_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, socket_address, sizeof(ipv6));
        a.is_ipv6 = !IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr);
        if (a.is_ipv6)
            memcpy(a.bytes, &ipv6.sin6_addr, 16);
        else
            memcpy(a.bytes, ipv6.sin6_addr.s6_addr + 12, 4);
    }
    return a;
}

struct str address_text(const struct address *a, char *text_out)
{
    const char *text =
        inet_ntop(a->is_ipv6 ? AF_INET6 : AF_INET, a->bytes, text_out, ADDRESS_TEXT_MAX);

    assert(text);
    return str_of(text);
}

socklen_t address_read(const char *literal, int port, struct sockaddr_storage *address_out)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    if (inet_pton(AF_INET, literal, &ipv4.sin_addr) == 1) {
        memcpy(address_out, &ipv4, sizeof(ipv4));
        return sizeof(ipv4);
    }
    if (inet_pton(AF_INET6, literal, &ipv6.sin6_addr) == 1) {
        memcpy(address_out, &ipv6, sizeof(ipv6));
        return sizeof(ipv6);
    }
    return 0;
}
