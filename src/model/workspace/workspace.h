#ifndef MODEL_WORKSPACE_WORKSPACE_H
#define MODEL_WORKSPACE_WORKSPACE_H

/*
 * Workspaces: who works together on what (baserow.md 1, 9.1 to 9.4; decision 12).
 *
 * Accounts are what Baserow's dialect knows of a user; workspaces have members and invitations and
 * hold applications. All of it is in rows of internal system tables, changed here with journal
 * entries, and (but for accounts and invitations) in the catalogue. Functions that act for somebody
 * (tx->principal's user) check what this person may do and refuse with a word of their own: each
 * dialect has a table from them to its codes. What is found lives in tx->arena, or in the
 * catalogue. After a change tx->catalogue has it.
 */

#include "model/model.h"

/* ---- accounts ---- */

struct account {
    int64_t id;      /* the user's integer */
    struct str user; /* UUID */
    struct str email, name /* to show: first and last name with a blank between */, language;
    struct str notification_frequency; /* "instant", "daily", "weekly", "never" */
    const json_t *tours;               /* array of strings */
    bool active, staff, verified, onboarded;
    int64_t password_changed_ms; /* 0: never since the account was made */
    int64_t deletion_ms;         /* when its deletion was scheduled; 0: it was not */
};
/* REFUSED WORKSPACE_NO_USER: there is none, or it is a user without an account (account_ensure()).
 * By the user's UUID, by e-mail (any case, normalised). */
int account_by_id(struct tx *tx, int64_t id, struct account *account_out);
int account_by_user(struct tx *tx, struct str user, struct account *account_out);
int account_by_email(struct tx *tx, struct str email, struct account *account_out);
/* Makes the account of a user that has none yet (an admin's is staff's). In a write. */
int account_ensure(struct tx *tx, struct str user, struct account *account_out);
/* NFKC is approximated: trimmed, folded to lower case (base/text.h). */
struct str account_normal_email(struct arena *a, struct str email);

/* A user, whether or not it has an account. REFUSED WORKSPACE_NO_USER. By e-mail in any case. */
struct person {
    struct str user, email, name;
    struct str hash; /* of the password; absent: none. A secret */
    bool active;
};
int person_by_email(struct tx *tx, struct str email, struct person *person_out);
int person_by_user(struct tx *tx, struct str user, struct person *person_out);

struct registration {
    struct str name, email, hash /* of the password, made by the preparer */;
    struct str language; /* absent: "en" */
};
/* The first user of an instance becomes staff. REFUSED WORKSPACE_EMAIL_TAKEN. */
int account_register(struct tx *tx, const struct registration *r, struct account *account_out);
/* Absent texts, NULL and -1: unchanged. A new name goes to the first name, the last is cleared. */
struct account_change {
    struct str name, language, notification_frequency;
    int onboarded;
    const json_t *tours;
};
int account_change(struct tx *tx, const struct account *a, const struct account_change *change,
                   struct account *after_out);
int account_verify_email(struct tx *tx, const struct account *a);
/* What password_verify() takes; absent: the user has none. A secret. */
int account_password_hash(struct tx *tx, const struct account *a, struct str *hash_out);
/* Sets the hash and (as every change of a password does, by whatever dialect) the moment from which
 * earlier tokens are worth nothing. */
int account_set_password(struct tx *tx, const struct account *a, struct str hash);
/* Its last log-in is now; a deletion that was scheduled is off (*restored_out). */
int account_note_login(struct tx *tx, const struct account *a, bool *restored_out);
/* REFUSED WORKSPACE_LAST_STAFF. */
int account_schedule_deletion(struct tx *tx, const struct account *a);
/* Nobody would be left who manages the instance: WORKSPACE_LAST_STAFF, or UNPROCESSABLE for the
 * last active admin of all dialects. For who deletes as the system, of which the rules do not ask
 * it. */
int account_check_last(struct tx *tx, const struct account *a);
/* Refresh tokens that were given back: kept, as their SHA-256, until the token expires. */
int account_blacklist(struct tx *tx, struct str token, int64_t expires_ms, bool *already_out);
int account_is_blacklisted(struct tx *tx, struct str token, bool *is_out);

/* ---- workspaces ---- */

enum member_role { MEMBER_MEMBER, MEMBER_ADMIN };
const char *member_role_name(enum member_role role); /* "ADMIN" */
bool member_role_find(struct str name, enum member_role *role_out);

/* In the catalogue. A member's name, e-mail and leaving are those of its user and account. */
struct member {
    int64_t id, account; /* of the membership; of the user */
    struct str user;     /* UUID */
    struct str name, email;
    enum member_role role;
    int64_t order; /* of the workspace, to this member */
    struct str created_on;
    bool leaving; /* the account's deletion is scheduled ("to_be_deleted") */
    bool active;
    const struct workspace *workspace;
};
struct application {
    int64_t id, order;
    struct str name, type, created_on;
    const struct workspace *workspace;
};
struct workspace {
    int64_t id;
    struct str name;
    const struct member *const *members; /* by id */
    size_t member_count;
    const struct application *const *applications; /* by order, id */
    size_t application_count;
};
const struct workspace *catalogue_workspace(const struct catalogue *c, int64_t id); /* NULL: none */
const struct application *catalogue_application(const struct catalogue *c, int64_t id);
const struct member *catalogue_member(const struct catalogue *c, int64_t id);
/* The memberships of a user, by its order of workspaces. */
const struct member *const *catalogue_memberships(const struct catalogue *c, struct str user,
                                                  size_t *count_out);
const struct member *workspace_member(const struct workspace *w, struct str user); /* NULL: none */

/* Of the instance: where collections are that no dialect placed. */
enum { DEFAULT_WORKSPACE = 1, DEFAULT_APPLICATION = 1 };
#define APPLICATION_DATABASE STR("database")

/* Why a wish was refused, in tx->problem->reason as one of these words (problem kind
 * UNPROCESSABLE): a dialect has its own code and status for each. */
#define WORKSPACE_NO_USER "no user"
#define WORKSPACE_EMAIL_TAKEN "e-mail taken"
#define WORKSPACE_LAST_STAFF "last staff"
#define WORKSPACE_NONE "no workspace"
#define WORKSPACE_NOT_MEMBER "not a member"
#define WORKSPACE_NOT_ADMIN "not an admin"
#define WORKSPACE_LAST_ADMIN "last admin"
#define WORKSPACE_NO_MEMBER "no membership"
#define WORKSPACE_YOURSELF "yourself"
#define WORKSPACE_ALREADY_MEMBER "already a member"
#define WORKSPACE_NO_INVITATION "no invitation"
#define WORKSPACE_OTHER_EMAIL "other e-mail"
#define WORKSPACE_NO_APPLICATION "no application"
#define WORKSPACE_FOREIGN_APPLICATION "application of another workspace"

/* Those of tx->principal's user, by its order. */
int workspace_list(struct tx *tx, const struct member *const **members_out, size_t *count_out);
/* The workspace, if the principal's user is a member (an admin of it). */
int workspace_find(struct tx *tx, int64_t id, enum member_role least,
                   const struct workspace **workspace_out);
int workspace_create(struct tx *tx, struct str name, int64_t *id_out);
int workspace_rename(struct tx *tx, int64_t id, struct str name);
/* Those listed take the places they had as a group; the others stay; then all are numbered from 1.
 * Workspaces that are none of the user's are passed over. */
int workspace_reorder(struct tx *tx, const int64_t *ids, size_t count);
/* LAST_ADMIN here and below: nobody is left who is active, stays, and may manage it. */
int workspace_leave(struct tx *tx, int64_t id);
int member_set_role(struct tx *tx, int64_t member, enum member_role role);
int member_remove(struct tx *tx, int64_t member);

struct invitation {
    int64_t id, workspace;
    struct str workspace_name, email, message, invited_by /* display name */, created_on;
    struct str user; /* UUID of whom it was sent to, if this e-mail was a user's; else absent */
    enum member_role role;
};
/* The same e-mail again changes the invitation that is there. */
int invitation_make(struct tx *tx, int64_t workspace, struct str email, enum member_role role,
                    struct str message, struct invitation *invitation_out);
int invitation_find(struct tx *tx, int64_t id, struct invitation *invitation_out); /* anybody's */
int invitation_list(struct tx *tx, int64_t workspace, struct invitation **list_out,
                    size_t *count_out); /* for its admins */
int invitation_list_mine(struct tx *tx, struct invitation **list_out, size_t *count_out);
int invitation_set_role(struct tx *tx, int64_t id, enum member_role role);
int invitation_delete(struct tx *tx, int64_t id);
/* By the person of that e-mail. Who is a member already stays what it is. */
int invitation_accept(struct tx *tx, int64_t id, int64_t *member_out);
/* The same on behalf of somebody who was just registered. */
int invitation_accept_for(struct tx *tx, int64_t id, const struct account *who,
                          int64_t *member_out);
int invitation_reject(struct tx *tx, int64_t id);

/* By members of the workspace. */
int application_create(struct tx *tx, int64_t workspace, struct str name, struct str type,
                       int64_t *id_out);
int application_find(struct tx *tx, int64_t id, const struct application **application_out);
int application_rename(struct tx *tx, int64_t id, struct str name);
/* REFUSED WORKSPACE_FOREIGN_APPLICATION: one is not in this workspace. */
int application_reorder(struct tx *tx, int64_t workspace, const int64_t *ids, size_t count);

/* ---- the instance's first start ---- */

/* Makes the default workspace and application, unless there is such a workspace. In a write. */
int workspace_bootstrap(struct tx *tx);
/* A default workspace without members gets the instance's active admins as its ADMIN members; their
 * accounts are staff's. Nothing, if there is no such workspace, or somebody is in it. In a write.
 */
int workspace_admit_admins(struct tx *tx);

#endif
