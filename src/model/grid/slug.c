#include "model/grid/fields.h"

/* Names of tables and columns in SQL, made of what people call them. */

static bool is_kept(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Lower case letters and digits; whatever stands between them is one underscore. */
static void put_words(struct buf *b, struct str name)
{
    bool gap = false;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (!is_kept(c)) {
            gap = b->len > 0;
            continue;
        }
        if (gap)
            buf_put_char(b, '_');
        buf_put_char(b, c);
        gap = false;
    }
}

/* Names that are ours or a store's begin so; and a name begins with a letter. */
static bool needs_prefix(struct str slug)
{
    static const char *const reserved[] = {"directus_", "rowcast_", "sqlite_", "pg_"};

    if (slug.len == 0 || slug.at[0] < 'a' || slug.at[0] > 'z')
        return true;
    for (size_t i = 0; i < COUNT_OF(reserved); i++)
        if (str_starts_with(slug, str_of(reserved[i])))
            return true;
    return false;
}

/* Columns that every table of PostgreSQL has. */
static bool is_system_column(struct str slug)
{
    static const char *const names[] = {"ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal(slug, str_of(names[i])))
            return true;
    return false;
}

static struct str first_form(struct arena *a, struct str name, const char *otherwise)
{
    struct buf words;
    struct str slug;

    buf_init(&words, SIZE_MAX);
    put_words(&words, name);
    if (words.len == 0)
        slug = arena_str(a, str_of(otherwise));
    else if (needs_prefix(buf_str(&words)))
        slug = arena_printf(a, "%s_%.*s", otherwise, STR_ARG(buf_str(&words)));
    else
        slug = arena_str(a, buf_str(&words));
    buf_deinit(&words);
    return slug;
}

/* With its number, cut so that both have room. */
static struct str numbered(struct arena *a, struct str slug, unsigned n)
{
    struct str ending = n > 1 ? arena_printf(a, "_%u", n) : STR("");

    if (slug.len > STORE_NAME_MAX - ending.len)
        slug.len = STORE_NAME_MAX - ending.len;
    while (slug.len > 1 && slug.at[slug.len - 1] == '_')
        slug.len--;
    return arena_printf(a, "%.*s%.*s", STR_ARG(slug), STR_ARG(ending));
}

struct str grid_slug(struct arena *a, struct str name, const char *otherwise,
                     bool (*taken)(const void *context, struct str slug), const void *context)
{
    struct str first = first_form(a, name, otherwise), slug;
    unsigned n = 0;

    do
        slug = numbered(a, first, ++n);
    while (is_system_column(slug) || taken(context, slug));
    return slug;
}
