#include "model/access/ip_list.h"

#include <arpa/inet.h>

/* Every form is a range of 16-byte addresses; IPv4 has its place inside IPv6 (RFC 4291, 2.5.5.2).
 */
struct address {
    uint8_t bytes[16];
};
struct range {
    struct address first, last;
};

enum { V4_AT = 12, BITS = 128, V4_BITS_BEFORE = 96 };

static bool is_v4(const struct address *a)
{
    static const uint8_t prefix[V4_AT] = {[10] = 0xff, [11] = 0xff};
    return memcmp(a->bytes, prefix, V4_AT) == 0;
}

static bool read_address(struct str text, struct address *address_out)
{
    char z[INET6_ADDRSTRLEN];
    struct address a = {.bytes = {[10] = 0xff, [11] = 0xff}};

    text = str_trim(text);
    if (text.len == 0 || text.len >= sizeof(z) || memchr(text.at, '\0', text.len))
        return false;
    memcpy(z, text.at, text.len);
    z[text.len] = '\0';
    if (inet_pton(AF_INET, z, &a.bytes[V4_AT]) != 1 && inet_pton(AF_INET6, z, a.bytes) != 1)
        return false;
    *address_out = a;
    return true;
}

/* Clears or sets all bits behind the first `kept`. */
static void fill_behind(struct address *a, int64_t kept, uint8_t fill)
{
    for (int64_t i = 0; i < (int64_t)sizeof(a->bytes); i++) {
        int64_t bits = kept - i * 8; /* of this byte that stay */
        unsigned mask = bits >= 8 ? 0 : bits <= 0 ? 0xff : 0xffu >> bits;
        a->bytes[i] = (uint8_t)((a->bytes[i] & ~mask) | (fill & mask));
    }
}

static bool read_block(struct str text, const char *slash, struct range *range_out)
{
    struct str base = {text.at, (size_t)(slash - text.at)};
    struct str digits = str_skip(text, base.len + 1);
    struct range r;
    int64_t bits;

    if (!read_address(base, &r.first) || digits.len == 0 || digits.at[0] == '+' ||
        str_to_int64(digits, &bits) != 0)
        return false;
    /* A block is counted in the bits of the form it is written in. */
    bool v4 = is_v4(&r.first) && !memchr(base.at, ':', base.len);
    if (bits < 0 || bits > (v4 ? BITS - V4_BITS_BEFORE : BITS))
        return false;
    bits += v4 ? V4_BITS_BEFORE : 0;
    r.last = r.first;
    fill_behind(&r.first, bits, 0);
    fill_behind(&r.last, bits, 0xff);
    *range_out = r;
    return true;
}

static bool read_range(struct str text, struct range *range_out)
{
    const char *slash = memchr(text.at, '/', text.len);
    const char *dash = memchr(text.at, '-', text.len);
    struct range r;

    if (slash)
        return read_block(text, slash, range_out);
    if (dash) {
        struct str first = {text.at, (size_t)(dash - text.at)};
        if (!read_address(first, &r.first) ||
            !read_address(str_skip(text, first.len + 1), &r.last) ||
            is_v4(&r.first) != is_v4(&r.last) ||
            memcmp(r.first.bytes, r.last.bytes, sizeof(r.first.bytes)) > 0)
            return false;
    } else {
        if (!read_address(text, &r.first))
            return false;
        r.last = r.first;
    }
    *range_out = r;
    return true;
}

/* The next part that is not empty. */
static bool next_part(struct str *list, struct str *part_out)
{
    while (list->at && str_next(list, ',', part_out)) {
        *part_out = str_trim(*part_out);
        if (part_out->len > 0)
            return true;
    }
    return false;
}

bool ip_list_valid(struct str list, struct str *bad_out)
{
    struct str part;
    struct range r;

    while (next_part(&list, &part))
        if (!read_range(part, &r)) {
            *bad_out = part;
            return false;
        }
    return true;
}

bool ip_list_has(struct str list, struct str address)
{
    struct address a;
    struct str part;
    struct range r;

    if (!address.at || !read_address(address, &a))
        return false;
    while (next_part(&list, &part))
        if (read_range(part, &r) && memcmp(r.first.bytes, a.bytes, sizeof(a.bytes)) <= 0 &&
            memcmp(a.bytes, r.last.bytes, sizeof(a.bytes)) <= 0)
            return true;
    return false;
}
