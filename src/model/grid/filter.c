#include "model/grid/filter_internal.h"

#include "base/text.h"
#include "model/grid/fetch.h"

/*
 * The table of filter types, at the end of this file, and how those are built that are not about
 * dates. What a cell that is null counts as is each builder's: the complement of a negated filter
 * then has all rows that the filter itself has not.
 */

#define K(kind) (UINT32_C(1) << KIND_##kind)
#define LINES (K(TEXT) | K(LONG_TEXT) | K(URL) | K(EMAIL) | K(PHONE_NUMBER))
#define DATES (K(DATE) | K(CREATED_ON) | K(LAST_MODIFIED))
#define SELECTS (K(SINGLE_SELECT) | K(MULTIPLE_SELECT))
#define ALL ((UINT32_C(1) << KIND_COUNT) - 1)
#define NONE 0

static const struct expr *test(const struct filtering *f, enum operator op, struct value value)
{
    return expr_test(f->arena, f->column, op, &value, 1);
}

static const struct expr *is_null(const struct filtering *f)
{
    return expr_test(f->arena, f->column, OP_NULL, NULL, 0);
}

/* ---- texts ---- */

/* No store compares JSON; what begins with the text and is no longer is the text. */
static const struct expr *same_text(const struct filtering *f)
{
    if (f->column->type != TYPE_JSON)
        return test(f, OP_EQ, value_text(f->value));
    struct str longer = arena_printf(f->arena, "%zu", text_length(f->value) + 1);
    return expr_and(f->arena, test(f, OP_STARTS_WITH, value_text(f->value)),
                    test(f, OP_SHORTER, value_text(longer)));
}

static const struct expr *build_text(struct filtering *f)
{
    return filter_text(f->tx, f->field, f->type->op, f->value);
}

static const struct expr *build_shorter(struct filtering *f)
{
    int64_t length;
    struct str text = str_trim(f->value);
    if (str_to_int64(text, &length) != 0)
        return &expr_false;
    const struct expr *shorter = test(f, OP_SHORTER, value_text(text));
    return length > 0 ? expr_or(f->arena, shorter, is_null(f)) : shorter;
}

/* ---- numbers and booleans ---- */

/* Does a cell that is null count as zero? It is told as such. */
static bool holds_for_zero(const struct filtering *f, struct value number)
{
    const struct value zero = value_integer(0);
    int order = value_compare(&zero, &number);
    if (f->field->kind->id != KIND_RATING && f->field->kind->id != KIND_BOOLEAN)
        return false;
    switch (f->type->op) {
    case OP_LT:
        return order < 0;
    case OP_LTE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    case OP_GTE:
        return order >= 0;
    default:
        return order == 0;
    }
}

static const struct expr *compare_number(const struct filtering *f, struct value number)
{
    const struct expr *x = test(f, f->type->op, number);
    return holds_for_zero(f, number) ? expr_or(f->arena, x, is_null(f)) : x;
}

static struct value read_number(const struct filtering *f)
{
    struct str text = str_trim(f->value);
    int64_t integer;
    double real;
    if (f->field->kind->id == KIND_DURATION)
        return filter_duration(f->arena, f->field, text);
    if (str_to_int64(text, &integer) == 0)
        return value_integer(integer);
    return str_to_double(text, &real) == 0 ? value_real(real) : value_null();
}

static const struct expr *build_number(struct filtering *f)
{
    struct value number = read_number(f);
    return value_is_null(&number) ? &expr_false : compare_number(f, number);
}

static const struct expr *build_boolean(struct filtering *f)
{
    struct str text = str_trim(f->value);
    bool truth = false;
    if (text.len > 0 && !boolean_read(text, &truth))
        return &expr_false;
    return compare_number(f, value_integer(truth));
}

static const struct expr *build_equal(struct filtering *f)
{
    switch (f->field->kind->id) {
    case KIND_BOOLEAN:
        return build_boolean(f);
    case KIND_NUMBER:
    case KIND_RATING:
    case KIND_DURATION:
    case KIND_AUTONUMBER:
        return build_number(f);
    default:
        return same_text(f);
    }
}

/* By the digits: the last one before the point is even, and those behind it are zeros. */
static const struct expr *build_even(struct filtering *f)
{
    struct form *form = ARENA_NEW(f->arena, struct form);
    const struct expr *ends[5];
    if (types[f->column->type].kind == VALUE_REAL)
        form->decimals = FORM_DECIMALS_MAX;
    for (int i = 0; i < 5; i++) {
        struct str end = form->decimals
                             ? arena_printf(f->arena, "%d.%0*d", 2 * i, (int)form->decimals, 0)
                             : arena_printf(f->arena, "%d", 2 * i);
        ends[i] = expr_test_form(f->arena, f->column, form, OP_ENDS_WITH, end);
    }
    return expr_all(f->arena, EXPR_OR, ends, COUNT_OF(ends));
}

/* ---- ids ---- */

/* "3, 5"; false when one of them is no id. */
static bool read_ids(const struct filtering *f, int64_t **ids_out, size_t *count_out)
{
    struct str rest = f->value, part;
    int64_t *ids = ARENA_ARRAY(f->arena, int64_t, rest.len / 2 + 1);
    size_t count = 0;
    while (str_next(&rest, ',', &part))
        if (str_to_int64(str_trim(part), &ids[count++]) != 0)
            return false;
    *ids_out = ids;
    *count_out = count;
    return true;
}

static const struct expr *among_ids(struct arena *a, const struct column *c, const int64_t *ids,
                                    size_t count)
{
    struct value *values = ARENA_ARRAY(a, struct value, count);
    for (size_t i = 0; i < count; i++)
        values[i] = value_integer(ids[i]);
    return expr_test(a, c, OP_IN, values, count);
}

static const struct expr *build_choice(struct filtering *f)
{
    int64_t *ids;
    size_t count;
    return read_ids(f, &ids, &count) ? among_ids(f->arena, f->column, ids, count) : NULL;
}

static const struct expr *build_several(struct filtering *f)
{
    int64_t *ids;
    size_t count;
    return read_ids(f, &ids, &count) ? filter_ids(f->arena, f->column, ids, count) : NULL;
}

static const struct expr *build_linked(struct filtering *f)
{
    int64_t *ids;
    size_t count;
    if (!read_ids(f, &ids, &count))
        return NULL;
    const struct column *id = fetch_id_column(f->field->link->target);
    return filter_linked(f->arena, f->field, among_ids(f->arena, id, ids, count));
}

/* Cells hold the UUID; who is no member any more is asked for by the account. */
static const struct expr *build_user(struct filtering *f)
{
    struct account account;
    int64_t id;
    if (str_to_int64(str_trim(f->value), &id) != 0)
        return NULL;
    const struct member *member = field_member(f->field, id);
    if (member)
        return test(f, OP_EQ, value_text(member->user));
    int rc = f->tx->store ? account_by_id(f->tx, id, &account) : REFUSED;
    if (rc == 0)
        return test(f, OP_EQ, value_text(account.user));
    if (rc == REFUSED && f->tx->store)
        *f->tx->problem = (struct problem){.kind = PROBLEM_NONE};
    f->fault = rc < 0 ? rc : 0;
    return &expr_false;
}

/* ---- empty ---- */

static const struct expr *build_empty(struct filtering *f)
{
    const struct kind *kind = f->field->kind;
    if (!f->column)
        return expr_complement(f->arena, filter_linked(f->arena, f->field, &expr_true));
    if (kind->id == KIND_BOOLEAN)
        return expr_or(f->arena, is_null(f), test(f, OP_EQ, value_integer(0)));
    bool text = types[f->column->type].kind == VALUE_TEXT &&
                !(kind->id == KIND_LINK_ROW || kind_is_date(kind));
    return text ? expr_test(f->arena, f->column, OP_EMPTY, NULL, 0) : is_null(f);
}

/* ---- the table ---- */

/* Kinds that there are none of yet: the filter is known, and fits nothing. */
static const struct expr *build_none(struct filtering *f)
{
    (void)f;
    return NULL;
}

#define COMPARABLE (K(NUMBER) | K(RATING) | K(AUTONUMBER) | K(DURATION))
#define EQUATABLE (LINES | COMPARABLE | K(BOOLEAN) | K(UUID))
#define SHOWN (LINES | K(UUID) | K(NUMBER) | K(AUTONUMBER) | DATES | SELECTS)
#define WORDED (LINES | SELECTS)
#define PEOPLE (K(CREATED_BY) | K(LAST_MODIFIED_BY))
#define ROW(name, kinds, build, flags, op)                                                         \
    {                                                                                              \
        name, kinds, build, flags, op, DATE_IN, NULL                                               \
    }
#define NEW(name, flags, where)                                                                    \
    {                                                                                              \
        name, DATES, filter_date_new, flags, OP_EQ, where, NULL                                    \
    }
#define OLD(name, flags, where, period)                                                            \
    {                                                                                              \
        name, DATES, filter_date_old, flags, OP_EQ, where, period                                  \
    }

/* clang-format off */
static const struct filter_type filter_types[] = {
    /* name                   kinds      build           flags           op */
    ROW("equal",                 EQUATABLE, build_equal,    0,              OP_EQ),
    ROW("not_equal",             EQUATABLE, build_equal,    FILTER_NEGATED, OP_EQ),
    ROW("contains",              SHOWN,     build_text,     0,              OP_ICONTAINS),
    ROW("contains_not",          SHOWN,     build_text,     FILTER_NEGATED, OP_ICONTAINS),
    ROW("contains_word",         WORDED,    build_text,     0,              OP_HAS_WORD),
    ROW("doesnt_contain_word",   WORDED,    build_text,     FILTER_NEGATED, OP_HAS_WORD),
    ROW("length_is_lower_than",  LINES,     build_shorter,  0,              OP_SHORTER),
    ROW("higher_than",           COMPARABLE, build_number,  0,              OP_GT),
    ROW("higher_than_or_equal",  COMPARABLE, build_number,  0,              OP_GTE),
    ROW("lower_than",            COMPARABLE, build_number,  0,              OP_LT),
    ROW("lower_than_or_equal",   COMPARABLE, build_number,  0,              OP_LTE),
    ROW("is_even_and_whole",     K(NUMBER) | K(AUTONUMBER), build_even, FILTER_BLANK, OP_ENDS_WITH),
    ROW("boolean",               K(BOOLEAN), build_boolean, FILTER_BLANK,   OP_EQ),
    ROW("single_select_equal",   K(SINGLE_SELECT), build_choice, 0,         OP_IN),
    ROW("single_select_not_equal", K(SINGLE_SELECT), build_choice, FILTER_NEGATED, OP_IN),
    ROW("single_select_is_any_of", K(SINGLE_SELECT), build_choice, 0,       OP_IN),
    ROW("single_select_is_none_of", K(SINGLE_SELECT), build_choice, FILTER_NEGATED, OP_IN),
    ROW("multiple_select_has",   K(MULTIPLE_SELECT), build_several, 0,      OP_IN),
    ROW("multiple_select_has_not", K(MULTIPLE_SELECT), build_several, FILTER_NEGATED, OP_IN),
    ROW("link_row_has",          K(LINK_ROW), build_linked, 0,              OP_IN),
    ROW("link_row_has_not",      K(LINK_ROW), build_linked, FILTER_NEGATED, OP_IN),
    ROW("link_row_contains",     K(LINK_ROW), build_text,   0,              OP_ICONTAINS),
    ROW("link_row_not_contains", K(LINK_ROW), build_text,   FILTER_NEGATED, OP_ICONTAINS),
    ROW("multiple_collaborators_has", K(MULTIPLE_COLLABORATORS), build_several, 0, OP_IN),
    ROW("multiple_collaborators_has_not", K(MULTIPLE_COLLABORATORS), build_several, FILTER_NEGATED, OP_IN),
    ROW("user_is",               PEOPLE,    build_user,     0,              OP_EQ),
    ROW("user_is_not",           PEOPLE,    build_user,     FILTER_NEGATED, OP_EQ),
    ROW("empty",                 ALL,       build_empty,    FILTER_BLANK,   OP_EMPTY),
    ROW("not_empty",             ALL,       build_empty,    FILTER_BLANK | FILTER_NEGATED, OP_EMPTY),
    ROW("filename_contains",     NONE,      build_none,     0,              OP_ICONTAINS),
    ROW("has_file_type",         NONE,      build_none,     0,              OP_EQ),
    ROW("files_lower_than",      NONE,      build_none,     0,              OP_LT),
    /* dates, new style */
    NEW("date_is",              0,              DATE_IN),
    NEW("date_is_not",          FILTER_NEGATED, DATE_IN),
    NEW("date_is_before",       0,              DATE_BEFORE),
    NEW("date_is_on_or_before", 0,              DATE_UNTIL),
    NEW("date_is_after",        0,              DATE_AFTER),
    NEW("date_is_on_or_after",  0,              DATE_SINCE),
    NEW("date_is_within",       0,              DATE_WITHIN),
    /* old style */
    OLD("date_equal",             0,              DATE_IN,     NULL),
    OLD("date_not_equal",         FILTER_NEGATED, DATE_IN,     NULL),
    OLD("date_before",            0,              DATE_BEFORE, NULL),
    OLD("date_before_or_equal",   0,              DATE_UNTIL,  NULL),
    OLD("date_after",             0,              DATE_AFTER,  NULL),
    OLD("date_after_or_equal",    0,              DATE_SINCE,  NULL),
    OLD("date_equals_today",      FILTER_BLANK | FILTER_NOW, DATE_IN,     "today"),
    OLD("date_before_today",      FILTER_BLANK | FILTER_NOW, DATE_BEFORE, "today"),
    OLD("date_after_today",       FILTER_BLANK | FILTER_NOW, DATE_AFTER,  "today"),
    OLD("date_equals_week",       FILTER_BLANK | FILTER_NOW, DATE_IN,     "this_week"),
    OLD("date_equals_month",      FILTER_BLANK | FILTER_NOW, DATE_IN,     "this_month"),
    OLD("date_equals_year",       FILTER_BLANK | FILTER_NOW, DATE_IN,     "this_year"),
    ROW("date_equals_day_of_month", DATES, filter_day_of_month, 0, OP_STARTS_WITH),
    OLD("date_equals_days_ago",   0, DATE_IN,     "nr_days_ago"),
    OLD("date_after_days_ago",    0, DATE_SINCE,  "nr_days_ago"),
    OLD("date_within_days",       0, DATE_WITHIN, "nr_days_from_now"),
    OLD("date_within_weeks",      0, DATE_WITHIN, "nr_weeks_from_now"),
    OLD("date_within_months",     0, DATE_WITHIN, "nr_months_from_now"),
    OLD("date_equals_months_ago", 0, DATE_IN,     "nr_months_ago"),
    OLD("date_equals_years_ago",  0, DATE_IN,     "nr_years_ago"),
};
/* clang-format on */

const struct filter_type *filter_type_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(filter_types); i++)
        if (str_equal(name, str_of(filter_types[i].name)))
            return &filter_types[i];
    return NULL;
}

bool filter_type_fits(const struct filter_type *type, const struct grid_field *f)
{
    return type->kinds & KIND_BIT(f->kind->id);
}

int filter_build(struct tx *tx, const struct filter_type *type, const struct grid_field *field,
                 struct str value, const struct expr **where_out)
{
    struct filtering f = {.tx = tx,
                          .arena = tx->arena,
                          .type = type,
                          .field = field,
                          .column = field->column,
                          .value = value};
    *where_out = &expr_true;
    if (!filter_type_fits(type, field) ||
        (str_trim(value).len == 0 && !(type->flags & FILTER_BLANK)))
        return 0;
    const struct expr *x = type->build(&f);
    if (f.fault || !x)
        return f.fault;
    *where_out = type->flags & FILTER_NEGATED ? expr_complement(tx->arena, x) : x;
    return 0;
}
