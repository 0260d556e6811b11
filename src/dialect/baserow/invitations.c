/*
 * Invitations to workspaces (9.3).
 *
 * Who is invited sees it on the dashboard once it has an account. A token, signed with the
 * instance's key, stands for an invitation where nobody is logged in: in a link, and when somebody
 * registers. It proves nothing but which invitation is meant; that the e-mail is the right one is
 * checked when it is accepted.
 */
#include "dialect/baserow/letters.h"
#include "dialect/baserow/lists.h"
#include "dialect/baserow/shapes.h"

#include "base/json.h"
#include "wire/jwt.h"

/* Tells these tokens from those of 2.2, which have no issuer. */
#define INVITATION_ISSUER "invitation"

static const struct rule make_rules[] = {
    {.name = "email", .kind = RULE_EMAIL, .flags = RULE_REQUIRED, .max = 254},
    {.name = "permissions", .kind = RULE_CHOICE, .flags = RULE_REQUIRED, .choices = "ADMIN,MEMBER"},
    {.name = "message", .kind = RULE_TEXT, .flags = RULE_BLANK, .max = 250},
    {.name = "base_url", .kind = RULE_TEXT, .flags = RULE_BLANK, .max = LETTER_URL_MAX},
    {.name = NULL},
};
static const struct rule role_rules[] = {
    {.name = "permissions", .kind = RULE_CHOICE, .flags = RULE_REQUIRED, .choices = "ADMIN,MEMBER"},
    {.name = NULL},
};

struct str invitation_token_make(struct tx *tx, int64_t invitation)
{
    AUTO(json_unref)
    json_t *claims =
        json_pack("{s:s,s:I}", "iss", INVITATION_ISSUER, "invitation_id", (json_int_t)invitation);
    return jwt_sign(tx->arena, token_signing_key(tx), claims);
}

int invitation_token_read(struct tx *tx, struct str token, int64_t *invitation_out)
{
    json_t *claims;
    if (jwt_verify(tx->arena, token_signing_key(tx), STR(INVITATION_ISSUER), token, tx->now_ms,
                   &claims))
        return INVITATION_TOKEN_BAD;
    const json_t *id = json_get(claims, "invitation_id");
    if (!json_is_integer(id))
        return INVITATION_TOKEN_BAD;
    *invitation_out = json_integer_value(id);
    return 0;
}

static struct str email_of(const void *row)
{
    return ((const struct invitation *)row)->email;
}

static struct str message_of(const void *row)
{
    return ((const struct invitation *)row)->message;
}

static struct str role_of(const void *row)
{
    return str_of(member_role_name(((const struct invitation *)row)->role));
}

static const struct list_column invitation_columns[] = {
    {"email", email_of, true},
    {"message", message_of, false},
    {"role_uid", role_of, false},
    {.name = NULL},
};

static int answer(struct request *r, struct tx *tx, const struct invitation *invitation)
{
    struct buf b;
    reply_begin(&b);
    shape_invitation_of_admin(&b, invitation);
    return reply_json(r, tx, &b);
}

static int invitations_list(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct invitation *list;
    size_t count;
    int rc = invitation_list(tx, rest->ids[0], &list, &count);
    if (rc)
        return rc;
    const void **rows = ARENA_ARRAY(tx->arena, const void *, count);
    for (size_t i = 0; i < count; i++)
        rows[i] = &list[i];
    rc = list_select(tx, rest->asked, invitation_columns, rows, &count);
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    buf_put_char(&b, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_put_char(&b, ',');
        shape_invitation_of_admin(&b, rows[i]);
    }
    buf_put_char(&b, ']');
    return reply_json(r, tx, &b);
}

static enum member_role sent_role(const struct rest *rest)
{
    enum member_role role = MEMBER_MEMBER;
    member_role_find(data_text(rest->data, "permissions"), &role);
    return role;
}

/* Is there room for an invitation to this address? One that is there only changes. */
static int check_pending(struct tx *tx, int64_t workspace, struct str email)
{
    int64_t most = baserow_settings()->pending_invitations_max, others = 0;
    struct invitation *list;
    size_t count;
    int rc = most ? invitation_list(tx, workspace, &list, &count) : 0;
    if (!most || rc)
        return rc;
    for (size_t i = 0; i < count; i++)
        others += !str_equal(list[i].email, email);
    if (others < most)
        return 0;
    return refuse_code(tx, ERROR_MAX_NUMBER_OF_PENDING_WORKSPACE_INVITES_REACHED, NULL);
}

static struct outgoing letter_of(struct tx *tx, const struct invitation *invitation,
                                 struct str base_url)
{
    return (struct outgoing){
        .kind = LETTER_INVITATION,
        .to = invitation->email,
        .name = invitation->invited_by,
        .topic = invitation->workspace_name,
        .words = invitation->message,
        .base_url = base_url.len > 0 ? base_url : STR_NULL,
        .token = invitation_token_make(tx, invitation->id),
    };
}

static int invitations_make(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct str message = data_text(rest->data, "message"), email = data_text(rest->data, "email");
    struct str base_url = data_text(rest->data, "base_url");
    struct invitation invitation;
    bool mails = letters_are_sent();
    int rc = mails && base_url.len > 0 ? letters_check_url(tx, base_url) : 0;
    if (rc == 0)
        rc = check_pending(tx, rest->ids[0], email);
    if (rc == 0)
        rc = invitation_make(tx, rest->ids[0], email, sent_role(rest),
                             message.at ? message : STR(""), &invitation);
    if (rc)
        return rc;
    if (mails) {
        struct outgoing o = letter_of(tx, &invitation, base_url);
        letter_keep(r, &o);
    }
    return answer(r, tx, &invitation);
}

/* The invitation of the path, for admins of its workspace. */
static int find_as_admin(struct tx *tx, const struct rest *rest, struct invitation *invitation_out)
{
    const struct workspace *w;
    int rc = invitation_find(tx, rest->ids[0], invitation_out);
    return rc ? rc : workspace_find(tx, invitation_out->workspace, MEMBER_ADMIN, &w);
}

static int invitations_read(struct request *r, struct tx *tx)
{
    struct invitation invitation;
    int rc = find_as_admin(tx, rest_of(r), &invitation);
    return rc ? rc : answer(r, tx, &invitation);
}

static int invitations_set_role(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct invitation invitation;
    int rc = invitation_set_role(tx, rest->ids[0], sent_role(rest));
    if (rc == 0)
        rc = invitation_find(tx, rest->ids[0], &invitation);
    return rc ? rc : answer(r, tx, &invitation);
}

static int invitations_delete(struct request *r, struct tx *tx)
{
    int rc = invitation_delete(tx, rest_of(r)->ids[0]);
    return rc ? rc : reply_empty(r);
}

static int invitations_accept(struct request *r, struct tx *tx)
{
    int64_t member;
    int rc = invitation_accept(tx, rest_of(r)->ids[0], &member);
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    shape_workspace_member_view(&b, catalogue_member(tx->catalogue, member));
    return reply_json(r, tx, &b);
}

static int invitations_reject(struct request *r, struct tx *tx)
{
    int rc = invitation_reject(tx, rest_of(r)->ids[0]);
    return rc ? rc : reply_empty(r);
}

static int invitations_read_token(struct request *r, struct tx *tx)
{
    int64_t id;
    struct invitation invitation;
    struct account account;
    if (invitation_token_read(tx, rest_of(r)->parameters[0], &id))
        return refuse_code(tx, BAD_TOKEN_SIGNATURE, NULL);
    int rc = invitation_find(tx, id, &invitation);
    if (rc)
        return rc;
    rc = account_by_email(tx, invitation.email, &account);
    if (rc < 0)
        return rc;
    bool exists = rc == 0 || invitation.user.at;
    struct buf b;
    reply_begin(&b);
    shape_invitation(&b, &invitation, exists ? EMAIL_EXISTS : EMAIL_IS_NEW);
    return reply_json(r, tx, &b);
}

const struct route invitation_routes[] = {
    {"GET", "/api/workspaces/invitations/workspace/:id/", ON_READER(invitations_list), 0, NULL,
     list_rules},
    {"POST", "/api/workspaces/invitations/workspace/:id/",
     ON_WRITER_MAILING(invitations_make, NULL), 0, make_rules, NULL},
    {"GET", "/api/workspaces/invitations/:id/", ON_READER(invitations_read), 0, NULL, NULL},
    {"PATCH", "/api/workspaces/invitations/:id/", ON_WRITER(invitations_set_role), 0, role_rules,
     NULL},
    {"DELETE", "/api/workspaces/invitations/:id/", ON_WRITER(invitations_delete), 0, NULL, NULL},
    {"POST", "/api/workspaces/invitations/:id/accept/", ON_WRITER(invitations_accept), 0, NULL,
     NULL},
    {"POST", "/api/workspaces/invitations/:id/reject/", ON_WRITER(invitations_reject), 0, NULL,
     NULL},
    {"GET", "/api/workspaces/invitations/token/:token/", ON_READER(invitations_read_token),
     ROUTE_PUBLIC, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
