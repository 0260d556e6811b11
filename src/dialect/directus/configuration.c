/* What the dialect was told at the start. */
#include "dialect/directus/directus.h"

static struct directus_settings configured;

void directus_configure(const struct directus_settings *settings)
{
    configured = *settings;
}

const struct directus_settings *directus_settings(void)
{
    return &configured;
}
