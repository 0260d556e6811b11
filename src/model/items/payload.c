#include "model/items/payload.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "model/access/filter.h"
#include "model/access/members.h"
#include "model/items/query.h"
#include "model/items/rows.h"
#include "model/password.h"
#include "model/problem.h"

/*
 * In this order: may the client send these fields, what do the presets add, do the rules hold, what
 * is the value of each column. Only what the client sent needs permission (directus.md F.5).
 */

/* ---- what was sent ---- */

static const struct field *known_field(const struct table *table, struct str name)
{
    const struct field *field = table_field(table, name);
    return field && !field_hidden(field) ? field : NULL;
}

static int check_submitted(struct tx *tx, const struct table *table, const struct grant *grant,
                           const json_t *json, struct column_set *sent_out)
{
    for (void *at = members_first(json); at; at = members_next(json, at)) {
        const struct field *field = known_field(table, member_key(at));
        bool permitted = field && column_set_has(&grant->fields, field->column->index);
        if (!permitted && (field || !tx->principal->admin))
            return refuse_fields(tx, table->name, member_key(at));
        if (field)
            column_set_add(sent_out, field->column->index);
    }
    return 0;
}

static void take_members(json_t *merged, const json_t *object)
{
    for (void *at = members_first(object); at; at = members_next(object, at))
        if (json_object_setn_nocheck(merged, member_key(at).at, member_key(at).len,
                                     member_value(at)) != 0)
            mem_exhausted();
}

/* Presets of later rules win over those of earlier ones, and what was sent over all. The values are
 * shared, so that a secret that was hashed beforehand is still known by its identity. */
static json_t *merge(struct tx *tx, const struct grant *grant, const json_t *json)
{
    json_t *merged = json_object();
    if (!merged)
        mem_exhausted();
    arena_on_free(tx->arena, json_release, merged);
    for (size_t i = 0; i < grant->rule_count; i++)
        if (grant->rules[i].presets)
            take_members(merged, principal_substitute(tx->principal, tx->arena,
                                                      grant->rules[i].presets, tx->now_ms));
    take_members(merged, json);
    return merged;
}

static const json_t *value_of(const struct field *field, const json_t *merged)
{
    return json_object_getn(merged, field->name.at, field->name.len);
}

/* ---- rules ---- */

/* Does the server find a value of its own when none is given? */
static bool is_generated(const struct field *field)
{
    const unsigned specials =
        SPECIAL_UUID | SPECIAL_DATE_CREATED | SPECIAL_USER_CREATED | SPECIAL_ROLE_CREATED;
    const struct column *column = field->column;
    return (field->special & specials) || column->auto_increment ||
           (column->primary_key && column->type == TYPE_UUID);
}

static int check_required(struct tx *tx, const struct field *field, enum change_kind kind,
                          const json_t *value)
{
    const struct column *column = field->column;
    if ((column->nullable && !column->primary_key) || is_generated(field))
        return 0;
    if (value && !json_is_null(value))
        return 0;
    if (!value && (kind != CHANGE_CREATE || !value_is_null(&column->default_value)))
        return 0;
    refuse_violation(tx, field->name, value ? "nnull" : "required");
    return REFUSED;
}

/* A rule that cannot be understood ends the checks; broken ones are told all together. */
static int check_validation(struct tx *tx, const struct table *table, const json_t *validation,
                            const json_t *merged, int *result)
{
    if (!validation)
        return 0;
    const json_t *filter = principal_substitute(tx->principal, tx->arena, validation, tx->now_ms);
    int rc = filter_validate(tx, table, filter, merged);
    if (rc == REFUSED)
        *result = rc;
    return rc == REFUSED && tx->problem->kind == PROBLEM_FAILED_VALIDATION ? 0 : rc;
}

static int check_rules(struct tx *tx, const struct table *table, const struct grant *grant,
                       enum change_kind kind, const json_t *merged)
{
    int result = 0;
    for (size_t i = 0; i < table->shape.count; i++) {
        const struct field *field = &table->fields[i];
        if (field_hidden(field))
            continue;
        if (check_required(tx, field, kind, value_of(field, merged)))
            result = REFUSED;
        int rc = check_validation(tx, table, field->validation, merged, &result);
        if (rc)
            return rc;
    }
    for (size_t i = 0; i < grant->rule_count; i++) {
        int rc = check_validation(tx, table, grant->rules[i].validation, merged, &result);
        if (rc)
            return rc;
    }
    return result;
}

/* ---- values that are generated ---- */

enum stamp_value { STAMP_NOW, STAMP_USER, STAMP_ROLE };
static const struct stamp {
    enum special flag;
    enum change_kind kind;
    enum stamp_value value;
} stamps[] = {
    {SPECIAL_DATE_CREATED, CHANGE_CREATE, STAMP_NOW},
    {SPECIAL_USER_CREATED, CHANGE_CREATE, STAMP_USER},
    {SPECIAL_ROLE_CREATED, CHANGE_CREATE, STAMP_ROLE},
    {SPECIAL_DATE_UPDATED, CHANGE_UPDATE, STAMP_NOW},
    {SPECIAL_USER_UPDATED, CHANGE_UPDATE, STAMP_USER},
    {SPECIAL_ROLE_UPDATED, CHANGE_UPDATE, STAMP_ROLE},
};

static struct value stamp_value(struct tx *tx, const struct column *column, enum stamp_value what)
{
    const struct operand now = {.now = true};
    if (what == STAMP_NOW)
        return operand_value(&now, column, tx->now_ms, tx->arena);
    struct str id = what == STAMP_USER ? tx->principal->user : tx->principal->role;
    return id.at ? value_text(id) : value_null();
}

/* A stamp overrides what was sent. */
static bool find_stamp(struct tx *tx, const struct field *field, enum change_kind kind,
                       struct value *value_out)
{
    for (size_t i = 0; i < COUNT_OF(stamps); i++) {
        if ((field->special & stamps[i].flag) && stamps[i].kind == kind) {
            *value_out = stamp_value(tx, field->column, stamps[i].value);
            return true;
        }
    }
    return false;
}

static bool wants_uuid(const struct field *field, enum change_kind kind)
{
    bool uuid = (field->special & SPECIAL_UUID) ||
                (field->column->primary_key && field->column->type == TYPE_UUID);
    return kind == CHANGE_CREATE && uuid;
}

static struct value new_uuid(struct tx *tx)
{
    char text[UUID_TEXT_SIZE];
    random_uuid(text);
    return value_text(arena_str(tx->arena, str_of(text)));
}

bool payload_stamp(struct tx *tx, const struct field *field, enum change_kind kind, bool given,
                   struct value *value_out)
{
    if (find_stamp(tx, field, kind, value_out))
        return true;
    if (given || !wants_uuid(field, kind))
        return false;
    *value_out = new_uuid(tx);
    return true;
}

/* ---- secrets ---- */

/* The text to hash or digest; absent: the value stands for none (null, or empty text). */
static struct str plain_text(struct arena *a, const json_t *json)
{
    struct str text = json_is_number(json) ? json_text(a, json) : json_str(json);
    return text.len > 0 ? text : STR_NULL;
}

static int hash_value(struct tx *tx, const json_t *json, struct value *value_out)
{
    struct str hash, plain = plain_text(tx->arena, json);
    if (!plain.at) {
        *value_out = value_null();
        return 0;
    }
    for (const struct prepared *p = tx->prepared; p; p = p->next) {
        if (p->plain == json) {
            *value_out = value_text(p->hash);
            return 0;
        }
    }
    int rc = password_hash(tx->settings, tx->arena, plain, &hash);
    if (rc == 0)
        *value_out = value_text(hash);
    return rc;
}

static struct value digest_value(struct tx *tx, const json_t *json)
{
    char hex[SHA256_HEX_SIZE];
    struct str plain = plain_text(tx->arena, json);
    if (!plain.at)
        return value_null();
    text_sha256_hex(plain, hex);
    return value_text(arena_str(tx->arena, str_of(hex)));
}

/* ---- values that were sent ---- */

static int refuse_cell(struct tx *tx, const struct field *field, const json_t *json, int outcome)
{
    struct str name = field->name, collection = field->table->name;
    enum type_id type = field->column->type;
    if (outcome == TYPE_MISMATCH) {
        if (type == TYPE_DATE || type == TYPE_TIME || type == TYPE_DATE_TIME ||
            type == TYPE_TIMESTAMP)
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "Invalid Date format in field \"%.*s\"",
                          STR_ARG(name));
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "The value of field \"%.*s\" in collection \"%.*s\" does not fit its type "
                      "\"%s\"",
                      STR_ARG(name), STR_ARG(collection), types[type].name);
    }
    refuse(tx, outcome == TYPE_TOO_LONG ? PROBLEM_VALUE_TOO_LONG : PROBLEM_VALUE_OUT_OF_RANGE,
           NULL);
    tx->problem->collection = arena_str(tx->arena, collection);
    tx->problem->field = arena_str(tx->arena, name);
    tx->problem->value =
        rows_tell(tx, field, json_is_string(json) ? json_str(json) : json_text(tx->arena, json));
    return REFUSED;
}

static int read_cell(struct tx *tx, const struct field *field, const json_t *json,
                     struct value *value_out)
{
    bool nested = json_is_object(json) || json_is_array(json);
    if (nested && catalogue_relation(tx->catalogue, field->column))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "A nested item (field \"%.*s\") is not supported yet", STR_ARG(field->name));
    if (field->special & (SPECIAL_HASH | SPECIAL_TOKEN)) {
        if (nested || json_is_boolean(json))
            return refuse_cell(tx, field, json, TYPE_MISMATCH);
        if (field->special & SPECIAL_HASH)
            return hash_value(tx, json, value_out);
        *value_out = digest_value(tx, json);
        return 0;
    }
    int outcome = type_read(field->column, json, tx->arena, value_out);
    return outcome ? refuse_cell(tx, field, json, outcome) : 0;
}

/* 0 and found or not, REFUSED, or a fault. */
static int find_value(struct tx *tx, const struct field *field, enum change_kind kind,
                      const json_t *json, bool *found_out, struct value *value_out)
{
    bool empty =
        !json || json_is_null(json) || (json_is_string(json) && json_string_length(json) == 0);

    *found_out = true;
    if (payload_stamp(tx, field, kind, !empty, value_out))
        return 0;
    /* An automatic key that is sent as null is as good as not sent. */
    *found_out = json && !(field->column->auto_increment && json_is_null(json));
    return *found_out ? read_cell(tx, field, json, value_out) : 0;
}

static int read_assignments(struct tx *tx, const struct table *table, enum change_kind kind,
                            struct payload *p)
{
    struct assignment *assignments = ARENA_ARRAY(tx->arena, struct assignment, table->shape.count);
    for (size_t i = 0; i < table->shape.count; i++) {
        const struct field *field = &table->fields[i];
        if (field_hidden(field))
            continue;
        bool found;
        struct value value = value_null();
        const json_t *json = value_of(field, p->merged);
        int rc = find_value(tx, field, kind, json, &found, &value);
        if (rc)
            return rc;
        if (json)
            column_set_add(&p->submitted, field->column->index);
        if (found)
            assignments[p->count++] = (struct assignment){field->column, value};
    }
    p->assignments = assignments;
    return 0;
}

int payload_read(struct tx *tx, const struct table *table, const struct grant *grant,
                 enum change_kind kind, const json_t *json, struct payload *payload_out)
{
    struct payload p = {0};
    if (!json_is_object(json))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "An item has to be an object");
    int rc = check_submitted(tx, table, grant, json, &p.permitted_check);
    if (rc)
        return rc;
    p.merged = merge(tx, grant, json);
    rc = check_rules(tx, table, grant, kind, p.merged);
    if (rc == 0)
        rc = read_assignments(tx, table, kind, &p);
    if (rc == 0)
        *payload_out = p;
    return rc;
}

/* ---- before the write ---- */

/* Many slow hashes in one request are an attack or a mistake. */
enum { PREPARED_MAX = 100 };

typedef int secret_fn(struct tx *tx, const json_t *value);

static int each_secret_of(struct tx *tx, const struct table *table, const json_t *object,
                          secret_fn *fn)
{
    for (size_t i = 0; i < table->shape.count; i++) {
        const struct field *field = &table->fields[i];
        if (!(field->special & SPECIAL_HASH))
            continue;
        const json_t *value = value_of(field, object);
        bool set = json_is_number(value) || json_string_length(value) > 0;
        int rc = set ? fn(tx, value) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

/* Not 0 ends the walk. */
static int each_secret(struct tx *tx, const struct table *table, const json_t *json, secret_fn *fn)
{
    size_t index;
    json_t *item;
    int rc = each_secret_of(tx, table, json, fn);
    json_array_foreach(json, index, item)
    {
        if (rc == 0)
            rc = each_secret_of(tx, table, item, fn);
    }
    return rc;
}

static int found_one(struct tx *tx, const json_t *value)
{
    (void)tx;
    (void)value;
    return 1;
}

bool payload_needs_preparing(const struct table *table, const json_t *json)
{
    return each_secret(NULL, table, json, found_one) != 0;
}

static int prepare_one(struct tx *tx, const json_t *value)
{
    size_t count = 0;
    for (const struct prepared *p = tx->prepared; p; p = p->next)
        count++;
    if (count >= PREPARED_MAX)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "At most %d passwords fit into one request",
                      PREPARED_MAX);
    struct prepared *made = ARENA_NEW(tx->arena, struct prepared);
    made->plain = value;
    int rc = password_hash(tx->settings, tx->arena, plain_text(tx->arena, value), &made->hash);
    if (rc)
        return rc;
    made->next = tx->prepared;
    tx->prepared = made;
    return 0;
}

int payload_prepare(struct tx *tx, const struct table *table, const json_t *json)
{
    /* Who may not write here at all is refused later and costs no hash. */
    if (!principal_grant(tx->principal, table, ACTION_CREATE) &&
        !principal_grant(tx->principal, table, ACTION_UPDATE))
        return 0;
    return each_secret(tx, table, json, prepare_one);
}
