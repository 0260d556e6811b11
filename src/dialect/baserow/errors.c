/* What clients are told when a wish is refused (8.3, 8.5): one table of codes. */
#include "dialect/baserow/rest.h"

#include <inttypes.h>

#include "base/json.h"
#include "base/mem.h"
#include "model/grid/tokens.h"
#include "model/grid/trash.h"

static const struct {
    const char *name;
    enum error_form form;
    int status;
    const char *text;
} errors[ERROR_CODE_COUNT] = {
#define X(name, form, status, text) [name] = {#name, ERROR_##form, status, text},
    BASEROW_ERRORS(X)
#undef X
};

/* The model's words (workspace.h). */
static const struct {
    const char *word;
    enum error_code code;
} words[] = {
    {WORKSPACE_NO_USER, ERROR_USER_NOT_FOUND},
    {WORKSPACE_EMAIL_TAKEN, ERROR_EMAIL_ALREADY_EXISTS},
    {WORKSPACE_LAST_STAFF, ERROR_USER_IS_LAST_ADMIN},
    {WORKSPACE_NONE, ERROR_GROUP_DOES_NOT_EXIST},
    {WORKSPACE_NOT_MEMBER, ERROR_USER_NOT_IN_GROUP},
    {WORKSPACE_NOT_ADMIN, ERROR_USER_INVALID_GROUP_PERMISSIONS},
    {WORKSPACE_LAST_ADMIN, ERROR_GROUP_USER_IS_LAST_ADMIN},
    {WORKSPACE_NO_MEMBER, ERROR_GROUP_USER_DOES_NOT_EXIST},
    {WORKSPACE_YOURSELF, ERROR_CANNOT_DELETE_YOURSELF_FROM_GROUP},
    {WORKSPACE_ALREADY_MEMBER, ERROR_GROUP_USER_ALREADY_EXISTS},
    {WORKSPACE_NO_INVITATION, ERROR_GROUP_INVITATION_DOES_NOT_EXIST},
    {WORKSPACE_OTHER_EMAIL, ERROR_GROUP_INVITATION_EMAIL_MISMATCH},
    {WORKSPACE_NO_APPLICATION, ERROR_APPLICATION_DOES_NOT_EXIST},
    {WORKSPACE_FOREIGN_APPLICATION, ERROR_APPLICATION_NOT_IN_GROUP},
    {GRID_NO_TABLE, ERROR_TABLE_DOES_NOT_EXIST},
    {GRID_NO_ROW, ERROR_ROW_DOES_NOT_EXIST},
    {GRID_ROWS_TWICE, ERROR_ROW_IDS_NOT_UNIQUE},
    {GRID_NO_FIELD, ERROR_FIELD_DOES_NOT_EXIST},
    {GRID_FOREIGN_TABLE, ERROR_TABLE_NOT_IN_DATABASE},
    {GRID_FOREIGN_FIELD, ERROR_FIELD_NOT_IN_TABLE},
    {GRID_NAME_TAKEN, ERROR_FIELD_WITH_SAME_NAME_ALREADY_EXISTS},
    {GRID_NAME_RESERVED, ERROR_RESERVED_BASEROW_FIELD_NAME},
    {GRID_NAME_BLANK, ERROR_INVALID_BASEROW_FIELD_NAME},
    {GRID_NAME_LONG, ERROR_MAX_FIELD_NAME_LENGTH_EXCEEDED},
    {GRID_TOO_MANY_FIELDS, ERROR_MAX_FIELD_COUNT_EXCEEDED},
    {GRID_PRIMARY_STAYS, ERROR_CANNOT_DELETE_PRIMARY_FIELD},
    {GRID_PRIMARY_ALREADY, ERROR_FIELD_IS_ALREADY_PRIMARY},
    {GRID_NOT_PRIMARY, ERROR_INCOMPATIBLE_PRIMARY_FIELD_TYPE},
    {GRID_KIND_UNKNOWN, ERROR_CANNOT_CREATE_FIELD_TYPE},
    {GRID_KIND_FIXED, ERROR_CANNOT_CHANGE_FIELD_TYPE},
    {GRID_LINK_NO_TABLE, ERROR_LINK_ROW_TABLE_NOT_PROVIDED},
    {GRID_LINK_FOREIGN, ERROR_LINK_ROW_TABLE_NOT_IN_SAME_DATABASE},
    {GRID_LINK_SELF_RELATED, ERROR_SELF_REFERENCING_LINK_ROW_CANNOT_HAVE_RELATED_FIELD},
    {GRID_CONSTRAINT_HELD, ERROR_FIELD_CONSTRAINT},
    {GRID_CONSTRAINT_BROKEN, ERROR_FIELD_DATA_CONSTRAINT},
    {GRID_CONSTRAINT_UNKNOWN, ERROR_INVALID_FIELD_CONSTRAINT},
    {GRID_CONSTRAINT_DEFAULT, ERROR_FIELD_CONSTRAINT_DOES_NOT_SUPPORT_DEFAULT_VALUE},
    {GRID_INDEX_UNSUPPORTED, ERROR_DB_INDEX_NOT_SUPPORTED},
    {GRID_CHOICE_UNKNOWN, UNKNOWN_SELECT_OPTION},
    {GRID_ZONE_SHIFT, ERROR_DATE_FORCE_TIMEZONE_OFFSET_ERROR},
    {GRID_VALUES_UNSUPPORTED, ERROR_INCOMPATIBLE_FIELD_TYPE_FOR_UNIQUE_VALUES},
    {GRID_CHOICE_FOREIGN, ERROR_SELECT_OPTION_DOES_NOT_BELONG_TO_FIELD},
    {TRASH_NO_ITEM, ERROR_TRASH_ITEM_DOES_NOT_EXIST},
    {TRASH_PARENT_FIRST, ERROR_CANNOT_RESTORE_PARENT_BEFORE_CHILD},
    {TRASH_PARENT_NEEDED, ERROR_PARENT_ID_MUST_BE_PROVIDED},
    {TRASH_PARENT_UNWANTED, ERROR_PARENT_ID_MUST_NOT_BE_PROVIDED},
    {TRASH_RELATED_TRASHED, ERROR_CANT_RESTORE_AS_RELATED_TABLE_TRASHED},
    {DATABASE_TOKEN_NONE, ERROR_TOKEN_DOES_NOT_EXIST},
    {DATABASE_TOKEN_FOREIGN_DATABASE, ERROR_DATABASE_DOES_NOT_BELONG_TO_GROUP},
    {DATABASE_TOKEN_FOREIGN_TABLE, ERROR_TABLE_DOES_NOT_BELONG_TO_GROUP},
};

/* The model's kinds, where no word says more. */
static const enum error_code codes[PROBLEM_KIND_COUNT] = {
    [PROBLEM_NONE] = INTERNAL,
    [PROBLEM_FORBIDDEN] = PERMISSION_DENIED,
    [PROBLEM_INVALID_CREDENTIALS] = ERROR_INVALID_CREDENTIALS,
    [PROBLEM_INVALID_OTP] = ERROR_INVALID_CREDENTIALS,
    [PROBLEM_INVALID_TOKEN] = ERROR_INVALID_ACCESS_TOKEN,
    [PROBLEM_TOKEN_EXPIRED] = ERROR_INVALID_ACCESS_TOKEN,
    [PROBLEM_USER_SUSPENDED] = ERROR_DEACTIVATED_USER,
    [PROBLEM_INVALID_PAYLOAD] = ERROR_REQUEST_BODY_VALIDATION,
    [PROBLEM_INVALID_QUERY] = ERROR_QUERY_PARAMETER_VALIDATION,
    [PROBLEM_FAILED_VALIDATION] = ERROR_REQUEST_BODY_VALIDATION,
    [PROBLEM_NOT_UNIQUE] = ERROR_REQUEST_BODY_VALIDATION,
    [PROBLEM_INVALID_FOREIGN_KEY] = ERROR_REQUEST_BODY_VALIDATION,
    [PROBLEM_NOT_NULL] = ERROR_REQUEST_BODY_VALIDATION,
    [PROBLEM_CONTAINS_NULL] = ERROR_REQUEST_BODY_VALIDATION,
    [PROBLEM_VALUE_TOO_LONG] = ERROR_REQUEST_BODY_VALIDATION,
    [PROBLEM_VALUE_OUT_OF_RANGE] = ERROR_REQUEST_BODY_VALIDATION,
    [PROBLEM_ROUTE_NOT_FOUND] = URL_NOT_FOUND,
    [PROBLEM_UNPROCESSABLE] = ERROR_REQUEST_BODY_VALIDATION,
    [PROBLEM_REQUESTS_EXCEEDED] = THROTTLED,
    [PROBLEM_LIMIT_EXCEEDED] = THROTTLED,
    [PROBLEM_UNAVAILABLE] = UNAVAILABLE,
    [PROBLEM_INTERNAL] = INTERNAL,
};

int refuse_code(struct tx *tx, enum error_code code, const char *value)
{
    refuse(tx, PROBLEM_UNPROCESSABLE, NULL);
    tx->problem->reason = str_of(errors[code].name);
    tx->problem->value = value ? arena_str(tx->arena, str_of(value)) : STR_NULL;
    return REFUSED;
}

/* Is it by refuse_code, whose problems are told by the very text of the code's name? */
static bool is_ours(const struct problem *p, enum error_code *code_out)
{
    if (p->kind != PROBLEM_UNPROCESSABLE)
        return false;
    for (int i = 0; i < ERROR_CODE_COUNT; i++)
        if (str_equal(p->reason, str_of(errors[i].name))) {
            *code_out = (enum error_code)i;
            return true;
        }
    return false;
}

static enum error_code code_of(const struct problem *p)
{
    enum error_code code = codes[p->kind];
    if (is_ours(p, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (p->kind == PROBLEM_UNPROCESSABLE && str_equal(p->reason, str_of(words[i].word)))
            return words[i].code;
    return code;
}

int error_status(const struct problem *p)
{
    return errors[code_of(p)].status;
}

static struct str value_of(const struct problem *p)
{
    return p->value.at || p->kind != PROBLEM_UNAVAILABLE ? p->value
           : p->reason.at                                ? p->reason
                                                         : STR("under pressure");
}

static void put_filled(struct buf *b, const char *text, struct str value)
{
    for (const char *at = text; *at; at++) {
        if (at[0] == '%' && at[1] == 'v') {
            buf_put_str(b, value);
            at++;
        } else
            buf_put_char(b, *at);
    }
}

static void put_text(struct buf *b, const char *text, struct str value)
{
    struct buf filled;
    buf_init(&filled, SIZE_MAX);
    put_filled(&filled, text, value);
    json_put_str(b, buf_str(&filled));
    buf_deinit(&filled);
}

/* ---- values that do not fit (8.4) ---- */

/* Takes the reference over. */
static json_t *member(json_t *object, struct str name, json_t *fresh)
{
    json_t *found = json_object_getn(object, name.at, name.len);
    if (found)
        json_decref(fresh);
    else if (!fresh || json_object_setn_new(object, name.at, name.len, found = fresh) != 0)
        mem_exhausted();
    return found;
}

static void put_violation(json_t *detail, const struct violation *v)
{
    char index[24];
    json_t *fields = detail, *one;
    if (v->item >= 0) {
        snprintf(index, sizeof(index), "%" PRId64, v->item);
        fields = member(member(detail, STR("items"), json_object()), str_of(index), json_object());
    }
    one = json_pack("{s:s%, s:s%}", "error", v->substring.at ? v->substring.at : "",
                    v->substring.len, "code", v->type.at, v->type.len);
    if (!one || json_array_append_new(member(fields, v->field, json_array()), one) != 0)
        mem_exhausted();
}

/* {"items":{"0":{"field_31":[{"error":…,"code":…}]}}}; without a batch the fields alone. */
static void put_violations(struct buf *b, const struct violation *violations)
{
    AUTO(json_unref) json_t *detail = json_object();
    for (const struct violation *v = violations; v; v = v->next)
        put_violation(detail, v);
    json_put_value(b, detail);
}

/* JSON of validate.c, or the model's own words as one text. */
static void put_detail(struct buf *b, const struct problem *p)
{
    enum error_code code;
    if (is_ours(p, &code))
        buf_put_str(b, p->value);
    else if (p->kind == PROBLEM_FAILED_VALIDATION && p->violations)
        put_violations(b, p->violations);
    else
        json_put_str(b, p->reason);
}

struct str error_text(struct arena *a, const struct problem *p, const char **code_out)
{
    enum error_code code = code_of(p);
    struct buf b;
    buf_init(&b, SIZE_MAX);
    put_filled(&b, errors[code].text, value_of(p));
    if (b.len == 0) /* of those whose detail is JSON, or that say nothing */
        buf_put_str(&b, is_ours(p, &code) || !p->reason.at ? str_of(errors[code].name) : p->reason);
    struct str text = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    *code_out = errors[code].name;
    return text;
}

void error_write(struct buf *b, const struct problem *p)
{
    enum error_code code = code_of(p);
    /* One code has two statuses: of a key that came along, and of a token asked for. */
    const char *name = errors[code == UNKNOWN_TOKEN ? ERROR_TOKEN_DOES_NOT_EXIST : code].name;
    switch (errors[code].form) {
    case ERROR_BARE:
        put_detail(b, p);
        return;
    case ERROR_PLAIN:
        buf_put_lit(b, "{\"detail\":");
        put_text(b, errors[code].text, value_of(p));
        if (code == USER_NOT_FOUND)
            buf_put_lit(b, ",\"code\":\"user_not_found\"");
        break;
    case ERROR_CODED:
        buf_printf(b, "{\"error\":\"%s\",\"detail\":", name);
        put_text(b, errors[code].text, value_of(p));
        break;
    case ERROR_JSON_TEXT:
        buf_printf(b, "{\"error\":\"%s\",\"detail\":", errors[ERROR_REQUEST_BODY_VALIDATION].name);
        put_text(b, errors[code].text, value_of(p));
        break;
    case ERROR_JSON:
        buf_printf(b, "{\"error\":\"%s\",\"detail\":", name);
        put_detail(b, p);
        break;
    }
    buf_put_char(b, '}');
}
