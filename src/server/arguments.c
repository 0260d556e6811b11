#include "server/commands.h"

static void drop(struct arguments *a, int from, int count)
{
    for (int i = from; i + count < a->count; i++)
        a->at[i] = a->at[i + count];
    a->count -= count;
}

struct str arguments_option(struct arguments *a, const char *name)
{
    for (int i = 0; i < a->count; i++) {
        struct str word = str_of(a->at[i]);
        if (!str_starts_with(word, STR("--")) || !str_starts_with(str_skip(word, 2), str_of(name)))
            continue;
        struct str rest = str_skip(word, 2 + strlen(name));
        struct str value = STR_NULL;
        int words = 1;
        if (rest.len > 0 && rest.at[0] == '=')
            value = str_skip(rest, 1);
        else if (rest.len == 0 && i + 1 < a->count) {
            value = str_of(a->at[i + 1]);
            words = 2;
        } else
            continue;
        drop(a, i, words);
        return value;
    }
    return STR_NULL;
}

bool arguments_flag(struct arguments *a, const char *name)
{
    for (int i = 0; i < a->count; i++) {
        struct str word = str_of(a->at[i]);
        if (str_starts_with(word, STR("--")) && str_equal(str_skip(word, 2), str_of(name))) {
            drop(a, i, 1);
            return true;
        }
    }
    return false;
}

struct str arguments_next(struct arguments *a)
{
    if (a->count == 0 || str_starts_with(str_of(a->at[0]), STR("--")))
        return STR_NULL;
    struct str word = str_of(a->at[0]);
    drop(a, 0, 1);
    return word;
}

bool arguments_done(const struct arguments *a)
{
    if (a->count > 0)
        fprintf(stderr, "rowcast: \"%s\" was not understood; see rowcast --help\n", a->at[0]);
    return a->count == 0;
}
