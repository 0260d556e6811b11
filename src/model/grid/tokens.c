#include "model/grid/tokens.h"

#include "base/random.h"
#include "model/items/records.h"

/*
 * A token is a row of rowcast_tokens. Its key is a secret: no image holds it, only its owner is
 * told. The lists of a permission name databases and tables; what is gone meanwhile allows nothing.
 */

#define SET(column, value) record_set(SYSTEM_TOKENS, (column), (value))
#define refuse_wish(tx, word) refuse((tx), PROBLEM_UNPROCESSABLE, "%s", (word))

enum { KEY_LENGTH = 32 };

/* Letters and digits, each as likely as the others. */
static struct str new_key(struct arena *a)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const unsigned letters = sizeof(alphabet) - 1, fair = 256 - 256 % letters;
    char key[KEY_LENGTH];

    for (size_t i = 0; i < KEY_LENGTH;) {
        unsigned char byte;
        random_bytes(&byte, 1);
        if (byte < fair)
            key[i++] = alphabet[byte % letters];
    }
    return arena_str(a, (struct str){key, KEY_LENGTH});
}

/* ---- reading ---- */

static int read_with_owner(struct tx *tx, const struct value *row, struct database_token *token_out,
                           struct account *owner_out)
{
    json_t *permissions = NULL;
    int64_t account = system_integer(SYSTEM_TOKENS, row, "account");

    json_read_in(tx->arena, system_text(SYSTEM_TOKENS, row, "permissions"), &permissions, NULL);
    int rc = account_by_id(tx, account, owner_out);
    if (rc != 0)
        return rc;
    *token_out = (struct database_token){
        .id = system_integer(SYSTEM_TOKENS, row, "id"),
        .workspace = system_integer(SYSTEM_TOKENS, row, "workspace"),
        .account = account,
        .user = owner_out->user,
        .name = system_text(SYSTEM_TOKENS, row, "name"),
        .key = system_text(SYSTEM_TOKENS, row, "key"),
        .permissions = permissions,
    };
    return 0;
}

static int read_token(struct tx *tx, const struct value *row, struct database_token *token_out)
{
    struct account owner;

    return read_with_owner(tx, row, token_out, &owner);
}

static int own_account(struct tx *tx, struct account *me_out)
{
    return account_by_user(tx, tx->principal->user, me_out);
}

/* One of the principal's own, in a workspace whose member it still is. */
static int find_row(struct tx *tx, int64_t id, const struct value **row_out)
{
    struct account me;
    const struct workspace *w;

    int rc = own_account(tx, &me);
    if (rc == 0)
        rc = record_by_id(tx, SYSTEM_TOKENS, id, row_out);
    if (rc != 0)
        return rc;
    if (!*row_out || system_integer(SYSTEM_TOKENS, *row_out, "account") != me.id)
        return refuse_wish(tx, DATABASE_TOKEN_NONE);
    return workspace_find(tx, system_integer(SYSTEM_TOKENS, *row_out, "workspace"), MEMBER_MEMBER,
                          &w);
}

int token_find(struct tx *tx, int64_t id, struct database_token *token_out)
{
    const struct value *row;

    int rc = find_row(tx, id, &row);
    return rc == 0 ? read_token(tx, row, token_out) : rc;
}

int token_list(struct tx *tx, struct database_token **list_out, size_t *count_out)
{
    struct system_rows rows;
    struct account me;
    size_t count = 0;

    int rc = own_account(tx, &me);
    if (rc == 0)
        rc = system_rows(
            tx->store, tx->arena, SYSTEM_TOKENS,
            system_test(tx->arena, SYSTEM_TOKENS, "account", OP_EQ, value_integer(me.id)), NULL,
            &rows);
    if (rc != 0)
        return rc;
    struct database_token *list = ARENA_ARRAY(tx->arena, struct database_token, rows.count);
    for (size_t i = 0; i < rows.count && rc == 0; i++) {
        const struct workspace *w = catalogue_workspace(
            tx->catalogue, system_integer(SYSTEM_TOKENS, rows.at[i], "workspace"));
        if (w && workspace_member(w, tx->principal->user))
            rc = read_token(tx, rows.at[i], &list[count++]);
    }
    if (rc == 0) {
        *list_out = list;
        *count_out = count;
    }
    return rc;
}

/* ---- changing ---- */

int token_create(struct tx *tx, int64_t workspace, struct str name,
                 struct database_token *token_out)
{
    const struct workspace *w;
    const struct value *row;
    struct account me;

    int rc = workspace_find(tx, workspace, MEMBER_MEMBER, &w);
    if (rc == 0)
        rc = own_account(tx, &me);
    if (rc != 0)
        return rc;
    const struct assignment token[] = {
        SET("name", value_text(name)),
        SET("workspace", value_integer(workspace)),
        SET("account", value_integer(me.id)),
        SET("key", value_text(new_key(tx->arena))),
        SET("permissions",
            value_text(STR("{\"create\":true,\"read\":true,\"update\":true,\"delete\":true}"))),
    };
    rc = record_create(tx, SYSTEM_TOKENS, token, COUNT_OF(token), &row);
    return rc == 0 ? read_token(tx, row, token_out) : rc;
}

/* `["database", 9]` or `["table", 7]`: of this workspace. */
static int check_place(struct tx *tx, int64_t workspace, const json_t *place)
{
    struct str type = json_str(json_array_get(place, 0));
    int64_t id = json_integer_value(json_array_get(place, 1));
    bool table = str_equal(type, STR("table"));
    const struct grid_table *t = table ? grid_table(tx->catalogue, id) : NULL;
    const struct application *application =
        table ? (t ? t->application : NULL) : catalogue_application(tx->catalogue, id);

    if (application && application->workspace->id == workspace)
        return 0;
    refuse_wish(tx, table ? DATABASE_TOKEN_FOREIGN_TABLE : DATABASE_TOKEN_FOREIGN_DATABASE);
    tx->problem->value = arena_printf(tx->arena, "%lld", (long long)id);
    return REFUSED;
}

static int check_permissions(struct tx *tx, int64_t workspace, const json_t *permissions)
{
    int rc = 0;

    for (unsigned action = ACTION_CREATE; action <= ACTION_DELETE && rc == 0; action++) {
        const json_t *places = json_get(permissions, action_name(action));
        for (size_t i = 0; i < json_array_size(places) && rc == 0; i++)
            rc = check_place(tx, workspace, json_array_get(places, i));
    }
    return rc;
}

int token_change(struct tx *tx, int64_t id, struct str name, const json_t *permissions, bool rotate,
                 struct database_token *token_out)
{
    struct assignment set[3];
    const struct value *row;
    size_t count = 0;

    int rc = find_row(tx, id, &row);
    if (rc == 0 && permissions)
        rc = check_permissions(tx, system_integer(SYSTEM_TOKENS, row, "workspace"), permissions);
    if (rc != 0)
        return rc;
    if (name.at)
        set[count++] = SET("name", value_text(name));
    if (permissions)
        set[count++] = SET("permissions", value_text(json_text(tx->arena, permissions)));
    if (rotate)
        set[count++] = SET("key", value_text(new_key(tx->arena)));
    if (count > 0)
        rc = record_update(tx, SYSTEM_TOKENS, row, set, count);
    return rc == 0 ? token_find(tx, id, token_out) : rc;
}

int token_delete(struct tx *tx, int64_t id)
{
    const struct value *row;

    int rc = find_row(tx, id, &row);
    if (rc != 0)
        return rc;
    const struct system_rows gone = {&row, 1};
    return record_delete(tx, SYSTEM_TOKENS, &gone);
}

/* ---- who comes with a key ---- */

int token_by_key(struct tx *tx, struct str key, struct database_token *token_out)
{
    const struct value *row = NULL;
    struct account owner;

    int rc = key.len == KEY_LENGTH ? record_find(tx, SYSTEM_TOKENS, "key", key, &row) : 0;
    if (rc != 0)
        return rc;
    if (!row)
        return refuse_wish(tx, DATABASE_TOKEN_NONE);
    rc = read_with_owner(tx, row, token_out, &owner);
    if (rc != 0)
        return rc;
    const struct workspace *w = catalogue_workspace(tx->catalogue, token_out->workspace);
    if (!owner.active)
        return refuse_wish(tx, DATABASE_TOKEN_INACTIVE);
    if (!w || !workspace_member(w, owner.user))
        return refuse_wish(tx, DATABASE_TOKEN_NOT_MEMBER);
    return 0;
}

static bool names(const json_t *places, const char *type, int64_t id)
{
    for (size_t i = 0; i < json_array_size(places); i++) {
        const json_t *place = json_array_get(places, i);
        if (str_equal(json_str(json_array_get(place, 0)), str_of(type)) &&
            json_integer_value(json_array_get(place, 1)) == id)
            return true;
    }
    return false;
}

bool token_allows(const struct database_token *token, enum action action,
                  const struct grid_table *t)
{
    const json_t *places = json_get(token->permissions, action_name(action));

    if (t->application->workspace->id != token->workspace)
        return false;
    return json_is_true(places) || names(places, "table", t->id) ||
           names(places, "database", t->application->id);
}

bool token_allows_any(const struct database_token *token, const struct grid_table *t)
{
    for (unsigned action = ACTION_CREATE; action <= ACTION_DELETE; action++)
        if (token_allows(token, action, t))
            return true;
    return false;
}
