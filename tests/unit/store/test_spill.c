#include "fixture.h"

#include <dirent.h>

/* A program of its own: SQLite is told once where its passing files lie. */

static const struct column columns[] = {
    {.name = {"id", 2},
     .type = TYPE_INTEGER,
     .index = 0,
     .primary_key = true,
     .auto_increment = true},
    {.name = {"text", 4}, .type = TYPE_TEXT, .index = 1, .nullable = true},
};
static const struct shape shape = {{"t", 1}, columns, 2, 0};

struct places {
    const char *directory;
    unsigned beside, elsewhere; /* passing files that are open now */
};

static int look_for_files(void *context, const struct value *row)
{
    struct places *places = context;
    char link[300], target[300];
    DIR *all = opendir("/proc/self/fd");
    (void)row;
    places->beside = places->elsewhere = 0;
    for (const struct dirent *entry; (entry = readdir(all));) {
        snprintf(link, sizeof(link), "/proc/self/fd/%s", entry->d_name);
        ssize_t size = readlink(link, target, sizeof(target) - 1);
        target[size > 0 ? size : 0] = '\0';
        if (!strstr(target, "etilqs"))
            continue;
        bool beside = strncmp(target, places->directory, strlen(places->directory)) == 0;
        places->beside += beside;
        places->elsewhere += !beside;
    }
    closedir(all);
    return 1; /* one look is enough */
}

/* There may be no other place where the process may write, and rows are nobody else's business. */
static void what_outgrows_memory_spills_beside_the_database(void **state)
{
    enum { ROWS = 200, LARGE = 16384 };
    struct fixture *f = *state;
    struct places places = {.directory = f->database.folder};
    struct order by = {.column = &columns[1]};
    struct select select = {.shape = &shape, .orders = &by, .order_count = 1, .limit = -1};
    char *large = arena_alloc(f->arena, LARGE);
    memset(large, 'x', LARGE);
    const struct value row[] = {value_null(), value_text((struct str){large, LARGE})};

    create(f->store, &shape);
    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(insert(f->store, &shape, row), 0);
    assert_int_equal(store_commit(f->store), 0);

    struct store *reader = fixture_open(f, STORE_READ);
    assert_int_equal(store_select(reader, &select, look_for_files, &places), 1);
    store_close(reader);
    assert_int_not_equal(places.beside, 0);
    assert_int_equal(places.elsewhere, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_store(what_outgrows_memory_spills_beside_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
