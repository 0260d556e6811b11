#include "model/items/email.h"

#include "base/text.h"

enum { LOCAL_BYTES_MAX = 64, LABEL_BYTES_MAX = 63, ADDRESS_BYTES_MAX = 254 };

static bool is_local_part(struct str s)
{
    static const char refused[] = "()<>[]:;@\\,\"";

    if (s.len == 0 || s.len > LOCAL_BYTES_MAX || s.at[0] == '.' || s.at[s.len - 1] == '.' ||
        str_contains(s, STR("..")))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c <= ' ' || c == 0x7f || strchr(refused, c))
            return false;
    }
    return true;
}

static bool is_label(struct str s)
{
    if (s.len == 0 || s.len > LABEL_BYTES_MAX || s.at[0] == '-' || s.at[s.len - 1] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && c != '-' && c < 0x80)
            return false;
    }
    return true;
}

bool email_is_valid(struct str email)
{
    struct str rest = email, local, label;

    if (email.len == 0 || email.len > ADDRESS_BYTES_MAX || !text_is_utf8(email))
        return false;
    str_next(&rest, '@', &local);
    if (!rest.at || !is_local_part(local))
        return false;
    while (str_next(&rest, '.', &label))
        if (!is_label(label))
            return false;
    return true;
}
