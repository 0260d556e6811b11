#include <assert.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/sqlite.h"

/*
 * What SQLite learns from us: a function for each operator on text, which is the evaluator's own;
 * rowcast_fold and rowcast_rank, to sort by; rowcast_convert, which reads values as clients' values
 * are read; and rowcast_list, a table of the values of one parameter.
 */

static struct str text_argument(sqlite3_value *argument)
{
    const char *text = (const char *)sqlite3_value_text(argument);
    return (struct str){text ? text : "", (size_t)sqlite3_value_bytes(argument)};
}

/* rowcast_<operator>(text, operand): 1, 0, or null where either is no text. */
static void match(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    const struct operator_info *info = sqlite3_user_data(context);
    if (sqlite3_value_type(arguments[0]) != SQLITE_TEXT ||
        sqlite3_value_type(arguments[1]) != SQLITE_TEXT)
        return;
    sqlite3_result_int(context,
                       info->match(text_argument(arguments[0]), text_argument(arguments[1])));
}

/* ---- sorting ---- */

/* rowcast_fold(value): its text without case; of a number, the shortest that names it. */
static void fold(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    char number[STR_DOUBLE_SIZE];
    struct str text = {number, 0};
    if (sqlite3_value_type(arguments[0]) == SQLITE_NULL)
        return;
    if (sqlite3_value_type(arguments[0]) == SQLITE_FLOAT)
        text.len = str_from_double(sqlite3_value_double(arguments[0]), number);
    else
        text = text_argument(arguments[0]);
    struct buf folded;
    buf_init(&folded, SIZE_MAX);
    text_put_folded(&folded, text);
    sqlite3_result_text64(context, folded.len ? folded.at : "", folded.len, SQLITE_TRANSIENT,
                          SQLITE_UTF8);
    buf_deinit(&folded);
}

/* rowcast_rank(value, list): the value's first place in the list, or null. */
static void rank(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    const struct sqlite_list *list = sqlite3_value_pointer(arguments[1], SQLITE_LIST_POINTER);
    if (!list || sqlite3_value_type(arguments[0]) != SQLITE_INTEGER)
        return;
    int64_t wanted = sqlite3_value_int64(arguments[0]);
    for (size_t i = 0; i < list->count; i++) {
        if (list->operands[i].value.integer != wanted)
            continue;
        sqlite3_result_int64(context, (int64_t)i);
        return;
    }
}

/* rowcast_form(value, form): the value as people read it; null where there is none. */
static void form(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    const struct form *f = sqlite3_value_pointer(arguments[1], SQLITE_FORM_POINTER);
    char text[FORM_TEXT_MAX];
    struct value v;
    switch (sqlite3_value_type(arguments[0])) {
    case SQLITE_INTEGER:
        v = value_integer(sqlite3_value_int64(arguments[0]));
        break;
    case SQLITE_FLOAT:
        v = value_real(sqlite3_value_double(arguments[0]));
        break;
    case SQLITE_TEXT:
        v = value_text(text_argument(arguments[0]));
        break;
    default:
        return;
    }
    struct str shown = f ? form_text(f, &v, text) : STR_NULL;
    if (shown.at)
        sqlite3_result_text64(context, shown.at, shown.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* ---- conversion ---- */

static struct value argument_value(sqlite3_value *argument, const struct column *c)
{
    if (sqlite3_value_type(argument) == SQLITE_NULL)
        return value_null();
    switch (types[c->type].kind) {
    case VALUE_INTEGER:
        return value_integer(sqlite3_value_int64(argument));
    case VALUE_REAL:
        return value_real(sqlite3_value_double(argument));
    default:
        return value_text(text_argument(argument));
    }
}

static void result_value(sqlite3_context *context, const struct value *v)
{
    switch (v->kind) {
    case VALUE_NULL:
        sqlite3_result_null(context);
        break;
    case VALUE_INTEGER:
        sqlite3_result_int64(context, v->integer);
        break;
    case VALUE_REAL:
        sqlite3_result_double(context, v->real);
        break;
    case VALUE_TEXT:
        sqlite3_result_text64(context, v->text.at ? v->text.at : "", v->text.len, SQLITE_TRANSIENT,
                              SQLITE_UTF8);
        break;
    }
}

/* rowcast_convert(value, i): the value as one of column i of the table as it will be. */
static void convert(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    struct sqlite *s = sqlite3_user_data(context);
    struct sqlite_conversion *conversion = &s->conversion;
    int64_t index = sqlite3_value_int64(arguments[1]);
    assert(conversion->after && (size_t)index < conversion->after->count);

    const struct column *from = conversion->from[index];
    const struct column *to = &conversion->after->columns[index];
    struct value converted, v = argument_value(arguments[0], from);
    struct arena *arena = arena_new();
    if (type_convert(from, to, &v, arena, &converted) == 0) {
        result_value(context, &converted);
    } else {
        conversion->failed = to;
        sqlite3_result_error(context, "a value does not fit", -1);
    }
    arena_free(arena);
}

/* ---- SELECT value FROM rowcast_list(?) ---- */

struct list_cursor {
    sqlite3_vtab_cursor base;
    const struct sqlite_list *list;
    size_t at;
};

enum { LIST_VALUE, LIST_POINTER };

static int list_connect(sqlite3 *db, void *data, int count, const char *const *arguments,
                        sqlite3_vtab **table_out, char **error_out)
{
    (void)data, (void)count, (void)arguments, (void)error_out;
    int code = sqlite3_declare_vtab(db, "CREATE TABLE x(value, list HIDDEN)");
    if (code == SQLITE_OK)
        *table_out = MEM_NEW(sqlite3_vtab);
    return code;
}

static int list_disconnect(sqlite3_vtab *table)
{
    mem_free(table);
    return SQLITE_OK;
}

/* The parameter must be there; that is the only way to read this table. */
static int list_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != LIST_POINTER || !info->aConstraint[i].usable ||
            info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        info->estimatedCost = 100;
        info->estimatedRows = 100;
        return SQLITE_OK;
    }
    return SQLITE_CONSTRAINT;
}

static int list_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor_out)
{
    (void)table;
    *cursor_out = &MEM_NEW(struct list_cursor)->base;
    return SQLITE_OK;
}

static struct list_cursor *list_of(sqlite3_vtab_cursor *cursor)
{
    return (struct list_cursor *)(void *)cursor;
}

static int list_close(sqlite3_vtab_cursor *cursor)
{
    mem_free(list_of(cursor));
    return SQLITE_OK;
}

static int list_filter(sqlite3_vtab_cursor *cursor, int plan, const char *plan_text, int count,
                       sqlite3_value **arguments)
{
    (void)plan, (void)plan_text;
    struct list_cursor *c = list_of(cursor);
    c->list = count == 1 ? sqlite3_value_pointer(arguments[0], SQLITE_LIST_POINTER) : NULL;
    c->at = 0;
    return SQLITE_OK;
}

static int list_next(sqlite3_vtab_cursor *cursor)
{
    list_of(cursor)->at++;
    return SQLITE_OK;
}

static int list_eof(sqlite3_vtab_cursor *cursor)
{
    const struct list_cursor *c = list_of(cursor);
    return !c->list || c->at >= c->list->count;
}

/* Text is copied: it is the statement's, and SQLite may keep what a table gives. */
static int list_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column)
{
    const struct list_cursor *c = list_of(cursor);
    if (column == LIST_VALUE)
        result_value(context, &c->list->operands[c->at].value);
    return SQLITE_OK;
}

static int list_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid_out)
{
    *rowid_out = (sqlite3_int64)list_of(cursor)->at;
    return SQLITE_OK;
}

static const sqlite3_module list_module = {
    .xConnect = list_connect, /* no xCreate: the table is there by itself */
    .xBestIndex = list_best_index,
    .xDisconnect = list_disconnect,
    .xOpen = list_open,
    .xClose = list_close,
    .xFilter = list_filter,
    .xNext = list_next,
    .xEof = list_eof,
    .xColumn = list_column,
    .xRowid = list_rowid,
};

int sqlite_add_functions(struct sqlite *s)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    int code = sqlite3_create_module_v2(s->db, "rowcast_list", &list_module, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_create_function_v2(s->db, "rowcast_fold", 1, flags, NULL, fold, NULL, NULL,
                                          NULL);
    if (code == SQLITE_OK)
        code = sqlite3_create_function_v2(s->db, "rowcast_rank", 2, flags, NULL, rank, NULL, NULL,
                                          NULL);
    if (code == SQLITE_OK)
        code = sqlite3_create_function_v2(s->db, "rowcast_form", 2, flags, NULL, form, NULL, NULL,
                                          NULL);
    for (int op = 0; op < OP_COUNT && code == SQLITE_OK; op++) {
        if (!operators[op].match || operators[op].negated)
            continue;
        char name[64];
        snprintf(name, sizeof(name), "rowcast_%s", operators[op].name);
        /* SQLite hands the pointer back as it is; match() only reads. */
        void *info = (void *)(uintptr_t)&operators[op];
        code = sqlite3_create_function_v2(s->db, name, 2, flags, info, match, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK)
        code =
            sqlite3_create_function_v2(s->db, "rowcast_convert", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                       s, convert, NULL, NULL, NULL);
    return code;
}
