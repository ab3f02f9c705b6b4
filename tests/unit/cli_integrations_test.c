/* What is connected. */
#include "base/clock.h"
#include "cli/integrations.h"
#include "present/integration_object.h"
#include "store/credential.h"
#include "unit/cli_support.h"

#include <string.h>

static void an_empty_list_says_what_to_do(void) {
    g_autoptr(Session) session = desk_session();
    g_auto(Said) said = desk_run("integrations");
    g_autoptr(Json) reply = desk_json("integrations", 0);
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "Nothing is connected.");
    assert_holds(said.err, "Next: assay connect github");
    g_assert_cmpuint(json_count(json_member(reply, "integrations")), ==, 0);
    g_assert_true(json_kind(json_member(reply, "nextCursor")) == JSON_KIND_NULL);
}

static bool add_credential(DbUnit *unit, void *id, GError **error) {
    Credential row = {.id = "credential",
                      .integration_id = id,
                      .name = "main",
                      .fields = "{\"access_token\":\"" PLANTED "\"}",
                      .metadata = "{\"scopes\":[\"read:org\"]}",
                      .version = 1,
                      .expires_at = 1795132800000};
    return credential_insert(unit, &row, error);
}

static void every_field_of_the_contract_is_there_and_no_credential(void) {
    static const char *const fields[] = {"id",
                                         "organizationId",
                                         "ownerUserId",
                                         "integrationType",
                                         "name",
                                         "auth",
                                         "status",
                                         "statusReason",
                                         "errorMessage",
                                         "config",
                                         "enabledChecks",
                                         "evidenceTypes",
                                         "scanSchedule",
                                         "lastSyncAt",
                                         "lastCheckedAt",
                                         "nextCheckAt",
                                         "lastSyncResult",
                                         "rotationDueAt",
                                         "createdAt",
                                         "updatedAt"};
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    must(session_run(session, DB_WRITE, add_credential, id, &error));
    g_autoptr(Json) reply = desk_json("integrations", 0); /* asserts that no secret is in it */
    const Json *item = json_item(json_member(reply, "integrations"), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        g_assert_nonnull(json_member(item, fields[i]));
    g_assert_cmpuint(json_count(item), ==, G_N_ELEMENTS(fields));
    g_assert_cmpstr(json_member_string(item, "id", ""), ==, id);
    g_assert_cmpstr(json_text(json_path(item, "config.settings.apiUrl")), ==, "http://127.0.0.1:1");
    g_assert_cmpstr(json_text(json_path(item, "config.account.user")), ==, "mona");
    g_assert_cmpstr(json_text(json_path(item, "config.expiresAt")), ==, "2026-11-20T00:00:00.000Z");
    g_assert_cmpstr(json_text(json_item(json_path(item, "config.scopes"), 0)), ==, "read:org");
}

static void the_status_filter_knows_groups_of_statuses(void) {
    static const struct {
        const char *filter;
        const char *status;
        bool fits;
    } cases[] = {{"active", INTEGRATION_CONNECTED, true},
                 {"active", INTEGRATION_DEGRADED, true},
                 {"active", INTEGRATION_RECONNECT_NEEDED, false},
                 {"error", INTEGRATION_DEGRADED, true},
                 {"error", INTEGRATION_RECONNECT_NEEDED, true},
                 {"error", INTEGRATION_CONNECTED, false},
                 {"paused", INTEGRATION_PAUSED, true},
                 {"disconnected", INTEGRATION_PAUSED, false},
                 {"nonsense", INTEGRATION_PAUSED, false}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_true(integration_status_fits(cases[i].filter, cases[i].status) == cases[i].fits);
}

static void the_list_is_filtered_by_status(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *a = desk_add_integration(session, "fine", INTEGRATION_CONNECTED);
    g_autofree char *b = desk_add_integration(session, "refused", INTEGRATION_RECONNECT_NEEDED);
    g_autoptr(Json) reply = desk_json("integrations --status error", 0);
    const Json *list = json_member(reply, "integrations");
    g_assert_cmpuint(json_count(list), ==, 1);
    g_assert_cmpstr(json_member_string(json_item(list, 0), "name", ""), ==, "refused");
    desk_fails("integrations --status broken", 2, "--status wants one of connected");
    g_auto(Said) none = desk_run("integrations --status paused");
    assert_holds(none.out, "No integration has this status.");
}

static void people_see_shape_word_and_account(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *a = desk_add_integration(session, "fine", INTEGRATION_CONNECTED);
    g_autofree char *b = desk_add_integration(session, "refused", INTEGRATION_RECONNECT_NEEDED);
    g_auto(Said) said = desk_run("integrations");
    assert_holds(said.out, "fine     github   ✓ connected         mona     never");
    assert_holds(said.out, "refused  github   ▲ reconnect needed  mona     never");
    assert_holds(said.err, "Next: assay reconnect refused");
}

static void all_are_read_beyond_one_page(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Json) all = NULL;
    for (int i = 0; i < STORE_LIST_MAX + 2; i++) {
        g_autofree char *name = g_strdup_printf("n%d", i);
        g_autofree char *id = desk_add_integration(session, name, INTEGRATION_CONNECTED);
    }
    must((all = integrations_here(session, &error)) != NULL);
    g_assert_cmpuint(json_count(all), ==, STORE_LIST_MAX + 2);
    g_assert_cmpstr(integrations_called(all, "unknown"), ==, "unknown");
}

static void organizations_do_not_see_each_other(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autoptr(Json) made = desk_json("init --organization other", 0);
    g_autoptr(Json) reply = desk_json("integrations --organization other", 0);
    g_assert_cmpuint(json_count(json_member(reply, "integrations")), ==, 0);
    desk_fails("sync acme --organization other", 3, "no integration \"acme\"");
    g_autofree char *line = g_strdup_printf("sync %s --organization other", id);
    desk_fails(line, 3, "no integration");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"an_empty_list_says_what_to_do", an_empty_list_says_what_to_do},
        {"every_field_of_the_contract_is_there_and_no_credential",
         every_field_of_the_contract_is_there_and_no_credential},
        {"the_status_filter_knows_groups_of_statuses", the_status_filter_knows_groups_of_statuses},
        {"the_list_is_filtered_by_status", the_list_is_filtered_by_status},
        {"people_see_shape_word_and_account", people_see_shape_word_and_account},
        {"all_are_read_beyond_one_page", all_are_read_beyond_one_page},
        {"organizations_do_not_see_each_other", organizations_do_not_see_each_other},
    };
    return desk_main(argc, argv, "integrations", tests, G_N_ELEMENTS(tests));
}
