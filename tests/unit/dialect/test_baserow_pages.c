#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/baserow/pages.h"

static struct arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const json_t *json(const char *text)
{
    json_t *value = NULL;

    assert_int_equal(json_read_in(arena, str_of(text), &value, NULL), 0);
    return value;
}

/* Channel NULL: the frame means no page. */
static void assert_channel(const char *type, const char *frame, const char *channel)
{
    struct str found = page_channel(arena, page_type_find(str_of(type)), json(frame));

    if (!channel)
        assert_null(found.at);
    else
        assert_string_equal(arena_z(arena, found), channel);
}

static void a_number_and_its_text_name_the_same_page(void **state)
{
    (void)state;
    assert_channel("table", "{\"table_id\":7}", "table/7");
    assert_channel("table", "{\"table_id\":\"7\",\"more\":1}", "table/7");
    assert_channel("table", "{\"table_id\":\" 07 \"}", "table/7");
    assert_channel("row", "{\"table_id\":7,\"row_id\":\"14\"}", "table/7/row/14");
    assert_channel("dashboard", "{\"dashboard_id\":3}", "dashboard/3");
}

static void what_is_missing_or_falsy_names_no_page(void **state)
{
    static const char *const ids[] = {"0",     "null", "false", "\"\"", "\"0\"",   "-1", "1.5",
                                      "\"x\"", "[]",   "{}",    "true", "\"1 2\"", "[7]"};

    (void)state;
    assert_channel("table", "{}", NULL);
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        assert_channel("table", arena_printf(arena, "{\"table_id\":%s}", ids[i]).at, NULL);
    assert_channel("row", "{\"table_id\":7}", NULL);
    assert_channel("row", "{\"row_id\":7}", NULL);
    assert_channel("view", "{\"token\":\"t\"}", NULL);
}

static void a_token_does_not_tell_views_apart(void **state)
{
    (void)state;
    assert_channel("view", "{\"slug\":\"a-b\",\"token\":\"t\"}", "view/a-b");
    assert_channel("view", "{\"slug\":\"a-b\"}", "view/a-b");
}

static void parameters_are_told_as_they_came(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1024);
    page_put_parameters(&b, page_type_find(STR("row")),
                        json("{\"row_id\":\"1\",\"x\":2,\"page\":\"row\"}"));
    assert_string_equal(arena_z(arena, buf_str(&b)), "{\"table_id\":null,\"row_id\":\"1\"}");
    buf_deinit(&b);
}

static void other_pages_are_unknown(void **state)
{
    (void)state;
    assert_null(page_type_find(STR("")));
    assert_null(page_type_find(STR("Table")));
    assert_null(page_type_find(STR("tables")));
    assert_null(page_type_find(STR_NULL));
}

/* ---- what a socket looks at ---- */

static void add(struct pages *pages, const char *channel, int64_t workspace, const char *parameters)
{
    /* The list keeps copies: what it was given is gone when it is asked. */
    struct str gone = arena_str(arena, str_of(channel));
    struct page page = {page_type_find(STR("table")), workspace, gone, str_of(parameters), NULL};

    pages_add(pages, &page);
    memset((char *)(uintptr_t)gone.at, 'x', gone.len);
}

static void assert_pages(const struct pages *pages, const char *channels)
{
    struct str text = STR("");

    for (const struct page *p = pages->first; p; p = p->next)
        text = arena_printf(arena, "%.*s%.*s%.*s ", STR_ARG(text), STR_ARG(p->channel),
                            STR_ARG(p->parameters));
    assert_string_equal(arena_z(arena, text), channels);
}

static void a_page_is_looked_at_once_and_keeps_its_place(void **state)
{
    struct pages pages = {0};

    (void)state;
    add(&pages, "table/1", 5, "a");
    add(&pages, "table/2", 5, "b");
    add(&pages, "table/1", 6, "c");
    assert_pages(&pages, "table/1a table/2b ");
    assert_int_equal(pages.first->workspace, 5);
    pages_deinit(&pages);
    assert_pages(&pages, "");
}

static void a_page_that_is_left_makes_no_gap(void **state)
{
    struct pages pages = {0};

    (void)state;
    add(&pages, "table/1", 5, "");
    add(&pages, "table/2", 5, "");
    add(&pages, "table/3", 5, "");
    pages_remove(&pages, STR("table/2"));
    pages_remove(&pages, STR("table/4"));
    assert_pages(&pages, "table/1 table/3 ");
    pages_remove(&pages, STR("table/3"));
    add(&pages, "table/2", 5, "");
    assert_pages(&pages, "table/1 table/2 ");
    pages_deinit(&pages);
}

static void note(void *context, const struct page *page)
{
    struct str *text = context;

    *text = arena_printf(arena, "%.*s%.*s ", STR_ARG(*text), STR_ARG(page->channel));
}

static void the_pages_of_a_workspace_go_in_the_order_they_came(void **state)
{
    struct pages pages = {0};
    struct str lost = STR("");

    (void)state;
    add(&pages, "table/9", 5, "");
    add(&pages, "table/8", 6, "");
    add(&pages, "view/a", 0, "");
    add(&pages, "table/7", 5, "");
    pages_revoke(&pages, 5, note, &lost);
    assert_string_equal(arena_z(arena, lost), "table/9 table/7 ");
    assert_pages(&pages, "table/8 view/a ");
    pages_revoke(&pages, 5, note, &lost);
    assert_string_equal(arena_z(arena, lost), "table/9 table/7 ");
    pages_deinit(&pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_and_its_text_name_the_same_page),
        cmocka_unit_test(what_is_missing_or_falsy_names_no_page),
        cmocka_unit_test(a_token_does_not_tell_views_apart),
        cmocka_unit_test(parameters_are_told_as_they_came),
        cmocka_unit_test(other_pages_are_unknown),
        cmocka_unit_test(a_page_is_looked_at_once_and_keeps_its_place),
        cmocka_unit_test(a_page_that_is_left_makes_no_gap),
        cmocka_unit_test(the_pages_of_a_workspace_go_in_the_order_they_came),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
