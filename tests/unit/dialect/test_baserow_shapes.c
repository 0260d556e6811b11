#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/baserow/baserow.h"
#include "dialect/baserow/shapes.h"

static struct buf buf;

static int begin(void **state)
{
    (void)state;
    baserow_configure(&(struct baserow_settings){.legacy_group_keys = false});
    buf_init(&buf, SIZE_MAX);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_deinit(&buf);
    return 0;
}

static void assert_wrote(const char *expected)
{
    buf_put_char(&buf, '\0');
    assert_string_equal(buf.at, expected);
    buf_clear(&buf);
}

#define MADE STR_INIT("2025-01-01T00:00:00.000Z")

static const struct member *members[2];
static struct workspace acme = {
    .id = 5, .name = STR_INIT("Ac\"me"), .members = members, .member_count = 2};
static const struct member ann = {
    .id = 12,
    .account = 3,
    .user = STR_INIT("u-3"),
    .name = STR_INIT("Ann"),
    .email = STR_INIT("ann@example.com"),
    .role = MEMBER_ADMIN,
    .order = 7,
    .created_on = MADE,
    .workspace = &acme,
};
static const struct member bob = {
    .id = 13,
    .account = 4,
    .user = STR_INIT("u-4"),
    .name = STR_INIT("Bob"),
    .email = STR_INIT("bob@example.com"),
    .role = MEMBER_MEMBER,
    .order = 1,
    .created_on = MADE,
    .leaving = true,
    .workspace = &acme,
};
static const struct member *members[2] = {&ann, &bob};

#define ANN_BEFORE_GROUP "{\"id\":12,\"name\":\"Ann\",\"email\":\"ann@example.com\",\"workspace\":5"
#define ANN_BEHIND_GROUP                                                                           \
    ",\"permissions\":\"ADMIN\",\"created_on\":\"2025-01-01T00:00:00Z\",\"user_id\":3,"            \
    "\"to_be_deleted\":false}"
#define ANN ANN_BEFORE_GROUP ANN_BEHIND_GROUP
#define BOB                                                                                        \
    "{\"id\":13,\"name\":\"Bob\",\"email\":\"bob@example.com\",\"workspace\":5,"                   \
    "\"permissions\":\"MEMBER\",\"created_on\":\"2025-01-01T00:00:00Z\",\"user_id\":4,"            \
    "\"to_be_deleted\":true}"
#define ACME "{\"id\":5,\"name\":\"Ac\\\"me\",\"generative_ai_models_enabled\":{}}"

static void a_moment_has_six_digits_of_fraction_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *moment, *wanted;
    } cases[] = {
        {"2025-10-01T12:00:00.000Z", "\"2025-10-01T12:00:00Z\""},
        {"2025-10-01T12:00:00.001Z", "\"2025-10-01T12:00:00.001000Z\""},
        {"2025-10-01T12:00:00.999Z", "\"2025-10-01T12:00:00.999000Z\""},
        {"2025-10-01T14:00:00.5+02:00", "\"2025-10-01T12:00:00.500000Z\""},
        {"1969-12-31T23:59:59.250Z", "\"1969-12-31T23:59:59.250000Z\""},
        {"no moment", "null"},
        {"", "null"},
        {NULL, "null"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        shape_moment(&buf, str_of(cases[i].moment));
        assert_wrote(cases[i].wanted);
    }
}

static void a_membership_tells_its_person_and_its_workspace(void **state)
{
    (void)state;
    shape_workspace_user(&buf, &ann);
    assert_wrote(ANN);
    shape_workspace_user(&buf, &bob);
    assert_wrote(BOB);
}

static void a_workspace_is_told_alone_or_as_a_member_sees_it(void **state)
{
    (void)state;
    shape_workspace(&buf, &acme);
    assert_wrote(ACME);
    shape_workspace_member_view(&buf, &ann);
    assert_wrote("{\"id\":5,\"name\":\"Ac\\\"me\",\"users\":[" ANN "," BOB
                 "],\"order\":7,\"permissions\":\"ADMIN\",\"unread_notifications_count\":0,"
                 "\"generative_ai_models_enabled\":{}}");
    shape_workspace_member_view(&buf, &bob);
    assert_wrote("{\"id\":5,\"name\":\"Ac\\\"me\",\"users\":[" ANN "," BOB
                 "],\"order\":1,\"permissions\":\"MEMBER\",\"unread_notifications_count\":0,"
                 "\"generative_ai_models_enabled\":{}}");
}

static const struct catalogue nothing;
static const struct application crm = {.id = 9,
                                       .order = 1,
                                       .name = STR_INIT("CRM"),
                                       .type = STR_INIT("database"),
                                       .created_on = STR_INIT("2025-01-01T00:00:00.001Z"),
                                       .workspace = &acme};
#define CRM_BEFORE_GROUP                                                                           \
    "{\"id\":9,\"name\":\"CRM\",\"order\":1,\"type\":\"database\","                                \
    "\"created_on\":\"2025-01-01T00:00:00.001000Z\",\"workspace\":" ACME

static void an_application_carries_its_workspace(void **state)
{
    (void)state;
    shape_application(&buf, &nothing, &crm);
    assert_wrote(CRM_BEFORE_GROUP ",\"tables\":[]}");
}

static void the_older_keys_stand_beside_the_new_ones_when_wished(void **state)
{
    (void)state;
    baserow_configure(&(struct baserow_settings){.legacy_group_keys = true});
    shape_workspace_user(&buf, &ann);
    assert_wrote(ANN_BEFORE_GROUP ",\"group\":5" ANN_BEHIND_GROUP);
    shape_application(&buf, &nothing, &crm);
    assert_wrote(CRM_BEFORE_GROUP ",\"group\":" ACME ",\"tables\":[]}");
}

static void a_user_is_told_less_to_others_than_to_himself(void **state)
{
    (void)state;
    AUTO(json_unref) json_t *tours = json_pack("[ss]", "grid", "sidebar");
    struct account account = {.id = 3,
                              .email = STR("ann@example.com"),
                              .name = STR("Ann"),
                              .language = STR("en"),
                              .notification_frequency = STR("instant"),
                              .active = true,
                              .staff = true};
    shape_public_user(&buf, 3, account.email, account.name);
    assert_wrote("{\"id\":3,\"username\":\"ann@example.com\",\"first_name\":\"Ann\"}");
    shape_own_user(&buf, &account);
    assert_wrote("{\"first_name\":\"Ann\",\"username\":\"ann@example.com\",\"is_staff\":true,"
                 "\"id\":3,\"language\":\"en\",\"email_notification_frequency\":\"instant\","
                 "\"email_verified\":false,\"completed_onboarding\":false,"
                 "\"completed_guided_tours\":[]}");
    account.tours = tours;
    account.verified = account.onboarded = true;
    account.staff = false;
    shape_own_user(&buf, &account);
    assert_wrote("{\"first_name\":\"Ann\",\"username\":\"ann@example.com\",\"is_staff\":false,"
                 "\"id\":3,\"language\":\"en\",\"email_notification_frequency\":\"instant\","
                 "\"email_verified\":true,\"completed_onboarding\":true,"
                 "\"completed_guided_tours\":[\"grid\",\"sidebar\"]}");
}

static void an_invitation_has_a_form_for_each_who_reads_it(void **state)
{
    (void)state;
    const struct invitation invitation = {.id = 2,
                                          .workspace = 5,
                                          .workspace_name = STR("Acme"),
                                          .email = STR("eve@example.com"),
                                          .message = STR(""),
                                          .invited_by = STR("Ann"),
                                          .created_on = MADE,
                                          .role = MEMBER_MEMBER};
#define INVITED                                                                                    \
    "{\"id\":2,\"invited_by\":\"Ann\",\"workspace\":\"Acme\",\"email\":\"eve@example.com\","       \
    "\"message\":\"\",\"created_on\":\"2025-01-01T00:00:00Z\",\"email_exists\":"
    shape_invitation(&buf, &invitation, EMAIL_UNTOLD);
    assert_wrote(INVITED "null}");
    shape_invitation(&buf, &invitation, EMAIL_IS_NEW);
    assert_wrote(INVITED "false}");
    shape_invitation(&buf, &invitation, EMAIL_EXISTS);
    assert_wrote(INVITED "true}");
    shape_invitation_of_admin(&buf, &invitation);
    assert_wrote(
        "{\"id\":2,\"workspace\":5,\"email\":\"eve@example.com\",\"permissions\":\"MEMBER\","
        "\"message\":\"\",\"created_on\":\"2025-01-01T00:00:00Z\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_moment_has_six_digits_of_fraction_or_none, begin, end),
        cmocka_unit_test_setup_teardown(a_membership_tells_its_person_and_its_workspace, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_workspace_is_told_alone_or_as_a_member_sees_it, begin,
                                        end),
        cmocka_unit_test_setup_teardown(an_application_carries_its_workspace, begin, end),
        cmocka_unit_test_setup_teardown(the_older_keys_stand_beside_the_new_ones_when_wished, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_user_is_told_less_to_others_than_to_himself, begin, end),
        cmocka_unit_test_setup_teardown(an_invitation_has_a_form_for_each_who_reads_it, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
