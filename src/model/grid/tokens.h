#ifndef MODEL_GRID_TOKENS_H
#define MODEL_GRID_TOKENS_H

/*
 * Database tokens (baserow.md 9.14): keys with which programs read and write rows of a workspace,
 * on behalf of the member who made them.
 */

#include "model/access/access.h"
#include "model/grid/grid.h"

struct database_token {
    int64_t id, workspace, account;
    struct str user; /* UUID of its owner */
    struct str name, key;
    const json_t
        *permissions; /* {"create":true,"read":[["database",9]],"update":false,"delete":[]} */
};
int token_list(struct tx *tx, struct database_token **list_out, size_t *count_out); /* own ones */
int token_create(struct tx *tx, int64_t workspace, struct str name,
                 struct database_token *token_out);
int token_find(struct tx *tx, int64_t id, struct database_token *token_out);
/* Absent name, NULL permissions: unchanged. DATABASE_TOKEN_FOREIGN_DATABASE,
 * DATABASE_TOKEN_FOREIGN_TABLE. */
int token_change(struct tx *tx, int64_t id, struct str name, const json_t *permissions, bool rotate,
                 struct database_token *token_out);
int token_delete(struct tx *tx, int64_t id);

/* By its key: 0, REFUSED DATABASE_TOKEN_NONE, DATABASE_TOKEN_INACTIVE (its owner),
 * DATABASE_TOKEN_NOT_MEMBER (owner left). */
int token_by_key(struct tx *tx, struct str key, struct database_token *token_out);
bool token_allows(const struct database_token *token, enum action action,
                  const struct grid_table *t);
bool token_allows_any(const struct database_token *token, const struct grid_table *t);

#define DATABASE_TOKEN_NONE "no token"
#define DATABASE_TOKEN_INACTIVE "token of an inactive user"
#define DATABASE_TOKEN_NOT_MEMBER "token of one who is no member"
#define DATABASE_TOKEN_FOREIGN_DATABASE "database of another workspace"
#define DATABASE_TOKEN_FOREIGN_TABLE "table of another workspace"

#endif
