#include "model/grid/kind_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define NUMBERS                                                                                    \
    (TYPE_BIT(TYPE_INTEGER) | TYPE_BIT(TYPE_BIG_INTEGER) | TYPE_BIT(TYPE_FLOAT) |                  \
     TYPE_BIT(TYPE_DECIMAL))
#define WHOLE_NUMBERS (TYPE_BIT(TYPE_INTEGER) | TYPE_BIT(TYPE_BIG_INTEGER))
#define DATES (TYPE_BIT(TYPE_DATE) | TYPE_BIT(TYPE_DATE_TIME) | TYPE_BIT(TYPE_TIMESTAMP))
#define TEXTS (TYPE_BIT(TYPE_STRING) | TYPE_BIT(TYPE_TEXT))
/* Whatever is kept as text can be shown as one. What is no text of the column is not written. */
#define ANY_TEXT                                                                                   \
    (TEXTS | TYPE_BIT(TYPE_TIME) | TYPE_BIT(TYPE_UUID) | TYPE_BIT(TYPE_JSON) | TYPE_BIT(TYPE_CSV))
#define LISTS (TEXTS | TYPE_BIT(TYPE_CSV))
#define PEOPLE (TEXTS | TYPE_BIT(TYPE_UUID))
#define SECRETS (TEXTS | TYPE_BIT(TYPE_HASH))
#define KEYS (WHOLE_NUMBERS | TEXTS | TYPE_BIT(TYPE_UUID))

#define OF_SERVER (KIND_READ_ONLY | KIND_IGNORED)
#define TEXTUAL (KIND_TEXTUAL | KIND_UNIQUE)

/* clang-format off */
const struct kind kinds[KIND_COUNT] = {
    [KIND_TEXT]          = {KIND_TEXT, "text", TEXTUAL, "input", ANY_TEXT},
    [KIND_LONG_TEXT]     = {KIND_LONG_TEXT, "long_text", TEXTUAL, "input-multiline", ANY_TEXT},
    [KIND_URL]           = {KIND_URL, "url", TEXTUAL, "input", TEXTS},
    [KIND_EMAIL]         = {KIND_EMAIL, "email", TEXTUAL, "input", TEXTS},
    [KIND_PHONE_NUMBER]  = {KIND_PHONE_NUMBER, "phone_number", KIND_TEXTUAL, "input", TEXTS},
    [KIND_NUMBER]        = {KIND_NUMBER, "number", KIND_UNIQUE, "input", NUMBERS},
    [KIND_RATING]        = {KIND_RATING, "rating", KIND_UNIQUE, "slider", WHOLE_NUMBERS},
    [KIND_BOOLEAN]       = {KIND_BOOLEAN, "boolean", KIND_NOT_SEARCHED, "boolean", WHOLE_NUMBERS | TYPE_BIT(TYPE_BOOLEAN)},
    [KIND_DATE]          = {KIND_DATE, "date", KIND_UNIQUE, "datetime", DATES},
    [KIND_DURATION]      = {KIND_DURATION, "duration", KIND_UNIQUE, "input", NUMBERS},
    [KIND_SINGLE_SELECT] = {KIND_SINGLE_SELECT, "single_select", KIND_UNIQUE, "select-dropdown", WHOLE_NUMBERS},
    [KIND_MULTIPLE_SELECT] = {KIND_MULTIPLE_SELECT, "multiple_select", 0, "select-multiple-dropdown", LISTS},
    [KIND_LINK_ROW]      = {KIND_LINK_ROW, "link_row", KIND_NOT_PRIMARY, NULL, KEYS},
    [KIND_MULTIPLE_COLLABORATORS] = {KIND_MULTIPLE_COLLABORATORS, "multiple_collaborators", 0, "tags", LISTS},
    [KIND_CREATED_ON]    = {KIND_CREATED_ON, "created_on", OF_SERVER, "datetime", DATES},
    [KIND_LAST_MODIFIED] = {KIND_LAST_MODIFIED, "last_modified", OF_SERVER, "datetime", DATES},
    [KIND_CREATED_BY]    = {KIND_CREATED_BY, "created_by", OF_SERVER, NULL, PEOPLE},
    [KIND_LAST_MODIFIED_BY] = {KIND_LAST_MODIFIED_BY, "last_modified_by", OF_SERVER, NULL, PEOPLE},
    [KIND_AUTONUMBER]    = {KIND_AUTONUMBER, "autonumber", KIND_READ_ONLY, "input", WHOLE_NUMBERS},
    [KIND_UUID]          = {KIND_UUID, "uuid", KIND_READ_ONLY, "input", TYPE_BIT(TYPE_UUID)},
    [KIND_PASSWORD]      = {KIND_PASSWORD, "password", KIND_NOT_PRIMARY | KIND_NOT_SORTED | KIND_NOT_SEARCHED, "input-hash", SECRETS},
};

static const struct kind_values *const values[KIND_COUNT] = {
    [KIND_TEXT] = &textual_values,         [KIND_LONG_TEXT] = &textual_values,
    [KIND_URL] = &url_values,              [KIND_EMAIL] = &email_values,
    [KIND_PHONE_NUMBER] = &phone_values,   [KIND_NUMBER] = &number_values,
    [KIND_RATING] = &rating_values,        [KIND_BOOLEAN] = &boolean_values,
    [KIND_DATE] = &date_values,            [KIND_DURATION] = &duration_values,
    [KIND_SINGLE_SELECT] = &choice_values, [KIND_MULTIPLE_SELECT] = &choices_values,
    [KIND_MULTIPLE_COLLABORATORS] = &collaborators_values,
    [KIND_CREATED_ON] = &date_values,      [KIND_LAST_MODIFIED] = &date_values,
    [KIND_CREATED_BY] = &person_values,    [KIND_LAST_MODIFIED_BY] = &person_values,
    [KIND_AUTONUMBER] = &autonumber_values, [KIND_UUID] = &textual_values,
    [KIND_PASSWORD] = &password_values,
};
/* clang-format on */

const struct kind *kind_find(struct str name)
{
    for (int id = 0; id < KIND_COUNT; id++)
        if (str_equal(name, str_of(kinds[id].name)))
            return &kinds[id];
    return NULL;
}

bool kind_fits(const struct kind *kind, const struct column *column)
{
    return kind->types & TYPE_BIT(column->type);
}

bool kind_may_be_primary(const struct kind *kind, const struct kind_settings *s)
{
    return !(kind->flags & KIND_NOT_PRIMARY) && !s->rich;
}

bool kind_is_date(const struct kind *kind)
{
    return values[kind->id] == &date_values;
}

/* ---- columns ---- */

/* What a kind's cells are kept in. Those without a row have no column of their own. */
struct column_form {
    bool own;
    enum type_id type;
    unsigned length_max;
    const char *special;
};
enum { EMAIL_MAX = 254, PHONE_MAX = 100, HASH_MAX = 255, DURATION_SCALE = 3 };
static const struct column_form forms[KIND_COUNT] = {
    [KIND_TEXT] = {true, TYPE_TEXT, 0, NULL},
    [KIND_LONG_TEXT] = {true, TYPE_TEXT, 0, NULL},
    [KIND_URL] = {true, TYPE_TEXT, 0, NULL},
    [KIND_EMAIL] = {true, TYPE_STRING, EMAIL_MAX, NULL},
    [KIND_PHONE_NUMBER] = {true, TYPE_STRING, PHONE_MAX, NULL},
    [KIND_NUMBER] = {true, TYPE_BIG_INTEGER, 0, NULL},
    [KIND_RATING] = {true, TYPE_INTEGER, 0, NULL},
    [KIND_BOOLEAN] = {true, TYPE_BOOLEAN, 0, "cast-boolean"},
    [KIND_DATE] = {true, TYPE_DATE, 0, NULL},
    [KIND_DURATION] = {true, TYPE_DECIMAL, 0, NULL},
    [KIND_SINGLE_SELECT] = {true, TYPE_INTEGER, 0, NULL},
    [KIND_MULTIPLE_SELECT] = {true, TYPE_CSV, 0, "cast-csv"},
    [KIND_MULTIPLE_COLLABORATORS] = {true, TYPE_CSV, 0, "cast-csv"},
    [KIND_AUTONUMBER] = {true, TYPE_BIG_INTEGER, 0, NULL},
    [KIND_UUID] = {true, TYPE_UUID, 0, "uuid"},
    [KIND_PASSWORD] = {true, TYPE_HASH, HASH_MAX, "hash,conceal"},
};

bool kind_column(const struct kind *kind, const struct kind_settings *s, struct column *column_out,
                 const char **special_out)
{
    const struct column_form *form = &forms[kind->id];
    if (!form->own)
        return false;

    struct column c = {
        .type = form->type,
        .length_max = form->length_max,
        .nullable = true,
        .secret = form->type == TYPE_HASH,
        .default_value = s->initial,
    };
    *special_out = form->special;
    if (kind->id == KIND_NUMBER && s->decimals > 0) {
        c.type = TYPE_DECIMAL;
        c.scale = (uint8_t)s->decimals;
    } else if (kind->id == KIND_DURATION) {
        c.scale = DURATION_SCALE;
    } else if (kind->id == KIND_DATE && s->time) {
        c.type = TYPE_TIMESTAMP;
        *special_out = "cast-timestamp";
    }
    c.precision = c.type == TYPE_DECIMAL ? DECIMAL_COLUMN_DIGITS : 0;
    *column_out = c;
    return true;
}

json_t *kind_interface_options(struct arena *a, const struct kind *kind,
                               const struct kind_settings *s)
{
    if (kind->id != KIND_SINGLE_SELECT && kind->id != KIND_MULTIPLE_SELECT)
        return NULL;

    json_t *list = json_array();
    for (size_t i = 0; i < s->choice_count; i++) {
        const struct choice *c = &s->choices[i];
        /* A csv column holds texts. */
        json_t *value = kind->id == KIND_SINGLE_SELECT
                            ? json_integer(c->id)
                            : json_string(arena_printf(a, "%" PRId64, c->id).at);
        json_array_append_new(
            list, json_pack("{s:s%, s:o}", "text", c->value.at, c->value.len, "value", value));
    }
    json_t *options = json_pack("{s:o}", "choices", list);
    arena_on_free(a, json_release, options);
    return options;
}

/* ---- columns that others made ---- */

/* What special flags say, before types are asked. */
static const struct special_kind {
    unsigned special;
    enum kind_id kind;
} special_kinds[] = {
    {SPECIAL_HASH | SPECIAL_CONCEAL | SPECIAL_TOKEN, KIND_PASSWORD},
    {SPECIAL_DATE_CREATED, KIND_CREATED_ON},
    {SPECIAL_DATE_UPDATED, KIND_LAST_MODIFIED},
    {SPECIAL_USER_CREATED, KIND_CREATED_BY},
    {SPECIAL_USER_UPDATED, KIND_LAST_MODIFIED_BY},
    {SPECIAL_CAST_BOOLEAN, KIND_BOOLEAN},
    {SPECIAL_UUID, KIND_UUID},
};

static const enum kind_id type_kinds[TYPE_COUNT] = {
    [TYPE_STRING] = KIND_TEXT,        [TYPE_TEXT] = KIND_LONG_TEXT, [TYPE_INTEGER] = KIND_NUMBER,
    [TYPE_BIG_INTEGER] = KIND_NUMBER, [TYPE_FLOAT] = KIND_NUMBER,   [TYPE_DECIMAL] = KIND_NUMBER,
    [TYPE_BOOLEAN] = KIND_BOOLEAN,    [TYPE_DATE] = KIND_DATE,      [TYPE_TIME] = KIND_TEXT,
    [TYPE_DATE_TIME] = KIND_DATE,     [TYPE_TIMESTAMP] = KIND_DATE, [TYPE_UUID] = KIND_TEXT,
    [TYPE_JSON] = KIND_LONG_TEXT,     [TYPE_CSV] = KIND_LONG_TEXT,  [TYPE_HASH] = KIND_PASSWORD,
};

static const struct kind *derive_kind(const struct field *f, bool is_link)
{
    if (is_link)
        return &kinds[KIND_LINK_ROW];
    if (f->column->primary_key && f->column->auto_increment)
        return &kinds[KIND_AUTONUMBER];
    for (size_t i = 0; i < COUNT_OF(special_kinds); i++) {
        const struct kind *kind = &kinds[special_kinds[i].kind];
        if ((f->special & special_kinds[i].special) && kind_fits(kind, f->column))
            return kind;
    }
    return &kinds[type_kinds[f->column->type]];
}

/* Floats have no number of digits: as many as a field may show. */
enum { PLACES_MAX = 10 };
static int places_of(const struct column *c)
{
    int scale = 0;
    if (c->type == TYPE_FLOAT)
        scale = PLACES_MAX;
    else if (c->type == TYPE_DECIMAL)
        scale = c->precision ? c->scale : DECIMAL_SCALE;
    return scale < PLACES_MAX ? scale : PLACES_MAX;
}

static json_t *derive_settings(const struct kind *kind, const struct column *c)
{
    json_t *settings = json_object();
    const struct value *initial = &c->default_value;

    if (kind->id == KIND_LINK_ROW)
        json_object_set_new(settings, "link_row_multiple_relationships", json_false());
    if (kind->id == KIND_NUMBER) {
        json_object_set_new(settings, "number_decimal_places", json_integer(places_of(c)));
        json_object_set_new(settings, "number_negative", json_true());
        if (initial->kind == VALUE_INTEGER)
            json_object_set_new(settings, "number_default", json_integer(initial->integer));
        else if (initial->kind == VALUE_REAL)
            json_object_set_new(settings, "number_default", json_real(initial->real));
    }
    if (kind->id == KIND_BOOLEAN && initial->kind == VALUE_INTEGER)
        json_object_set_new(settings, "boolean_default", json_boolean(initial->integer));
    if (kind->id == KIND_TEXT && initial->kind == VALUE_TEXT)
        json_object_set_new(settings, "text_default",
                            json_stringn(initial->text.at, initial->text.len));
    if (kind_is_date(kind)) {
        json_object_set_new(settings, "date_format", json_string("ISO"));
        json_object_set_new(settings, "date_include_time", json_boolean(c->type != TYPE_DATE));
    }
    return settings;
}

const struct kind *kind_of_column(struct arena *a, const struct field *f, bool is_link,
                                  json_t **settings_out)
{
    const struct kind *kind = derive_kind(f, is_link);
    json_t *settings = derive_settings(kind, f->column);
    arena_on_free(a, json_release, settings);
    *settings_out = settings;
    return kind;
}

/* ---- values ---- */

int kind_mistaken(struct kind_mistake *m, struct arena *a, const char *code, const char *sentence,
                  ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, sentence);
    vsnprintf(text, sizeof(text), sentence, arguments);
    va_end(arguments);
    *m = (struct kind_mistake){.code = code, .sentence = arena_str(a, str_of(text))};
    return KIND_MISTAKEN;
}

static int read_null(struct tx *tx, const struct grid_field *f, struct value *value_out,
                     struct kind_mistake *mistake_out)
{
    struct value empty = kind_empty(f);
    if (f->kind->id == KIND_BOOLEAN || (value_is_null(&empty) && !f->column->nullable))
        return kind_mistaken(mistake_out, tx->arena, "null", "This field may not be null.");
    *value_out = empty;
    return 0;
}

/*
 * Columns that others made hold less than their kind does: a time shown as text, a short text. The
 * store's type has the last word, and its form of the value (a UUID in small letters) counts. 0 or
 * an outcome of type_read().
 */
static int fit(const struct column *c, struct arena *a, struct value *value)
{
    if (value->kind != VALUE_TEXT)
        return type_check(c, value);
    AUTO(json_unref) json_t *json = json_stringn(value->text.at, value->text.len);
    AUTO(json_unref) json_t *inner = NULL;
    if (!json)
        return TYPE_MISMATCH;
    /* Directus keeps any text as a JSON string; who edits it as text means the JSON itself. */
    if (c->type == TYPE_JSON && json_read(a, value->text, &inner, NULL) != 0)
        return TYPE_MISMATCH;
    return type_read(c, json, a, value);
}

static int refuse_unfit(struct tx *tx, const struct column *c, int outcome,
                        struct kind_mistake *mistake_out)
{
    if (outcome == TYPE_TOO_LONG)
        return kind_mistaken(mistake_out, tx->arena, "max_length",
                             "Ensure this field has no more than %u characters.", c->length_max);
    return kind_mistaken(mistake_out, tx->arena, "invalid", "Not a valid %s.", types[c->type].name);
}

int kind_read(struct tx *tx, const struct grid_field *f, const json_t *json,
              struct value *value_out, struct kind_mistake *mistake_out)
{
    if (!json || json_is_null(json))
        return read_null(tx, f, value_out, mistake_out);

    struct value value = value_null();
    int rc = values[f->kind->id]->read(tx, f, json, &value, mistake_out);
    if (rc != 0)
        return rc;
    if (value_is_null(&value))
        return read_null(tx, f, value_out, mistake_out);
    rc = fit(f->column, tx->arena, &value);
    if (rc != 0)
        return refuse_unfit(tx, f->column, rc, mistake_out);
    *value_out = kind_unless_empty(f, value);
    return 0;
}

/* What is told of a cell that is null, or names what is no longer there. */
static const char *const empty_json[KIND_COUNT] = {
    [KIND_TEXT] = "\"\"",         [KIND_LONG_TEXT] = "\"\"",
    [KIND_URL] = "\"\"",          [KIND_EMAIL] = "\"\"",
    [KIND_PHONE_NUMBER] = "\"\"", [KIND_RATING] = "0",
    [KIND_BOOLEAN] = "false",     [KIND_MULTIPLE_SELECT] = "[]",
    [KIND_LINK_ROW] = "[]",       [KIND_MULTIPLE_COLLABORATORS] = "[]",
};

void kind_write(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    const char *empty = empty_json[f->kind->id];
    if (value_is_null(cell) || !values[f->kind->id])
        buf_put_str(b, str_of(empty ? empty : "null"));
    else
        values[f->kind->id]->write(b, f, cell);
}

void kind_put_text(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    if (!value_is_null(cell) && values[f->kind->id])
        values[f->kind->id]->put_text(b, f, cell);
}

struct value kind_parse(struct arena *a, const struct grid_field *f, struct str text)
{
    struct value value;
    const struct kind_values *way = values[f->kind->id];
    if (way != &textual_values) /* blanks around a text are part of it, but of nothing else */
        text = str_trim(text);
    if (!way || !way->parse || !way->parse(a, f, text, &value))
        return kind_empty(f);
    return fit(f->column, a, &value) == 0 ? kind_unless_empty(f, value) : kind_empty(f);
}

/* Nulls are never the same to a store. */
struct value kind_unless_empty(const struct grid_field *f, struct value cell)
{
    bool none = kind_is_empty(f, &cell) || (f->kind->id == KIND_RATING && cell.integer == 0);
    return f->settings.unique && none ? value_null() : cell;
}

struct value kind_empty(const struct grid_field *f)
{
    if (f->settings.unique)
        return value_null();
    if (f->kind->id == KIND_BOOLEAN || f->kind->id == KIND_RATING)
        return value_integer(0);
    bool any_text = f->column && (TYPE_BIT(f->column->type) & LISTS);
    return (f->kind->flags & KIND_TEXTUAL) && any_text ? value_text(STR("")) : value_null();
}

bool kind_is_empty(const struct grid_field *f, const struct value *cell)
{
    if (value_is_null(cell))
        return true;
    switch (f->kind->id) {
    case KIND_BOOLEAN:
        return cell->integer == 0;
    case KIND_SINGLE_SELECT:
        return !settings_choice(&f->settings, cell->integer);
    default:
        return cell->kind == VALUE_TEXT && cell->text.len == 0;
    }
}
