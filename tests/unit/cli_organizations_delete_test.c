/* An organization is deleted, here and on a server. */
#include "base/clock.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/organization.h"
#include "unit/cli_support.h"

#include <string.h>

#define LEASE_MS 3600000

/* --- what it has ------------------------------------------------------------------------------ */

static void make(const char *name) {
    g_autofree char *line = g_strdup_printf("organizations create %s", name);
    g_autoptr(Json) made = desk_json(line, 0);
}

/* Whether the list of organizations has it. */
static bool is_there(const char *name) {
    g_autoptr(Json) list = desk_json("organizations list", 0);
    const Json *rows = json_member(list, "organizations");
    for (size_t i = 0; i < json_count(rows); i++)
        if (strcmp(json_member_string(json_item(rows, i), "name", ""), name) == 0)
            return true;
    return false;
}

/* The one entry of the installation's log; the caller owns it. */
static Json *noted(void) {
    g_autoptr(Json) log = desk_json("audit --installation --action organization.delete", 0);
    const Json *rows = json_member(log, "audit");
    g_assert_cmpuint(json_count(rows), ==, 1);
    return json_ref(json_item(rows, 0));
}

static bool add_job(DbUnit *unit, void *data, GError **error) {
    Job job = {.id = "job-1",
               .integration_id = data,
               .request = "{\"evidenceTypes\":[\"branch_protection\"]}",
               .definition_sha256 = "0f"};
    return job_insert(unit, &job, error);
}

typedef struct {
    int64_t lease_ms;
    Job *job;
} ClaimWork;

static bool claim_work(DbUnit *unit, void *data, GError **error) {
    ClaimWork *work = data;
    const JobClaim claim = {.owner = "host:1", .lease_ms = work->lease_ms};
    g_clear_pointer(&work->job, job_free);
    return job_claim_one(unit, db_unit_scope(unit)->organization, "job-1", &claim, &work->job,
                         error);
}

/* A job that somebody runs. */
static Job *run_job(const Session *session, int64_t lease_ms) {
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    DbScope scope = *session_scope(session);
    ClaimWork work = {.lease_ms = lease_ms};
    scope.system = true;
    must(session_run(session, DB_WRITE, add_job, id, &error));
    must(db_run(session_db(session), &scope, DB_WRITE, claim_work, &work, &error));
    g_assert_nonnull(work.job);
    return work.job;
}

static bool cancelled_work(DbUnit *unit, void *data, GError **error) {
    JobLease lease = job_lease(data);
    return job_end_cancelled(unit, &lease, error);
}

/* --- here ------------------------------------------------------------------------------------- */

static void an_organization_is_deleted_and_the_log_says_who_did_it(void) {
    g_autoptr(Session) session = desk_session();
    make("acme");
    g_autoptr(Json) said = desk_json("organizations delete acme --yes", 0);
    g_assert_true(json_member_bool(said, "success", false));
    g_assert_false(is_there("acme"));
    g_assert_true(is_there(SESSION_ORGANIZATION));
    g_autoptr(Json) entry = noted();
    g_assert_cmpstr(json_text(json_path(entry, "actor.kind")), ==, "cli");
    g_assert_cmpstr(json_text(json_path(entry, "actor.name")), ==, g_get_user_name());
    g_assert_cmpstr(json_text(json_path(entry, "target.name")), ==, "acme");
    desk_fails("organizations delete acme --yes", 3, "there is no organization \"acme\"");
    desk_fails("integrations --organization acme", 3, "acme");
}

static void its_name_is_free_again(void) {
    g_autoptr(Session) session = desk_session();
    make("acme");
    g_auto(Said) said = desk_run("organizations delete acme --yes");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "The organization acme was deleted.");
    assert_holds(said.err, "Its audit log stays");
    make("acme");
    g_assert_true(is_there("acme"));
}

static void what_is_not_surely_meant_is_left_alone(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *by_id =
        g_strdup_printf("organizations delete %s --yes", session_scope(session)->organization);
    desk_fails("organizations delete default", 2, "run this on a terminal, or give --yes");
    desk_fails("organizations delete", 2, "something is missing");
    desk_fails("organizations delete Default --yes", 3, "assay organizations list");
    desk_fails(by_id, 2, "That is not the organization's name; nothing was deleted.");
    g_assert_true(is_there("default"));
}

static void nothing_was_set_up_and_nothing_is_deleted(void) {
    desk_fails("organizations delete default --yes", 3, "assay init");
}

static void while_a_run_ends_nothing_is_deleted(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Job) job = run_job(session, LEASE_MS);
    g_setenv("ASSAY_TEST_PATIENCE_MS", "0", TRUE);
    desk_fails("organizations delete default --yes", 1, "runs that were called off");
    g_autoptr(Json) shown = desk_json("jobs show job-1", 0);
    g_assert_nonnull(json_member_string(shown, "calledOffAt", NULL));
    must(session_run(session, DB_WRITE, cancelled_work, job, &error));
    g_autoptr(Json) said = desk_json("organizations delete default --yes", 0);
    g_assert_false(is_there("default"));
    g_unsetenv("ASSAY_TEST_PATIENCE_MS");
}

/* Nobody would ever end it. */
static void a_run_whose_worker_is_gone_holds_up_nothing(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Job) job = run_job(session, 1);
    clock_freeze(clock_now_ms() + 1000);
    g_auto(Said) said = desk_run("organizations delete default --yes");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.err, "Its runs were called off");
    g_assert_false(is_there("default"));
}

/* --- there ------------------------------------------------------------------------------------ */

static void an_owner_deletes_it_there(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("owner", false);
    desk_fails(desk_there("organizations delete default"), 2, "or give --yes");
    g_auto(Said) said = desk_run(desk_there("organizations delete default --yes"));
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "The organization default was deleted.");
    g_assert_false(is_there("default"));
    g_autoptr(Json) entry = noted();
    g_assert_cmpstr(json_text(json_path(entry, "actor.kind")), ==, "token");
    g_assert_cmpstr(json_text(json_path(entry, "target.name")), ==, "default");
}

static void nobody_else_deletes_it_there(void) {
    g_autoptr(Session) session = desk_session();
    make("acme");
    desk_serve("admin", true);
    desk_fails(desk_there("organizations delete default --yes"), 4, "The role admin");
    desk_fails(desk_there("organizations delete acme --yes"), 3, "you are not in it");
    g_assert_true(is_there("default"));
    g_assert_true(is_there("acme"));
}

static void while_a_run_ends_nothing_is_deleted_there(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("owner", false);
    g_autoptr(Job) job = run_job(session, LEASE_MS);
    g_setenv("ASSAY_TEST_PATIENCE_MS", "0", TRUE);
    desk_fails(desk_there("organizations delete default --yes"), 1, "runs that were called off");
    must(session_run(session, DB_WRITE, cancelled_work, job, &error));
    g_autoptr(Json) said = desk_json(desk_there("organizations delete default --yes"), 0);
    g_assert_true(json_member_bool(said, "success", false));
    g_unsetenv("ASSAY_TEST_PATIENCE_MS");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"an_organization_is_deleted_and_the_log_says_who_did_it",
         an_organization_is_deleted_and_the_log_says_who_did_it},
        {"its_name_is_free_again", its_name_is_free_again},
        {"what_is_not_surely_meant_is_left_alone", what_is_not_surely_meant_is_left_alone},
        {"nothing_was_set_up_and_nothing_is_deleted", nothing_was_set_up_and_nothing_is_deleted},
        {"while_a_run_ends_nothing_is_deleted", while_a_run_ends_nothing_is_deleted},
        {"a_run_whose_worker_is_gone_holds_up_nothing",
         a_run_whose_worker_is_gone_holds_up_nothing},
        {"an_owner_deletes_it_there", an_owner_deletes_it_there},
        {"nobody_else_deletes_it_there", nobody_else_deletes_it_there},
        {"while_a_run_ends_nothing_is_deleted_there", while_a_run_ends_nothing_is_deleted_there},
    };
    return desk_main(argc, argv, "organizations_delete", tests, G_N_ELEMENTS(tests));
}
