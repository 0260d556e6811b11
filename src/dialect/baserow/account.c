/* Accounts: registration, log-in, tokens, one's own data (9.1). */
#include "dialect/baserow/rest.h"

const struct route account_routes[] = {
    {NULL, NULL, {0}, 0, NULL, NULL},
};
