/* What a database out of a backup does not go on with. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "store/credential.h"
#include "store/integration.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/restored.h"
#include "store/setup.h"
#include "store/token_cache.h"
#include "store/user_session.h"

static int64_t marked;

static void restores_organization(DbUnit *unit) {
    store_ok(restored_organization(unit, &marked, &error));
}

static void restores_installation(DbUnit *unit) {
    store_ok(restored_installation(unit, &error));
}

/* --- the installation ------------------------------------------------------------------------- */

static void ada_is_logged_in(DbUnit *unit) {
    UserSession session = {
        .id = "session-1", .user_id = "ada", .token_hash = "hash-1", .address = "192.0.2.1"};
    store_adds_ada(unit);
    store_ok(user_session_insert(unit, &session, &error));
}

static void her_session_is_gone(DbUnit *unit) {
    g_autoptr(UserSessionCaller) caller = NULL;
    store_ok(user_session_find(unit, "hash-1", &caller, &error));
    g_assert_null(caller);
}

static void sessions_of_the_backup_are_ended(void) {
    store_system(ada_is_logged_in);
    store_system(restores_installation);
    store_system(her_session_is_gone);
    store_system(restores_installation);
}

static void offers_a_link(DbUnit *unit) {
    bool needed = false;
    store_ok(setup_offer(unit, "hash-1", &needed, &error));
    g_assert_true(needed);
}

static void the_link_is_dead(DbUnit *unit) {
    bool open = true;
    store_ok(setup_is_open(unit, "hash-1", &open, &error));
    g_assert_false(open);
    store_fails(ERROR_NOT_FOUND, setup_redeem(unit, "hash-1", &error));
}

static void the_setup_link_of_the_backup_is_dead(void) {
    store_system(offers_a_link);
    store_system(restores_installation);
    store_system(the_link_is_dead);
}

/* --- runs ------------------------------------------------------------------------------------- */

static void nobody_can_claim(DbUnit *unit) {
    JobClaim wish = {.owner = "worker-2", .lease_ms = 60000};
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &wish, &job, &error));
    g_assert_null(job);
}

static void whoever_ran_it_has_lost_it(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    store_ok(job_get(unit, "job-1", &job, &error));
    JobLease before = {.job_id = "job-1", .owner = "worker-1", .fence = job->fence - 1};
    g_assert_cmpstr(job->status, ==, JOB_RUNNING);
    g_assert_cmpstr(job->lease_owner, ==, "");
    store_fails(ERROR_CONFLICT, job_complete(unit, &before, "{}", &error));
}

static void runs_of_the_backup_can_be_claimed_at_once(void) {
    store_in(ORG_A, store_adds_job);
    store_system(store_claims_job);
    store_system(nobody_can_claim);
    store_in(ORG_B, restores_organization);
    store_system(nobody_can_claim);
    store_in(ORG_A, restores_organization);
    store_in(ORG_A, whoever_ran_it_has_lost_it);
    store_system(store_claims_job);
}

/* --- credentials ------------------------------------------------------------------------------ */

static void add_credential(DbUnit *unit, const char *integration_id, const char *id,
                           const char *fields) {
    Credential row = {.id = id,
                      .integration_id = integration_id,
                      .name = "main",
                      .fields = fields,
                      .metadata = "{}"};
    store_ok(credential_insert(unit, &row, &error));
}

/* One with a refresh token, one without, one that is paused, one without any credential. */
static void adds_integrations(DbUnit *unit) {
    static const IntegrationStatus paused = {.status = INTEGRATION_PAUSED};
    static const char refreshed[] =
        "{\"access_token\":\"v1.sealed\",\"refresh_token\":\"v1.sealed\"}";
    store_add_integration(unit, "plain");
    store_add_integration(unit, "resting");
    store_add_integration(unit, "bare");
    add_credential(unit, INTEGRATION_A, "credential-1", refreshed);
    add_credential(unit, "plain", "credential-2", "{\"access_token\":\"v1.sealed\"}");
    add_credential(unit, "resting", "credential-3", refreshed);
    store_ok(integration_update_status(unit, "resting", &paused, &error));
}

static void assert_status(DbUnit *unit, const char *id, const char *status) {
    g_autoptr(Integration) row = NULL;
    store_ok(integration_get(unit, id, &row, &error));
    g_assert_cmpstr(row->status, ==, status);
}

static void those_that_refresh_are_to_be_connected_again(DbUnit *unit) {
    g_autoptr(Integration) row = NULL;
    store_ok(integration_get(unit, INTEGRATION_A, &row, &error));
    g_assert_cmpstr(row->status, ==, INTEGRATION_RECONNECT_NEEDED);
    g_assert_cmpstr(row->status_reason, ==, RESTORED_REASON);
    assert_status(unit, "plain", INTEGRATION_CONNECTED);
    assert_status(unit, "bare", INTEGRATION_CONNECTED);
}

static void what_can_be_used_once_is_to_be_connected_again(void) {
    store_in(ORG_A, adds_integrations);
    store_in(ORG_A, restores_organization);
    g_assert_cmpint(marked, ==, 2);
    store_in(ORG_A, those_that_refresh_are_to_be_connected_again);
    store_in(ORG_A, restores_organization);
    store_in(ORG_A, those_that_refresh_are_to_be_connected_again);
    store_in(ORG_B, restores_organization);
    g_assert_cmpint(marked, ==, 0);
}

static void disconnects(DbUnit *unit) {
    static const IntegrationStatus gone = {.status = INTEGRATION_DISCONNECTED};
    store_ok(integration_update_status(unit, INTEGRATION_A, &gone, &error));
}

static void it_is_disconnected(DbUnit *unit) {
    assert_status(unit, INTEGRATION_A, INTEGRATION_DISCONNECTED);
}

static void what_was_disconnected_stays_so(void) {
    store_in(ORG_A, adds_integrations);
    store_in(ORG_A, disconnects);
    store_in(ORG_A, restores_organization);
    store_in(ORG_A, it_is_disconnected);
}

static const CachedToken cached = {.integration_id = INTEGRATION_A,
                                   .credential = "main",
                                   .version = 1,
                                   .sealed = "v1.sealed",
                                   .checksum = "0f",
                                   .expires_at = START_MS + 3600000};

static void keeps_a_token(DbUnit *unit) {
    store_ok(token_cache_put(unit, &cached, START_MS, &error));
}

static void has_no_token(DbUnit *unit) {
    g_autoptr(CachedToken) token = NULL;
    store_ok(token_cache_get(unit, &cached, START_MS, &token, &error));
    g_assert_null(token);
}

static void tokens_of_the_backup_are_forgotten(void) {
    store_in(ORG_A, adds_integrations);
    store_in(ORG_A, keeps_a_token);
    store_in(ORG_A, restores_organization);
    store_in(ORG_A, has_no_token);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const StoreTest tests[] = {
    TEST(sessions_of_the_backup_are_ended),
    TEST(the_setup_link_of_the_backup_is_dead),
    TEST(runs_of_the_backup_can_be_claimed_at_once),
    TEST(what_can_be_used_once_is_to_be_connected_again),
    TEST(what_was_disconnected_stays_so),
    TEST(tokens_of_the_backup_are_forgotten),
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "restored", tests, G_N_ELEMENTS(tests));
}
