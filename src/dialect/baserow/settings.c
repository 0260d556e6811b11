/* What clients ask for when they start, and what staff sets for all (9.2). */
#include "dialect/baserow/rest.h"

#include <assert.h>
#include <errno.h>

#include "base/fault.h"
#include "base/random.h"
#include "dialect/baserow/letters.h"
#include "model/workspace/options.h"

static const struct str TEXT_PLAIN = STR_INIT("text/plain; charset=utf-8");

/* ---- settings ---- */

/* Every setting, in the order it is told, with what it is until somebody sets it: JSON. Where no
 * mail is sent passwords cannot be reset, and e-mails need not be verified, whatever was set. */
static const struct {
    const char *name, *initial;
} settings[] = {
    {"allow_new_signups", "true"},          {"allow_signups_via_workspace_invitations", "true"},
    {"allow_reset_password", "true"},       {"allow_global_workspace_creation", "true"},
    {"account_deletion_grace_delay", "30"}, {"show_admin_signup_page", "false"},
    {"track_workspace_usage", "false"},     {"show_baserow_help_request", "true"},
    {"co_branding_logo", "null"},           {"email_verification", "\"no_verification\""},
    {"verify_import_signature", "true"},
};

/* As in enum verification. */
#define VERIFICATIONS "no_verification,recommended,enforced"
static const char *const verifications[] = {"no_verification", "recommended", "enforced"};

/* Those that can be set. */
static const struct rule settings_rules[] = {
    {"allow_new_signups", RULE_BOOLEAN, 0, 0, 0, NULL},
    {"allow_signups_via_workspace_invitations", RULE_BOOLEAN, 0, 0, 0, NULL},
    {"allow_reset_password", RULE_BOOLEAN, 0, 0, 0, NULL},
    {"allow_global_workspace_creation", RULE_BOOLEAN, 0, 0, 0, NULL},
    {"account_deletion_grace_delay", RULE_INTEGER, 0, 0, 32000, NULL},
    {"track_workspace_usage", RULE_BOOLEAN, 0, 0, 0, NULL},
    {"show_baserow_help_request", RULE_BOOLEAN, 0, 0, 0, NULL},
    {"email_verification", RULE_CHOICE, 0, 0, 0, VERIFICATIONS},
    {"verify_import_signature", RULE_BOOLEAN, 0, 0, 0, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

/* What is told and holds in place of what was set, where no mail is sent; NULL: what was set. */
static const char *without_mail(const char *name, const json_t *set)
{
    if (letters_are_sent())
        return NULL;
    if (strcmp(name, "allow_reset_password") == 0)
        return "false";
    bool enforced = str_equal(json_str(set), STR("enforced"));
    return strcmp(name, "email_verification") == 0 && enforced ? "\"recommended\"" : NULL;
}

/* What a setting is, as JSON; in the arena. */
static struct str value_of(struct arena *a, const json_t *options, size_t setting)
{
    const char *name = settings[setting].name;
    const json_t *set = json_get(options, name);
    const char *instead = without_mail(name, set);

    if (instead)
        return str_of(instead);
    return set ? json_text(a, set) : str_of(settings[setting].initial);
}

static int read_setting(struct tx *tx, const char *name, struct str *json_out)
{
    json_t *options;
    size_t i = 0;
    while (i < COUNT_OF(settings) && strcmp(settings[i].name, name) != 0)
        i++;
    assert(i < COUNT_OF(settings));
    int rc = options_read(tx, &options);
    if (rc == 0)
        *json_out = value_of(tx->arena, options, i);
    return rc;
}

int setting_is_on(struct tx *tx, const char *name, bool *on_out)
{
    struct str json;
    int rc = read_setting(tx, name, &json);
    if (rc == 0)
        *on_out = str_equal(json, STR("true"));
    return rc;
}

int setting_number(struct tx *tx, const char *name, int64_t *number_out)
{
    struct str json;
    int rc = read_setting(tx, name, &json);
    if (rc == 0 && str_to_int64(json, number_out) != 0)
        return FAULT_BECAUSE(EPROTO, "the setting %s is not a number", name);
    return rc;
}

int setting_verification(struct tx *tx, enum verification *verification_out)
{
    struct str json;
    int rc = read_setting(tx, "email_verification", &json);
    if (rc != 0)
        return rc;
    *verification_out = VERIFICATION_NONE;
    for (unsigned i = 0; i < COUNT_OF(verifications); i++)
        if (str_contains(json, str_of(verifications[i])))
            *verification_out = i;
    return 0;
}

int check_verified(struct tx *tx, const struct account *account)
{
    enum verification verification;
    int rc = setting_verification(tx, &verification);
    if (rc != 0 || verification != VERIFICATION_ENFORCED || account->verified || account->staff)
        return rc;
    return refuse_code(tx, ERROR_EMAIL_VERIFICATION_REQUIRED, NULL);
}

int put_instance_permissions(struct tx *tx, const struct account *account, struct buf *b)
{
    bool anybody_creates;
    int rc = setting_is_on(tx, "allow_global_workspace_creation", &anybody_creates);
    if (rc != 0)
        return rc;
    buf_printf(b,
               "{\"name\":\"core\",\"permissions\":[\"list_workspaces\"]},"
               "{\"name\":\"setting_operation\",\"permissions\":{\"staff_only_operations\":[%s],"
               "\"always_allowed_operations\":[%s]}},"
               "{\"name\":\"staff\",\"permissions\":{\"staff_only_operations\":"
               "[\"settings.update\"],\"is_staff\":%s}}",
               anybody_creates ? "" : "\"create_workspace\"",
               anybody_creates ? "\"create_workspace\"" : "", account->staff ? "true" : "false");
    return 0;
}

static int answer_settings(struct request *r, struct tx *tx)
{
    json_t *options;
    bool users;
    struct buf b;
    int rc = options_read(tx, &options);
    if (rc == 0)
        rc = instance_has_users(tx, &users);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        const char *name = settings[i].name;
        buf_printf(&b, "%c\"%s\":", i == 0 ? '{' : ',', name);
        if (strcmp(name, "show_admin_signup_page") == 0)
            buf_put_str(&b, users ? STR("false") : STR("true"));
        else
            buf_put_str(&b, value_of(tx->arena, options, i));
    }
    buf_put_char(&b, '}');
    return reply_json(r, tx, &b);
}

static int run_update(struct request *r, struct tx *tx)
{
    const char *name;
    json_t *value;
    struct str verification = data_text(rest_of(r)->data, "email_verification");
    if (str_equal(verification, STR("enforced")) && !letters_are_sent())
        return refuse_field(tx, "email_verification", "invalid_choice",
                            "Without mail nobody could verify an address.");
    json_object_foreach(rest_of(r)->data, name, value)
    {
        int rc = option_set(tx, name, value);
        if (rc != 0)
            return rc;
    }
    return answer_settings(r, tx);
}

/* Made when it is first asked for, and the same ever after. */
static int run_instance_id(struct request *r, struct tx *tx)
{
    static const char name[] = "instance_id";
    json_t *options;
    int rc = options_read(tx, &options);
    if (rc != 0)
        return rc;
    struct str id = json_get_str(options, name);
    if (!id.at) {
        char uuid[UUID_TEXT_SIZE];
        random_uuid(uuid);
        id = arena_str(tx->arena, str_of(uuid));
        AUTO(json_unref) json_t *value = json_stringn(id.at, id.len);
        rc = option_set(tx, name, value);
        if (rc != 0)
            return rc;
    }
    struct buf b;
    reply_begin(&b);
    buf_put_lit(&b, "{\"instance_id\":");
    json_put_str(&b, id);
    buf_put_char(&b, '}');
    return reply_json(r, tx, &b);
}

/* ---- constants ---- */

static int answer_text(struct request *r, struct tx *tx, struct str type, struct str text)
{
    struct buf b;
    reply_begin(&b);
    buf_put_str(&b, text);
    return reply_with(r, tx, 200, type, NULL, 0, &b);
}

static int run_health(struct request *r, struct tx *tx)
{
    return answer_text(r, tx, TEXT_PLAIN, STR("OK"));
}

/* Other programs that vouch for users: none. */
static int run_login_options(struct request *r, struct tx *tx)
{
    return answer_text(r, tx, REPLY_JSON, STR("{\"password\":{\"type\":\"password\"}}"));
}

static int run_templates(struct request *r, struct tx *tx)
{
    return answer_text(r, tx, REPLY_JSON, STR("[]"));
}

const struct route settings_routes[] = {
    {"GET", "/api/settings/", ON_READER(answer_settings), ROUTE_PUBLIC, NULL, NULL},
    {"PATCH", "/api/settings/update/", ON_WRITER(run_update), ROUTE_STAFF, settings_rules, NULL},
    {"GET", "/api/settings/instance-id/", ON_WRITER(run_instance_id), ROUTE_STAFF, NULL, NULL},
    {"GET", "/api/auth-provider/login-options/", ON_LOOP(run_login_options), ROUTE_PUBLIC, NULL,
     NULL},
    {"GET", "/api/templates/", ON_LOOP(run_templates), ROUTE_PUBLIC, NULL, NULL},
    {"GET", "/api/_health/", ON_LOOP(run_health), ROUTE_PUBLIC, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
