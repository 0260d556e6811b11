#include <errno.h>

#include "base/fault.h"
#include "store/postgres.h"

int postgres_table_exists(struct store *s, struct str name, bool *exists_out)
{
    (void)s, (void)name, (void)exists_out;
    return FAULT(ENOSYS);
}
int postgres_drop_table(struct store *s, struct str name)
{
    (void)s, (void)name;
    return FAULT(ENOSYS);
}
int postgres_alter_table(struct store *s, const struct shape *before, const struct shape *after,
                         const struct str *from)
{
    (void)s, (void)before, (void)after, (void)from;
    return FAULT(ENOSYS);
}
int postgres_add_reference(struct store *s, const struct shape *shape, const struct column *c)
{
    (void)s, (void)shape, (void)c;
    return FAULT(ENOSYS);
}
int postgres_last_key(struct store *s, const struct shape *shape, int64_t *key_out)
{
    (void)s, (void)shape, (void)key_out;
    return FAULT(ENOSYS);
}
int postgres_raise_last_key(struct store *s, const struct shape *shape, int64_t key)
{
    (void)s, (void)shape, (void)key;
    return FAULT(ENOSYS);
}
int postgres_make_references(struct postgres *p)
{
    (void)p;
    return 0;
}
void postgres_drop_references(struct postgres *p)
{
    (void)p;
}
