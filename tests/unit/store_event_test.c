/* Events: numbered in order, added by whoever changes something, and who may see them. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "store/access.h"
#include "store/api_token.h"
#include "store/event.h"
#include "store/evidence.h"
#include "store/integration.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/membership.h"
#include "store/schedule.h"
#include "store/user.h"
#include "store/user_session.h"

#include <string.h>

#define JOB "job-1"

/* --- what is there ---------------------------------------------------------------------------- */

static int64_t expected_after; /* events up to it are not looked at */

/* "kind:status or type" of the events behind expected_after, by spaces. */
static char *tell_events(DbUnit *unit) {
    g_autoptr(GPtrArray) events = NULL;
    GString *text = g_string_new(NULL);
    store_ok(event_list(unit, expected_after, 0, &events, &error));
    int64_t before = expected_after;
    for (guint i = 0; i < events->len; i++) {
        const Event *event = g_ptr_array_index(events, i);
        g_autoptr(Json) data = json_parse(event->data, strlen(event->data), STORE_JSON_MAX, NULL);
        const char *type = json_member_string(data, "evidenceType", "");
        g_assert_cmpint(event->seq, ==, ++before);
        g_assert_cmpint(event->at, ==, clock_now_ms());
        g_string_append_printf(text, "%s%s:%s", i > 0 ? " " : "", event->kind,
                               json_member_string(data, "status", type));
    }
    return g_string_free(text, FALSE);
}

static void assert_events(DbUnit *unit, const char *wanted) {
    g_autofree char *told = tell_events(unit);
    g_assert_cmpstr(told, ==, wanted);
}

static void passes_by(DbUnit *unit) {
    EventRange range;
    store_ok(event_range(unit, &range, &error));
    expected_after = range.last;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void has_nothing(DbUnit *unit) {
    EventRange range;
    store_ok(event_range(unit, &range, &error));
    g_assert_cmpint(range.last, ==, 0);
    g_assert_cmpint(range.oldest, ==, 1);
}

static void adds_three(DbUnit *unit) {
    EventNews news = {.kind = EVENT_INTEGRATION, .integration_id = INTEGRATION_A};
    for (int i = 0; i < 3; i++)
        store_ok(event_add(unit, &news, &error));
}

static void has_three(DbUnit *unit) {
    g_autoptr(GPtrArray) events = NULL;
    EventRange range;
    store_ok(event_range(unit, &range, &error));
    g_assert_cmpint(range.last, ==, expected_after + 3);
    store_ok(event_list(unit, expected_after + 1, 1, &events, &error));
    g_assert_cmpuint(events->len, ==, 1);
    const Event *second = g_ptr_array_index(events, 0);
    g_assert_cmpint(second->seq, ==, expected_after + 2);
    g_assert_cmpstr(second->data, ==, "{}");
    g_assert_null(second->job_id);
}

static void numbers_follow_each_other_within_an_organization(void) {
    store_in("org-c", has_nothing);
    store_in(ORG_A, passes_by);
    store_in(ORG_A, adds_three);
    store_in(ORG_A, has_three);
    store_in("org-c", has_nothing);
}

static void adds_many(DbUnit *unit) {
    EventNews news = {.kind = EVENT_INTEGRATION, .integration_id = INTEGRATION_A};
    for (int i = 0; i < EVENTS_KEPT + 1000; i++)
        store_ok(event_add(unit, &news, &error));
}

static void has_the_last(DbUnit *unit) {
    EventRange range;
    store_ok(event_range(unit, &range, &error));
    g_assert_cmpint(range.last, >=, EVENTS_KEPT + 1000);
    g_assert_cmpint(range.last - range.oldest, >=, EVENTS_KEPT - 1);
    g_assert_cmpint(range.last - range.oldest, <, EVENTS_KEPT + 500);
}

static void old_events_are_dropped(void) {
    store_in(ORG_A, adds_many);
    store_in(ORG_A, has_the_last);
}

static void finds_news_of_a(DbUnit *unit) {
    g_autoptr(GPtrArray) places = NULL;
    store_ok(event_news(unit, START_MS + 1, &places, &error));
    g_assert_cmpuint(places->len, ==, 1);
    const EventPlace *place = g_ptr_array_index(places, 0);
    g_assert_cmpstr(place->organization_id, ==, ORG_A);
    g_assert_cmpint(place->last, >=, 3);
}

static void finds_no_news(DbUnit *unit) {
    g_autoptr(GPtrArray) places = NULL;
    store_ok(event_news(unit, clock_now_ms() + 1, &places, &error));
    g_assert_cmpuint(places->len, ==, 0);
}

static void the_system_sees_where_something_has_happened(void) {
    clock_advance(10);
    store_in(ORG_A, adds_three);
    store_system(finds_news_of_a);
    store_system(finds_no_news);
}

/* --- who adds them ---------------------------------------------------------------------------- */

static Job *claimed;

static void queues(DbUnit *unit) {
    store_add_job(unit, INTEGRATION_A, JOB);
    assert_events(unit, "job:pending");
}

static void claims(DbUnit *unit) {
    JobClaim claim = {.owner = "w", .lease_ms = 1000};
    g_clear_pointer(&claimed, job_free);
    store_ok(job_claim(unit, &claim, &claimed, &error));
}

static void runs(DbUnit *unit) {
    JobLease lease = job_lease(claimed);
    Evidence row = {.id = "e-1",
                    .integration_id = INTEGRATION_A,
                    .job_id = JOB,
                    .evidence_type = "branches",
                    .source = "github",
                    .record = "{}",
                    .completeness = 1,
                    .collected_at = clock_now_ms()};
    store_ok(job_tell(unit, JOB, JOB_RUNNING, &error));
    store_ok(evidence_insert(unit, &row, &lease, NULL, &error));
    store_ok(evidence_insert(unit, &row, &lease, NULL, &error)); /* a replay is no news */
    store_ok(job_complete(unit, &lease, "{}", &error));
    assert_events(unit, "job:running evidence:branches done:completed");
}

static void knows_the_integration(DbUnit *unit) {
    g_autoptr(GPtrArray) events = NULL;
    store_ok(event_list(unit, expected_after, 0, &events, &error));
    for (guint i = 0; i < events->len; i++) {
        const Event *event = g_ptr_array_index(events, i);
        g_assert_cmpstr(event->integration_id, ==, INTEGRATION_A);
        g_assert_cmpstr(event->job_id, ==, JOB);
    }
}

static void a_job_tells_its_life(void) {
    store_in(ORG_A, passes_by);
    store_in(ORG_A, queues);
    store_in(ORG_A, passes_by);
    store_system(claims);
    store_in(ORG_A, runs);
    store_in(ORG_A, knows_the_integration);
    g_clear_pointer(&claimed, job_free);
}

static void parks(DbUnit *unit) {
    JobLease lease = job_lease(claimed);
    store_ok(job_park(unit, &lease, clock_now_ms() + 10, &error));
    assert_events(unit, "job:parked");
}

static void cancels(DbUnit *unit) {
    JobCancel how;
    store_ok(job_cancel(unit, JOB, &how, &error));
    assert_events(unit, "done:cancelled");
}

static void letting_go_and_calling_off_are_told(void) {
    store_in(ORG_A, passes_by);
    store_in(ORG_A, queues);
    store_system(claims);
    store_in(ORG_A, passes_by);
    store_in(ORG_A, parks);
    store_in(ORG_A, passes_by);
    store_in(ORG_A, cancels);
    g_clear_pointer(&claimed, job_free);
}

static void finds_nothing_to_claim(DbUnit *unit) {
    JobClaim claim = {.owner = "w", .lease_ms = 1000};
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &claim, &job, &error));
    g_assert_null(job);
}

static void sees_it_failed(DbUnit *unit) {
    assert_events(unit, "done:failed");
}

/* A claim is the system's, and ends it. */
static void a_job_that_nobody_survives_is_told_as_failed(void) {
    store_in(ORG_A, passes_by);
    store_in(ORG_A, queues);
    for (int i = 0; i < JOB_ATTEMPTS; i++) {
        store_system(claims);
        clock_advance(2000);
    }
    store_in(ORG_A, passes_by);
    store_system(finds_nothing_to_claim);
    store_in(ORG_A, sees_it_failed);
    store_in(ORG_A, knows_the_integration);
    g_clear_pointer(&claimed, job_free);
}

static void changes_the_integration(DbUnit *unit) {
    IntegrationStatus status = {.status = INTEGRATION_PAUSED};
    IntegrationSync sync = {.result = "{}", .synced_at = 1, .status = status};
    g_autoptr(Integration) row = NULL;
    store_ok(integration_update_status(unit, INTEGRATION_A, &status, &error));
    store_ok(integration_record_sync(unit, INTEGRATION_A, &sync, &error));
    store_ok(integration_get(unit, INTEGRATION_A, &row, &error));
    store_ok(integration_change(unit, row, &error));
    store_add_integration(unit, "integration-2");
    assert_events(unit, "integration: integration: integration: integration:");
}

static void changes_the_schedule(DbUnit *unit) {
    Schedule row = {
        .id = INTEGRATION_A, .integration_id = INTEGRATION_A, .rule = "6h", .due_at = 9};
    store_ok(schedule_begin(unit, INTEGRATION_A, 5, &error));
    store_ok(schedule_change(unit, &row, &error));
    assert_events(unit, "schedule:");
}

static void integrations_and_schedules_tell_of_changes(void) {
    store_in(ORG_A, passes_by);
    store_in(ORG_A, changes_the_integration);
    store_in(ORG_A, passes_by);
    store_in(ORG_A, changes_the_schedule);
}

/* --- who may see ------------------------------------------------------------------------------ */

static void adds_a_person(DbUnit *unit) {
    User user = {.id = "u-1", .email = "a@example.com", .name = "A"};
    UserSession session = {
        .id = "s-1", .user_id = "u-1", .token_hash = "h1", .address = "192.0.2.1"};
    UserSession second = {
        .id = "s-2", .user_id = "u-1", .token_hash = "h2", .address = "192.0.2.1"};
    Membership membership = {.user_id = "u-1", .role = "auditor", .period_from = 7};
    store_ok(user_insert(unit, &user, &error));
    store_ok(user_session_insert(unit, &session, &error));
    store_ok(user_session_insert(unit, &second, &error));
    store_ok(membership_insert(unit, &membership, &error));
}

static void adds_a_token(DbUnit *unit) {
    ApiToken token = {.id = "t-1", .name = "ci", .token_hash = "h3", .hint = "h"};
    Membership access = {.user_id = "t-1", .role = "scanner", .integrations = INTEGRATION_A};
    store_ok(api_token_insert(unit, &token, &error));
    store_ok(api_token_allow(unit, &access, &error));
}

static void assert_admitted(DbUnit *unit, const char *wanted) {
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GString) told = g_string_new(NULL);
    store_ok(access_list(unit, NULL, &rows, &error));
    for (guint i = 0; i < rows->len; i++) {
        const Access *row = g_ptr_array_index(rows, i);
        g_string_append_printf(told, "%s%s=%s", i > 0 ? " " : "", row->caller_id, row->role);
    }
    g_assert_cmpstr(told->str, ==, wanted);
}

static void all_are_admitted(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    assert_admitted(unit, "s-1=auditor s-2=auditor t-1=scanner");
    store_ok(access_list(unit, "s-2", &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    const Access *row = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(row->integrations, ==, INTEGRATION_A);
}

static void nobody_is_admitted(DbUnit *unit) {
    assert_admitted(unit, "");
}

static void ends_one_session(DbUnit *unit) {
    store_ok(user_session_end(unit, "u-1", "s-1", &error));
    assert_admitted(unit, "s-2=auditor t-1=scanner");
}

static void disables_the_user(DbUnit *unit) {
    store_ok(user_set_disabled(unit, "u-1", true, &error));
    assert_admitted(unit, "t-1=scanner");
}

static void revokes_the_token(DbUnit *unit) {
    store_ok(api_token_revoke(unit, "t-1", &error));
    assert_admitted(unit, "");
}

static void sessions_and_tokens_are_admitted_until_they_end(void) {
    store_in(ORG_A, adds_a_person);
    store_in(ORG_A, adds_a_token);
    store_in(ORG_A, all_are_admitted);
    store_in(ORG_B, nobody_is_admitted);
    store_in(ORG_A, ends_one_session);
    store_in(ORG_A, disables_the_user);
    store_in(ORG_A, revokes_the_token);
}

static void takes_the_token_away(DbUnit *unit) {
    store_ok(api_token_disallow(unit, "t-1", &error));
    assert_admitted(unit, "s-1=auditor s-2=auditor");
}

static void removes_the_member(DbUnit *unit) {
    store_ok(membership_delete(unit, "u-1", &error));
    assert_admitted(unit, "");
}

static void only_nobody_is_idle(DbUnit *unit) {
    assert_admitted(unit, "t-1=scanner");
}

static void roles_that_are_taken_away_admit_nobody(void) {
    store_in(ORG_A, adds_a_person);
    store_in(ORG_A, adds_a_token);
    store_in(ORG_A, takes_the_token_away);
    store_in(ORG_A, removes_the_member);
}

static void sessions_that_nobody_uses_end_by_themselves(void) {
    store_in(ORG_A, adds_a_person);
    store_in(ORG_A, adds_a_token);
    clock_advance(USER_SESSION_IDLE_MS);
    store_in(ORG_A, only_nobody_is_idle);
}

static const StoreTest tests[] = {
    {"numbers_follow_each_other_within_an_organization",
     numbers_follow_each_other_within_an_organization},
    {"old_events_are_dropped", old_events_are_dropped},
    {"the_system_sees_where_something_has_happened", the_system_sees_where_something_has_happened},
    {"a_job_tells_its_life", a_job_tells_its_life},
    {"letting_go_and_calling_off_are_told", letting_go_and_calling_off_are_told},
    {"a_job_that_nobody_survives_is_told_as_failed", a_job_that_nobody_survives_is_told_as_failed},
    {"integrations_and_schedules_tell_of_changes", integrations_and_schedules_tell_of_changes},
    {"sessions_and_tokens_are_admitted_until_they_end",
     sessions_and_tokens_are_admitted_until_they_end},
    {"roles_that_are_taken_away_admit_nobody", roles_that_are_taken_away_admit_nobody},
    {"sessions_that_nobody_uses_end_by_themselves", sessions_that_nobody_uses_end_by_themselves},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "event", tests, G_N_ELEMENTS(tests));
}
