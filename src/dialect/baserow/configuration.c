/* What the dialect was told at the start, and what stands for a client in commits. */
#include "dialect/baserow/baserow.h"

#include "base/text.h"

static struct baserow_settings configured;

void baserow_configure(const struct baserow_settings *settings)
{
    configured = *settings;
}

const struct baserow_settings *baserow_settings(void)
{
    return &configured;
}

uint64_t baserow_origin(struct str web_socket_id)
{
    char hex[SHA256_HEX_SIZE];
    uint64_t number = 0;
    if (web_socket_id.len == 0)
        return 0;
    text_sha256_hex(web_socket_id, hex);
    for (int i = 0; i < 16; i++)
        number = number << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    return number >> 1;
}
