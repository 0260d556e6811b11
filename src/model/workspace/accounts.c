#include "model/workspace/internal.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "model/access/access.h"

/*
 * An account is two rows: the user's, which every dialect knows, and one of our own with what only
 * Baserow's people have. The second is made when it is first asked for.
 */

#define SET(column, value) record_set(SYSTEM_ACCOUNTS, (column), (value))
#define SET_USER(column, value) record_set(SYSTEM_USERS, (column), (value))

/* ---- reading ---- */

struct str person_name(struct arena *a, const struct value *user)
{
    struct str first = str_trim(system_text(SYSTEM_USERS, user, "first_name"));
    struct str last = str_trim(system_text(SYSTEM_USERS, user, "last_name"));

    if (first.len > 0 && last.len > 0)
        return arena_printf(a, "%.*s %.*s", STR_ARG(first), STR_ARG(last));
    if (first.len > 0 || last.len > 0)
        return first.len > 0 ? first : last;
    return system_text(SYSTEM_USERS, user, "email");
}

struct str account_normal_email(struct arena *a, struct str email)
{
    return text_fold(a, str_trim(email));
}

bool account_stays(const struct account *a)
{
    return a->active && a->deletion_ms == 0;
}

static const json_t *read_tours(struct arena *a, struct str text)
{
    json_t *tours = NULL;

    if (text.at && json_read_in(a, text, &tours, NULL) == 0 && json_is_array(tours))
        return tours;
    tours = json_array();
    if (!tours)
        mem_exhausted();
    arena_on_free(a, json_release, tours);
    return tours;
}

static void read_account(struct tx *tx, const struct value *user, const struct value *row,
                         struct account *account_out)
{
    *account_out = (struct account){
        .id = system_integer(SYSTEM_ACCOUNTS, row, "id"),
        .user = system_text(SYSTEM_USERS, user, "id"),
        .email = system_text(SYSTEM_USERS, user, "email"),
        .name = person_name(tx->arena, user),
        .language = system_text(SYSTEM_ACCOUNTS, row, "language"),
        .notification_frequency = system_text(SYSTEM_ACCOUNTS, row, "notification_frequency"),
        .tours = read_tours(tx->arena, system_text(SYSTEM_ACCOUNTS, row, "tours")),
        .active = system_user_is_active(user),
        .staff = system_integer(SYSTEM_ACCOUNTS, row, "staff") != 0,
        .verified = system_integer(SYSTEM_ACCOUNTS, row, "verified") != 0,
        .onboarded = system_integer(SYSTEM_ACCOUNTS, row, "onboarded") != 0,
        .password_changed_ms = system_integer(SYSTEM_ACCOUNTS, row, "password_changed"),
        .deletion_ms = system_integer(SYSTEM_ACCOUNTS, row, "deletion"),
    };
}

/* NULL, unless there is such a user. */
static int find_user(struct tx *tx, struct str id, const struct value **user_out)
{
    *user_out = NULL;
    return text_is_uuid(id) ? record_find(tx, SYSTEM_USERS, "id", id, user_out) : 0;
}

/* The account of a user's row, which may be NULL. */
static int find_account(struct tx *tx, const struct value *user, struct account *account_out)
{
    const struct value *row;

    if (!user)
        return refuse_wish(tx, WORKSPACE_NO_USER);
    int rc = record_find(tx, SYSTEM_ACCOUNTS, "user", system_text(SYSTEM_USERS, user, "id"), &row);
    if (rc == 0 && !row)
        rc = refuse_wish(tx, WORKSPACE_NO_USER);
    if (rc == 0)
        read_account(tx, user, row, account_out);
    return rc;
}

int account_by_id(struct tx *tx, int64_t id, struct account *account_out)
{
    const struct value *row, *user = NULL;

    int rc = record_by_id(tx, SYSTEM_ACCOUNTS, id, &row);
    if (rc == 0 && !row)
        rc = refuse_wish(tx, WORKSPACE_NO_USER);
    if (rc == 0)
        rc = find_user(tx, system_text(SYSTEM_ACCOUNTS, row, "user"), &user);
    if (rc == 0 && !user)
        rc = refuse_wish(tx, WORKSPACE_NO_USER);
    if (rc == 0)
        read_account(tx, user, row, account_out);
    return rc;
}

int account_by_user(struct tx *tx, struct str user, struct account *account_out)
{
    const struct value *row;

    int rc = find_user(tx, user, &row);
    return rc == 0 ? find_account(tx, row, account_out) : rc;
}

int account_by_email(struct tx *tx, struct str email, struct account *account_out)
{
    const struct value *row;

    int rc = record_find_email(tx, account_normal_email(tx->arena, email), STR_NULL, &row);
    return rc == 0 ? find_account(tx, row, account_out) : rc;
}

int account_password_hash(struct tx *tx, const struct account *a, struct str *hash_out)
{
    const struct value *user;

    int rc = find_user(tx, a->user, &user);
    if (rc == 0 && !user)
        rc = refuse_wish(tx, WORKSPACE_NO_USER);
    if (rc == 0)
        *hash_out = system_text(SYSTEM_USERS, user, "password");
    return rc;
}

static int read_person(struct tx *tx, const struct value *user, struct person *person_out)
{
    if (!user)
        return refuse_wish(tx, WORKSPACE_NO_USER);
    *person_out = (struct person){
        .user = system_text(SYSTEM_USERS, user, "id"),
        .email = system_text(SYSTEM_USERS, user, "email"),
        .name = person_name(tx->arena, user),
        .hash = system_text(SYSTEM_USERS, user, "password"),
        .active = system_user_is_active(user),
    };
    return 0;
}

int person_by_email(struct tx *tx, struct str email, struct person *person_out)
{
    const struct value *row;

    int rc = record_find_email(tx, account_normal_email(tx->arena, email), STR_NULL, &row);
    return rc == 0 ? read_person(tx, row, person_out) : rc;
}

int person_by_user(struct tx *tx, struct str user, struct person *person_out)
{
    const struct value *row;

    int rc = find_user(tx, user, &row);
    return rc == 0 ? read_person(tx, row, person_out) : rc;
}

/* ---- coming ---- */

static int create_account(struct tx *tx, const struct value *user, struct str language, bool staff,
                          struct account *account_out)
{
    const struct assignment account[] = {
        SET("user", value_text(system_text(SYSTEM_USERS, user, "id"))),
        SET("staff", value_integer(staff)),
        SET("language", value_text(language.at ? language : STR("en"))),
    };
    const struct value *row;

    int rc = record_create(tx, SYSTEM_ACCOUNTS, account, COUNT_OF(account), &row);
    if (rc == 0)
        read_account(tx, user, row, account_out);
    return rc;
}

static int is_admin(struct tx *tx, struct str user, bool *is_out)
{
    struct system_rows admins;
    int rc = record_admins(tx, &admins);

    if (rc != 0)
        return rc;
    *is_out = false;
    for (size_t i = 0; i < admins.count; i++)
        *is_out |= str_equal(system_text(SYSTEM_USERS, admins.at[i], "id"), user);
    return 0;
}

int account_ensure(struct tx *tx, struct str user, struct account *account_out)
{
    const struct value *user_row, *row;
    bool staff;

    int rc = find_user(tx, user, &user_row);
    if (rc == 0 && !user_row)
        rc = refuse_wish(tx, WORKSPACE_NO_USER);
    if (rc == 0)
        rc = record_find(tx, SYSTEM_ACCOUNTS, "user", user, &row);
    if (rc != 0)
        return rc;
    if (row) {
        read_account(tx, user_row, row, account_out);
        return 0;
    }
    rc = is_admin(tx, user, &staff);
    return rc == 0 ? create_account(tx, user_row, STR_NULL, staff, account_out) : rc;
}

static int nobody_is_there(struct tx *tx, bool *nobody_out)
{
    const struct select all = {.shape = &system_table(SYSTEM_USERS)->shape};
    int64_t count;
    int rc = store_count(tx->store, &all, &count);

    if (rc == 0)
        *nobody_out = count == 0;
    return rc;
}

int account_register(struct tx *tx, const struct registration *r, struct account *account_out)
{
    char id[UUID_TEXT_SIZE];
    struct str email = account_normal_email(tx->arena, r->email);
    const struct value *user;
    bool first;

    int rc = record_find_email(tx, email, STR_NULL, &user);
    if (rc == 0 && user)
        rc = refuse_wish(tx, WORKSPACE_EMAIL_TAKEN);
    if (rc == 0)
        rc = nobody_is_there(tx, &first);
    if (rc != 0)
        return rc;
    random_uuid(id);
    const struct assignment person[] = {
        SET_USER("id", value_text(arena_str(tx->arena, str_of(id)))),
        SET_USER("first_name", value_text(r->name)),
        SET_USER("email", value_text(email)),
        SET_USER("password", value_text(r->hash)),
    };
    rc = record_create(tx, SYSTEM_USERS, person, COUNT_OF(person), &user);
    return rc == 0 ? create_account(tx, user, r->language, first, account_out) : rc;
}

/* ---- changing ---- */

static int update_user(struct tx *tx, const struct account *a, const struct assignment *assignments,
                       size_t count)
{
    const struct value *user;

    int rc = find_user(tx, a->user, &user);
    if (rc == 0 && !user)
        rc = refuse_wish(tx, WORKSPACE_NO_USER);
    return rc == 0 ? record_update(tx, SYSTEM_USERS, user, assignments, count) : rc;
}

static int update_account(struct tx *tx, const struct account *a,
                          const struct assignment *assignments, size_t count)
{
    const struct value *row;

    int rc = record_by_id(tx, SYSTEM_ACCOUNTS, a->id, &row);
    if (rc == 0 && !row)
        rc = refuse_wish(tx, WORKSPACE_NO_USER);
    return rc == 0 ? record_update(tx, SYSTEM_ACCOUNTS, row, assignments, count) : rc;
}

static struct value json_value(struct arena *a, const json_t *json)
{
    return value_text(json_text(a, json));
}

static int change_settings(struct tx *tx, const struct account *a,
                           const struct account_change *change)
{
    struct assignment set[4];
    size_t count = 0;

    if (change->language.at)
        set[count++] = SET("language", value_text(change->language));
    if (change->notification_frequency.at)
        set[count++] = SET("notification_frequency", value_text(change->notification_frequency));
    if (change->onboarded >= 0)
        set[count++] = SET("onboarded", value_integer(change->onboarded != 0));
    if (change->tours)
        set[count++] = SET("tours", json_value(tx->arena, change->tours));
    return count > 0 ? update_account(tx, a, set, count) : 0;
}

int account_change(struct tx *tx, const struct account *a, const struct account_change *change,
                   struct account *after_out)
{
    const struct assignment named[] = {
        SET_USER("first_name", value_text(change->name)),
        SET_USER("last_name", value_null()),
    };

    int rc = change->name.at ? update_user(tx, a, named, COUNT_OF(named)) : 0;
    if (rc == 0)
        rc = change_settings(tx, a, change);
    if (rc == 0)
        rc = tx_follow(tx);
    return rc == 0 ? account_by_id(tx, a->id, after_out) : rc;
}

int account_verify_email(struct tx *tx, const struct account *a)
{
    const struct assignment verified = SET("verified", value_integer(true));
    return a->verified ? 0 : update_account(tx, a, &verified, 1);
}

int account_set_password(struct tx *tx, const struct account *a, struct str hash)
{
    const struct assignment set = SET_USER("password", value_text(hash));
    return update_user(tx, a, &set, 1);
}

int account_note_login(struct tx *tx, const struct account *a, bool *restored_out)
{
    const struct assignment seen = SET_USER("last_access", moment_value(tx->arena, tx->now_ms));
    const struct assignment stays = SET("deletion", value_null());
    bool restored = a->deletion_ms != 0;

    int rc = update_user(tx, a, &seen, 1);
    if (rc == 0 && restored)
        rc = update_account(tx, a, &stays, 1);
    if (rc == 0)
        *restored_out = restored;
    return rc == 0 ? tx_follow(tx) : rc;
}

/* ---- going ---- */

static int check_last_staff(struct tx *tx, const struct account *a)
{
    struct system_rows staff;
    struct account other;

    if (!a->staff)
        return 0;
    int rc = system_rows(
        tx->store, tx->arena, SYSTEM_ACCOUNTS,
        system_test(tx->arena, SYSTEM_ACCOUNTS, "staff", OP_EQ, value_integer(true)), NULL, &staff);
    for (size_t i = 0; rc == 0 && i < staff.count; i++) {
        rc = account_by_id(tx, system_integer(SYSTEM_ACCOUNTS, staff.at[i], "id"), &other);
        if (rc == 0 && other.id != a->id && account_stays(&other))
            return 0;
    }
    return rc == 0 ? refuse_wish(tx, WORKSPACE_LAST_STAFF) : rc;
}

int account_check_last(struct tx *tx, const struct account *a)
{
    bool admin, remains = true;

    int rc = check_last_staff(tx, a);
    if (rc == 0)
        rc = is_admin(tx, a->user, &admin);
    if (rc == 0 && admin)
        rc = record_admin_remains(tx, a->user, &remains);
    if (rc == 0 && !remains)
        rc = refuse(tx, PROBLEM_UNPROCESSABLE, "At least one active admin has to remain");
    return rc;
}

int account_schedule_deletion(struct tx *tx, const struct account *a)
{
    const struct assignment leaves = SET("deletion", value_integer(tx->now_ms));

    int rc = check_last_staff(tx, a);
    if (rc == 0)
        rc = update_account(tx, a, &leaves, 1);
    return rc == 0 ? tx_follow(tx) : rc;
}

/* ---- tokens that were given back ---- */

static struct str digest(struct arena *a, struct str token)
{
    char hex[SHA256_HEX_SIZE];

    text_sha256_hex(token, hex);
    return arena_str(a, str_of(hex));
}

/* Those that have expired are worth nothing anyway. */
static int forget_expired(struct tx *tx)
{
    struct system_rows expired;
    int rc = system_rows(tx->store, tx->arena, SYSTEM_BLACKLIST,
                         system_test(tx->arena, SYSTEM_BLACKLIST, "expires", OP_LT,
                                     moment_value(tx->arena, tx->now_ms)),
                         NULL, &expired);

    return rc == 0 ? record_delete(tx, SYSTEM_BLACKLIST, &expired) : rc;
}

int account_is_blacklisted(struct tx *tx, struct str token, bool *is_out)
{
    const struct value *row;
    int rc = record_find(tx, SYSTEM_BLACKLIST, "token", digest(tx->arena, token), &row);

    if (rc == 0)
        *is_out = row != NULL;
    return rc;
}

int account_blacklist(struct tx *tx, struct str token, int64_t expires_ms, bool *already_out)
{
    const struct assignment entry[] = {
        record_set(SYSTEM_BLACKLIST, "token", value_text(digest(tx->arena, token))),
        record_set(SYSTEM_BLACKLIST, "expires", moment_value(tx->arena, expires_ms)),
    };
    bool already;

    int rc = account_is_blacklisted(tx, token, &already);
    if (rc == 0 && !already)
        rc = forget_expired(tx);
    if (rc == 0 && !already)
        rc = record_insert(tx, SYSTEM_BLACKLIST, entry, COUNT_OF(entry));
    if (rc == 0)
        *already_out = already;
    return rc;
}
