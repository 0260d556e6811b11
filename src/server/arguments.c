#include "server/commands.h"

static void drop(struct arguments *a, int from, int count)
{
    for (int i = from; i + count < a->count; i++)
        a->at[i] = a->at[i + count];
    a->count -= count;
}

static bool is_option(const char *word)
{
    return str_starts_with(str_of(word), STR("--"));
}

struct str arguments_option(struct arguments *a, const char *name)
{
    for (int i = 0; i < a->count; i++) {
        struct str value = str_of(a->at[i]), word;
        if (!is_option(a->at[i]))
            continue;
        str_next(&value, '=', &word);
        if (!str_equal(str_skip(word, 2), str_of(name)))
            continue;
        if (value.at) {
            drop(a, i, 1);
            return value;
        }
        if (i + 1 < a->count && !is_option(a->at[i + 1])) {
            value = str_of(a->at[i + 1]);
            drop(a, i, 2);
            return value;
        }
    }
    return STR_NULL;
}

bool arguments_flag(struct arguments *a, const char *name)
{
    for (int i = 0; i < a->count; i++) {
        if (is_option(a->at[i]) && str_equal(str_skip(str_of(a->at[i]), 2), str_of(name))) {
            drop(a, i, 1);
            return true;
        }
    }
    return false;
}

struct str arguments_next(struct arguments *a)
{
    if (a->count == 0 || is_option(a->at[0]))
        return STR_NULL;
    struct str word = str_of(a->at[0]);
    drop(a, 0, 1);
    return word;
}

bool arguments_done(const struct arguments *a)
{
    if (a->count == 0)
        return true;
    /* What stands behind "=" may be a secret. */
    struct str rest = str_of(a->at[0]), word;
    str_next(&rest, '=', &word);
    fprintf(stderr, "rowcast: \"%.*s\" was not understood, or lacks a value; see rowcast --help\n",
            STR_ARG(word));
    return false;
}
