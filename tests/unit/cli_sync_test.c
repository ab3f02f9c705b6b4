/* What a sync answers to scripts, and its exit status. */
#include "cli/sync.h"
#include "unit/cli_support.h"

#define REFUSED "{\"evidenceType\":\"a\",\"code\":\"AUTHENTICATION_FAILED\",\"retryable\":false}"
#define DENIED "{\"evidenceType\":\"b\",\"code\":\"PERMISSION_DENIED\",\"retryable\":false}"
#define LATER "{\"evidenceType\":\"c\",\"code\":\"SERVICE_UNAVAILABLE\",\"retryable\":true}"
#define LIMITED "{\"evidenceType\":\"d\",\"code\":\"RATE_LIMITED\",\"retryable\":true}"
#define BROKEN "{\"evidenceType\":\"e\",\"code\":\"SERVICE_UNAVAILABLE\",\"retryable\":false}"

static void the_exit_status_follows_the_errors(void) {
    static const struct {
        int collected;
        const char *errors;
        int status;
    } cases[] = {
        {2, "", 0},
        {0, "", 0},
        {0, REFUSED, 4},
        {0, REFUSED "," REFUSED, 4},
        {2, REFUSED, 4},
        {1, REFUSED "," LATER, 5},
        {0, REFUSED "," LATER, 5},
        {0, LATER, 6},
        {0, LATER "," LIMITED, 6},
        {1, LATER, 5},
        {0, LATER "," BROKEN, 5},
        {0, DENIED, 5},
        {2, DENIED, 5},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("{\"evidenceCollected\":%d,\"errors\":[%s]}",
                                                cases[i].collected, cases[i].errors);
        g_autoptr(Json) result = json_of(text);
        g_assert_cmpint(sync_exit_status(result), ==, cases[i].status);
    }
}

static void a_parked_run_is_to_be_tried_later(void) {
    g_autoptr(Json) result =
        json_of("{\"evidenceCollected\":1,\"errors\":[],\"parkedUntil\":\"2026-11-20T08:00:00Z\"}");
    g_assert_cmpint(sync_exit_status(result), ==, 6);
}

static void the_reply_has_what_scripts_rely_on_and_no_more(void) {
    g_autoptr(Json) result =
        json_of("{\"evidenceCollected\":3,\"evidenceFailed\":1,\"controlsUpdated\":5,\"secret\":1,"
                "\"errors\":[{\"evidenceType\":\"a\",\"code\":\"TIMEOUT\",\"message\":\"m\","
                "\"retryable\":true,\"details\":{\"calls\":2},\"more\":1},"
                "{\"evidenceType\":\"b\",\"code\":\"RATE_LIMITED\",\"message\":\"n\"}]}");
    g_autoptr(Json) reply = sync_reply(result, "job");
    g_autofree char *text = json_print(reply, JSON_COMPACT);
    g_assert_cmpstr(
        text, ==,
        "{\"evidenceCollected\":3,\"evidenceFailed\":1,\"controlsUpdated\":5,\"errors\":["
        "{\"evidenceType\":\"a\",\"code\":\"TIMEOUT\",\"message\":\"m\","
        "\"retryable\":true,\"details\":{\"calls\":2}},"
        "{\"evidenceType\":\"b\",\"code\":\"RATE_LIMITED\",\"message\":\"n\","
        "\"retryable\":true,\"details\":{}}],\"jobId\":\"job\"}");
}

static void an_unknown_integration_is_not_found(void) {
    g_autoptr(Session) session = desk_session();
    desk_fails("sync acme", 3, "there is no integration \"acme\"; `assay integrations`");
    g_autoptr(Json) reply = desk_json("sync acme", 3);
    g_assert_false(json_member_bool(reply, "success", true));
    g_assert_cmpstr(json_text(json_path(reply, "error.code")), ==, "NOT_FOUND");
}

static void wrong_wishes_make_no_job(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_fails("sync acme --evidence branch_protektion", 2, "no evidence type");
    desk_fails("sync acme --controls soc2:CC1.1", 2, "CC1.1");
    desk_fails("sync acme --from 2026-11-20 --to 2026-11-19", 2, "--from must be earlier");
    desk_fails("sync acme --from yesterday", 2, "--from wants a time");
    desk_fails("sync", 2, "something is missing; the usage is: assay sync INTEGRATION");
}

static void an_integration_without_credential_fails_as_a_whole(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autoptr(Json) reply = desk_json("sync acme", 3);
    g_assert_false(json_member_bool(reply, "success", true));
    assert_holds(json_text(json_path(reply, "error.message")), "credential");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"the_exit_status_follows_the_errors", the_exit_status_follows_the_errors},
        {"a_parked_run_is_to_be_tried_later", a_parked_run_is_to_be_tried_later},
        {"the_reply_has_what_scripts_rely_on_and_no_more",
         the_reply_has_what_scripts_rely_on_and_no_more},
        {"an_unknown_integration_is_not_found", an_unknown_integration_is_not_found},
        {"wrong_wishes_make_no_job", wrong_wishes_make_no_job},
        {"an_integration_without_credential_fails_as_a_whole",
         an_integration_without_credential_fails_as_a_whole},
    };
    return desk_main(argc, argv, "sync", tests, G_N_ELEMENTS(tests));
}
