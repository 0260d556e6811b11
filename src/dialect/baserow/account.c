/*
 * Accounts: registration, one's own data, passwords (9.1). Nothing here is logged: much of it is
 * secret. What a mailed token allows is in recovery.c.
 */
#include "dialect/baserow/recovery.h"
#include "dialect/baserow/shapes.h"
#include "model/password.h"
#include "model/workspace/options.h"

#define LANGUAGES "en,fr,nl,de,es,it,pl,ko"

/* ---- registration ---- */

enum { EMAIL_LENGTH_MAX = 128 }; /* the users' table has no more room */

static const struct rule registration_rules[] = {
    {"name", RULE_TEXT, RULE_REQUIRED, 2, 150, NULL},
    {"email", RULE_EMAIL, RULE_REQUIRED, 0, EMAIL_LENGTH_MAX, NULL},
    {"password", RULE_PASSWORD, RULE_REQUIRED, 0, 0, NULL},
    {"language", RULE_LANGUAGE, 0, 0, 0, LANGUAGES},
    {"authenticate", RULE_BOOLEAN, 0, 0, 0, NULL},
    {"workspace_invitation_token", RULE_TEXT, 0, 0, 0, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

static int prepare_registration(struct request *r, struct tx *tx)
{
    struct rest *rest = rest_of(r);
    struct str *hash = ARENA_NEW(r->arena, struct str);
    rest->finding = hash;
    return password_hash(tx->settings, r->arena, data_text(rest->data, "password"), hash);
}

/* The invitation that a registration comes with; *id_out 0: none. */
static int find_invitation(struct tx *tx, const json_t *data, int64_t *id_out)
{
    struct str token = data_text(data, "workspace_invitation_token");
    struct invitation invitation;
    *id_out = 0;
    if (!token.at)
        return 0;
    if (invitation_token_read(tx, token, id_out) != 0)
        return refuse_code(tx, BAD_TOKEN_SIGNATURE, NULL);
    int rc = invitation_find(tx, *id_out, &invitation);
    if (rc == 0 &&
        !str_equal(account_normal_email(tx->arena, invitation.email), data_text(data, "email")))
        return refuse_code(tx, ERROR_GROUP_INVITATION_EMAIL_MISMATCH, NULL);
    return rc;
}

static int check_signup(struct tx *tx, bool invited)
{
    bool open, for_invited;
    int rc = setting_is_on(tx, "allow_new_signups", &open);
    if (rc == 0)
        rc = setting_is_on(tx, "allow_signups_via_workspace_invitations", &for_invited);
    if (rc != 0)
        return rc;
    return open || (for_invited && invited) ? 0 : refuse_code(tx, ERROR_DISABLED_SIGNUP, NULL);
}

/* Who comes by an invitation got it by mail: nothing is left to show. Else the address is to be
 * confirmed, where that is asked for. */
static int begin_verification(struct request *r, struct tx *tx, struct account *account,
                              bool invited, bool *may_enter_out)
{
    enum verification verification;
    bool shown = invited && letters_are_sent();
    int rc = shown ? account_verify_email(tx, account) : 0;
    if (rc == 0 && shown)
        rc = account_by_id(tx, account->id, account);
    if (rc == 0)
        rc = setting_verification(tx, &verification);
    if (rc != 0)
        return rc;
    *may_enter_out = verification != VERIFICATION_ENFORCED || account->verified || account->staff;
    if (verification != VERIFICATION_NONE && !account->verified && letters_are_sent()) {
        struct outgoing o = verification_letter(tx, account->user, account->email, account->name);
        letter_keep(r, &o);
    }
    return 0;
}

static int run_register(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct registration registration = {
        .name = data_text(rest->data, "name"),
        .email = data_text(rest->data, "email"),
        .hash = *(const struct str *)rest->finding,
        .language = data_text(rest->data, "language"),
    };
    struct account account;
    int64_t invitation, member;
    bool may_enter;

    int rc = check_signup(tx, data_is_sent(rest->data, "workspace_invitation_token"));
    if (rc == 0)
        rc = find_invitation(tx, rest->data, &invitation);
    if (rc == 0)
        rc = account_register(tx, &registration, &account);
    if (rc == 0 && invitation)
        rc = invitation_accept_for(tx, invitation, &account, &member);
    if (rc == 0)
        rc = begin_verification(r, tx, &account, invitation != 0, &may_enter);
    if (rc != 0)
        return rc;
    if (may_enter && data_boolean(rest->data, "authenticate", false))
        return answer_login(r, tx, &account);
    struct buf b;
    reply_begin(&b);
    buf_put_lit(&b, "{\"user\":");
    shape_own_user(&b, &account);
    buf_put_char(&b, '}');
    return reply_json(r, tx, &b);
}

/* ---- one's own data ---- */

static const struct rule account_rules[] = {
    {"first_name", RULE_TEXT, 0, 2, 150, NULL},
    {"language", RULE_LANGUAGE, 0, 0, 0, LANGUAGES},
    {"email_notification_frequency", RULE_CHOICE, 0, 0, 0, "instant,daily,weekly,never"},
    {"completed_onboarding", RULE_BOOLEAN, 0, 0, 0, NULL},
    {"completed_guided_tours", RULE_TEXTS, 0, 0, 255, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

static int run_update(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const json_t *data = rest->data;
    const struct account_change change = {
        .name = data_text(data, "first_name"),
        .language = data_text(data, "language"),
        .notification_frequency = data_text(data, "email_notification_frequency"),
        .onboarded = data_is_sent(data, "completed_onboarding")
                         ? data_boolean(data, "completed_onboarding", false)
                         : -1,
        .tours = json_get(data, "completed_guided_tours"),
    };
    struct account after;
    struct buf b;

    if (json_object_size(data) == 0)
        return refuse_field(tx, "non_field_errors", "invalid",
                            "At least one field must be provided.");
    int rc = account_change(tx, &rest->account, &change, &after);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    buf_put_lit(&b, "{\"first_name\":");
    json_put_str(&b, after.name);
    buf_put_lit(&b, ",\"language\":");
    json_put_str(&b, after.language);
    buf_put_lit(&b, ",\"email_notification_frequency\":");
    json_put_str(&b, after.notification_frequency);
    buf_printf(&b, ",\"completed_onboarding\":%s,\"completed_guided_tours\":",
               after.onboarded ? "true" : "false");
    if (after.tours)
        json_put_value(&b, after.tours);
    else
        buf_put_lit(&b, "[]");
    buf_put_char(&b, '}');
    return reply_json(r, tx, &b);
}

static int run_schedule_deletion(struct request *r, struct tx *tx)
{
    int rc = account_schedule_deletion(tx, &rest_of(r)->account);
    return rc == 0 ? reply_empty(r) : rc;
}

static int run_dashboard(struct request *r, struct tx *tx)
{
    struct invitation *list;
    size_t count;
    struct buf b;
    int rc = invitation_list_mine(tx, &list, &count);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    buf_put_lit(&b, "{\"workspace_invitations\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(&b, ',');
        shape_invitation(&b, &list[i], EMAIL_UNTOLD);
    }
    buf_put_lit(&b, "]}");
    return reply_json(r, tx, &b);
}

/* ---- passwords ---- */

static const struct rule change_password_rules[] = {
    {"old_password", RULE_SECRET, RULE_REQUIRED, 0, 0, NULL},
    {"new_password", RULE_PASSWORD, RULE_REQUIRED, 0, 0, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

struct password_work {
    struct str old_hash, new_hash;
};

/* The slow half, on a reader. */
static int prepare_change_password(struct request *r, struct tx *tx)
{
    struct rest *rest = rest_of(r);
    struct password_work *work = ARENA_NEW(r->arena, struct password_work);
    rest->finding = work;
    int rc = account_password_hash(tx, &rest->account, &work->old_hash);
    if (rc != 0)
        return rc;
    if (!password_verify(tx->settings, work->old_hash, data_text(rest->data, "old_password")))
        return refuse_code(tx, ERROR_INVALID_OLD_PASSWORD, NULL);
    return password_hash(tx->settings, r->arena, data_text(rest->data, "new_password"),
                         &work->new_hash);
}

/* Between the halves the old password may have become another one. */
static int run_change_password(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct password_work *work = rest->finding;
    struct str hash;
    int rc = account_password_hash(tx, &rest->account, &hash);
    if (rc != 0)
        return rc;
    if (!str_equal(hash, work->old_hash))
        return refuse_code(tx, ERROR_INVALID_OLD_PASSWORD, NULL);
    rc = account_set_password(tx, &rest->account, work->new_hash);
    return rc == 0 ? reply_empty(r) : rc;
}

const struct route account_routes[] = {
    {"POST", "/api/user/", ON_WRITER_MAILING(run_register, prepare_registration), ROUTE_PUBLIC,
     registration_rules, NULL},
    {"PATCH", "/api/user/account/", ON_WRITER(run_update), 0, account_rules, NULL},
    {"POST", "/api/user/schedule-account-deletion/", ON_WRITER(run_schedule_deletion), 0, NULL,
     NULL},
    {"GET", "/api/user/dashboard/", ON_READER(run_dashboard), 0, NULL, NULL},
    {"POST", "/api/user/change-password/",
     ON_WRITER_AFTER(run_change_password, prepare_change_password), 0, change_password_rules, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
