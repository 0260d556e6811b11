#include "model/grid/filter_internal.h"

#include "base/text.h"
#include "model/grid/fetch.h"

/* Conditions on what people see of a cell. */

/* ---- what names something ---- */

/* Ids are gathered before a condition is built of them. */
struct ids {
    int64_t *at;
    size_t count;
};

static bool matches(enum operator op, struct str name, struct str folded)
{
    return operators[op].match(name, folded);
}

static struct ids choices_named(struct arena *a, const struct grid_field *f, enum operator op,
                                struct str folded)
{
    const struct kind_settings *s = &f->settings;
    struct ids ids = {ARENA_ARRAY(a, int64_t, s->choice_count + 1), 0};
    for (size_t i = 0; i < s->choice_count; i++)
        if (matches(op, s->choices[i].value, folded))
            ids.at[ids.count++] = s->choices[i].id;
    return ids;
}

static struct ids members_named(struct arena *a, const struct workspace *w, enum operator op,
                                struct str folded)
{
    struct ids ids = {ARENA_ARRAY(a, int64_t, w->member_count + 1), 0};
    for (size_t i = 0; i < w->member_count; i++)
        if (matches(op, w->members[i]->name, folded))
            ids.at[ids.count++] = w->members[i]->account;
    return ids;
}

/* The one who made a row is told by UUID. */
static const struct expr *person_named(struct arena *a, const struct grid_field *f,
                                       enum operator op, struct str folded)
{
    const struct workspace *w = f->table->application->workspace;
    struct value *users = ARENA_ARRAY(a, struct value, w->member_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < w->member_count; i++)
        if (matches(op, w->members[i]->name, folded))
            users[count++] = value_text(w->members[i]->user);
    return expr_test(a, f->column, OP_IN, users, count);
}

static const struct expr *is_one_of(struct arena *a, const struct column *c, struct ids ids)
{
    struct value *values = ARENA_ARRAY(a, struct value, ids.count + 1);
    for (size_t i = 0; i < ids.count; i++)
        values[i] = value_integer(ids.at[i]);
    return expr_test(a, c, OP_IN, values, ids.count);
}

/* "5" is one of "3,5": alone, first, last or between others. */
static const struct expr *has_id(struct arena *a, const struct column *c, int64_t id)
{
    static const struct {
        enum operator op;
        const char *before, *after;
    } places[] = {{OP_EQ, "", ""},
                  {OP_STARTS_WITH, "", ","},
                  {OP_ENDS_WITH, ",", ""},
                  {OP_CONTAINS, ",", ","}};
    const struct expr *tests[COUNT_OF(places)];
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct value text = value_text(
            arena_printf(a, "%s%lld%s", places[i].before, (long long)id, places[i].after));
        tests[i] = expr_test(a, c, places[i].op, &text, 1);
    }
    return expr_all(a, EXPR_OR, tests, COUNT_OF(tests));
}

const struct expr *filter_ids(struct arena *a, const struct column *c, const int64_t *ids,
                              size_t count)
{
    const struct expr **tests = ARENA_ARRAY(a, const struct expr *, count + 1);
    for (size_t i = 0; i < count; i++)
        tests[i] = has_id(a, c, ids[i]);
    return expr_all(a, EXPR_OR, tests, count);
}

/* ---- links ---- */

/* A condition on the target's key alone holds for the column that refers to it. */
static const struct expr *refers(struct arena *a, const struct column *c,
                                 const struct grid_table *target, const struct expr *of_target)
{
    const struct column *key = table_key(target->table);
    if (of_target->kind == EXPR_TRUE)
        return expr_test(a, c, OP_NNULL, NULL, 0);
    if (of_target->kind == EXPR_TEST && of_target->test.column == key && !of_target->test.mask &&
        !of_target->test.form) {
        struct expr *same = ARENA_NEW(a, struct expr);
        *same = *of_target;
        same->test.column = c;
        return same;
    }
    const struct subselect rows = {&target->table->shape, key, of_target};
    return expr_among(a, c, &rows, false);
}

const struct expr *filter_linked(struct arena *a, const struct grid_field *f,
                                 const struct expr *of_target)
{
    const struct grid_link *link = f->link;
    if (!link->junction)
        return refers(a, f->column, link->target, of_target);
    const struct subselect links = {&link->junction->shape, link->near,
                                    refers(a, link->far, link->target, of_target)};
    return expr_among(a, table_key(f->table->table), &links, false);
}

/* A name is never made of links again. */
static const struct expr *linked_named(struct tx *tx, const struct grid_field *f, enum operator op,
                                       struct str text)
{
    const struct grid_field *name = f->link->target->primary;
    if (name->link)
        return &expr_false;
    return filter_linked(tx->arena, f, filter_text(tx, name, op, text));
}

/* ---- numbers, dates, durations ---- */

static const struct expr *shown_number(struct arena *a, const struct grid_field *f,
                                       enum operator op, struct str text)
{
    struct form *form = ARENA_NEW(a, struct form);
    form->decimals = f->kind->id == KIND_NUMBER ? f->settings.decimals : 0;
    return expr_test_form(a, f->column, form, op, text);
}

/* As kind_put_text() shows it, but for the offset behind the time. */
static const char *date_pattern(const struct kind_settings *s)
{
    static const struct {
        const char *format, *patterns[3]; /* a day; with a time of 24 hours; of twelve */
    } all[] = {
        {"EU", {"DD/MM/YYYY", "DD/MM/YYYY HH24:MI", "DD/MM/YYYY HH12:MI AM"}},
        {"US", {"MM/DD/YYYY", "MM/DD/YYYY HH24:MI", "MM/DD/YYYY HH12:MI AM"}},
        {"ISO", {"YYYY-MM-DD", "YYYY-MM-DD HH24:MI", "YYYY-MM-DD HH12:MI AM"}},
    };
    size_t i = 0;
    while (i + 1 < COUNT_OF(all) && !str_equal(s->format, str_of(all[i].format)))
        i++;
    return all[i].patterns[!s->time ? 0 : s->twelve ? 2 : 1];
}

static const struct expr *shown_date(struct arena *a, const struct grid_field *f, enum operator op,
                                     struct str text)
{
    struct form *form = ARENA_NEW(a, struct form);
    *form = (struct form){.pattern = date_pattern(&f->settings)};
    if (f->settings.zone) {
        form->zone = f->settings.timezone;
        form->clock = f->settings.zone;
    }
    return expr_test_form(a, f->column, form, op, text);
}

struct value filter_duration(struct arena *a, const struct grid_field *f, struct str text)
{
    double seconds;
    text = str_trim(text);
    if (str_to_double(text, &seconds) == 0)
        return value_real(seconds);
    return kind_parse(a, f, text);
}

static const struct expr *same_duration(struct arena *a, const struct grid_field *f,
                                        struct str text)
{
    struct value seconds = filter_duration(a, f, text);
    return value_is_null(&seconds) ? &expr_false : expr_test(a, f->column, OP_EQ, &seconds, 1);
}

/* ---- all kinds ---- */

const struct expr *filter_text(struct tx *tx, const struct grid_field *f, enum operator op,
                               struct str text)
{
    struct arena *a = tx->arena;
    struct value value = value_text(text);
    struct str folded = text_fold(a, text);

    switch (f->kind->id) {
    case KIND_NUMBER:
    case KIND_RATING:
    case KIND_AUTONUMBER:
        return shown_number(a, f, op, text);
    case KIND_DATE:
    case KIND_CREATED_ON:
    case KIND_LAST_MODIFIED:
        return shown_date(a, f, op, text);
    case KIND_DURATION:
        return same_duration(a, f, text);
    case KIND_SINGLE_SELECT:
        return is_one_of(a, f->column, choices_named(a, f, op, folded));
    case KIND_MULTIPLE_SELECT: {
        struct ids ids = choices_named(a, f, op, folded);
        return filter_ids(a, f->column, ids.at, ids.count);
    }
    case KIND_MULTIPLE_COLLABORATORS: {
        struct ids ids = members_named(a, f->table->application->workspace, op, folded);
        return filter_ids(a, f->column, ids.at, ids.count);
    }
    case KIND_CREATED_BY:
    case KIND_LAST_MODIFIED_BY:
        return person_named(a, f, op, folded);
    case KIND_LINK_ROW:
        return linked_named(tx, f, op, text);
    case KIND_BOOLEAN:
    case KIND_PASSWORD:
        return &expr_false;
    default:
        return expr_test(a, f->column, op, &value, 1);
    }
}

const struct expr *filter_search(struct tx *tx, const struct grid_table *t, struct str term)
{
    const struct expr **tests = ARENA_ARRAY(tx->arena, const struct expr *, t->field_count + 1);
    size_t count = 0;
    int64_t id;

    term = str_trim(term);
    if (term.len == 0)
        return &expr_true;
    for (size_t i = 0; i < t->field_count; i++)
        if (!(t->fields[i].kind->flags & KIND_NOT_SEARCHED))
            tests[count++] = filter_text(tx, &t->fields[i], OP_ICONTAINS, term);
    if (str_to_int64(term, &id) == 0) {
        struct value value = value_integer(id);
        tests[count++] = expr_test(tx->arena, fetch_id_column(t), OP_EQ, &value, 1);
    }
    return expr_all(tx->arena, EXPR_OR, tests, count);
}
