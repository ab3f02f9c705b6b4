/* When things are due, on the command line: shown, set, paused, resumed. */
#include "base/clock.h"
#include "cli/schedule.h"
#include "store/job.h"
#include "unit/cli_support.h"

#include <string.h>

#define NOW INT64_C(1763632800000) /* 2025-11-20T10:00:00Z */
#define HOUR INT64_C(3600000)

typedef struct {
    const char *id;
    int64_t due_at;
} Work;

static bool begin_work(DbUnit *unit, void *data, GError **error) {
    const Work *work = data;
    return schedule_begin(unit, work->id, work->due_at, error);
}

/* An integration that is due in an hour; its id. */
static char *connected(const Session *session, const char *name) {
    char *id = desk_add_integration(session, name, INTEGRATION_CONNECTED);
    Work work = {.id = id, .due_at = NOW + HOUR};
    must(session_run(session, DB_WRITE, begin_work, &work, &error));
    return id;
}

static Session *desk_at_ten(void) {
    clock_freeze(NOW);
    return desk_session();
}

static const char *due_of(const Json *reply) {
    return json_member_string(reply, "dueAt", "");
}

/* --- showing ---------------------------------------------------------------------------------- */

static void without_integrations_nothing_is_due(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_auto(Said) said = desk_run("schedule");
    assert_holds(said.out, "Nothing is connected, so nothing is due.");
    assert_holds(said.err, "Next: assay connect github");
    g_autoptr(Json) reply = desk_json("schedule", 0);
    g_assert_cmpuint(json_count(json_member(reply, "schedules")), ==, 2); /* the rounds */
}

static void people_see_rules_and_next_times(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autofree char *id = connected(session, "acme");
    g_auto(Said) said = desk_run("schedule");
    assert_holds(said.out, "acme            github   every 4h       never  in 1 hour");
    assert_holds(said.out, "daily sync               0 9 * * * UTC  never  to be planned");
    assert_holds(said.out, "weekly renewal           0 0 * * 0 UTC  never  to be planned");
    assert_holds(said.err, "`assay serve` keeps these times.");
    clock_freeze(NOW + 2 * HOUR);
    g_auto(Said) later = desk_run("schedule");
    assert_holds(later.out, "every 4h       never  due");
}

static void the_object_is_that_of_the_api(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autofree char *id = connected(session, "acme");
    g_autoptr(Json) reply = desk_json("schedule set acme --every 6h", 0);
    g_assert_cmpstr(json_member_string(reply, "id", ""), ==, id);
    g_assert_cmpstr(json_member_string(reply, "integrationId", ""), ==, id);
    g_assert_cmpstr(json_member_string(reply, "rule", ""), ==, "6h");
    g_assert_false(json_member_bool(reply, "paused", true));
    g_assert_cmpuint(json_count(reply), ==, 8);
    g_assert_cmpstr(json_member_string(reply, "when", ""), ==, "every 6h");
    g_autoptr(Json) list = desk_json("integrations", 0);
    const Json *integration = json_item(json_member(list, "integrations"), 0);
    g_assert_cmpstr(json_member_string(integration, "scanSchedule", ""), ==, "6h");
    g_assert_cmpstr(json_member_string(integration, "nextCheckAt", ""), ==, due_of(reply));
}

/* --- setting ---------------------------------------------------------------------------------- */

static void an_interval_is_set_and_taken_back(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autofree char *id = connected(session, "acme");
    g_auto(Said) said = desk_run("schedule set acme --every 12h");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "every 12h");
    assert_holds(said.out, "in 12 hours");
    g_autoptr(Json) usual = desk_json("schedule set acme --default", 0);
    g_assert_true(json_kind(json_member(usual, "rule")) == JSON_KIND_NULL);
    g_auto(Said) shown = desk_run("schedule");
    assert_holds(shown.out, "every 4h");
}

static void an_integration_that_had_no_schedule_gets_one(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autoptr(Json) reply = desk_json("schedule set acme --every 2h", 0);
    g_assert_cmpstr(json_member_string(reply, "id", ""), ==, id);
}

static void an_expression_has_a_time_zone(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autofree char *id = connected(session, "acme");
    g_autoptr(Json) reply =
        desk_json("schedule set acme --cron @daily --timezone America/New_York", 0);
    g_assert_cmpstr(json_member_string(reply, "rule", ""), ==, "@daily");
    g_assert_cmpstr(json_member_string(reply, "timeZone", ""), ==, "America/New_York");
    assert_holds(due_of(reply), "2025-11-21T05:");
    g_auto(Said) said = desk_run("schedule");
    assert_holds(said.out, "@daily America/New_York");
}

static void wrong_wishes_say_what_would_be_right(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autofree char *id = connected(session, "acme");
    static const struct {
        const char *line;
        const char *part;
    } cases[] = {
        {"schedule set acme", "give one of --every 4h, --cron"},
        {"schedule set acme --every 4h --cron @daily", "give one of"},
        {"schedule set acme --every 4h --default", "give one of"},
        {"schedule set acme --default --timezone UTC", "--timezone goes with --cron"},
        {"schedule set acme --every 4h --timezone UTC", "belongs to a cron expression"},
        {"schedule set acme --every 30m", "GitHub is collected every 1h to 24h"},
        {"schedule set acme --every 3d", "GitHub is collected every 1h to 24h"},
        {"schedule set acme --every soon", "a number with its unit"},
        {"schedule set acme --cron @reboot", "five fields"},
        {"schedule set acme --cron @daily --timezone Mars", "time zone is not known"},
        {"schedule set daily --every 4h", "cron expression, no interval"},
        {"schedule set --every 4h", "something is missing"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        desk_fails(cases[i].line, 2, cases[i].part);
    desk_fails("schedule set nobody --every 4h", 3, "no integration \"nobody\"");
    desk_fails("schedule acme", 2, "more arguments than the command takes");
    g_autoptr(Json) reply = desk_json("schedule", 0);
    g_assert_cmpstr(due_of(json_item(json_member(reply, "schedules"), 0)), ==,
                    "2025-11-20T11:00:00.000Z");
}

/* --- rounds ----------------------------------------------------------------------------------- */

static void rounds_go_by_their_names(void) {
    g_autoptr(Session) session = desk_at_ten();
    static const char *const names[] = {"daily", "daily_sync"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *line =
            g_strdup_printf("schedule set %s --cron @hourly --timezone Asia/Tokyo", names[i]);
        g_autoptr(Json) reply = desk_json(line, 0);
        g_assert_cmpstr(json_member_string(reply, "id", ""), ==, SCHEDULE_DAILY);
        assert_holds(due_of(reply), "2025-11-20T1");
    }
    g_autoptr(Json) paused = desk_json("schedule pause weekly", 0);
    g_assert_true(json_member_bool(paused, "paused", false));
    g_assert_true(json_kind(json_member(paused, "dueAt")) == JSON_KIND_NULL);
    g_autoptr(Json) resumed = desk_json("schedule resume weekly", 0);
    g_assert_false(json_member_bool(resumed, "paused", true));
    assert_holds(due_of(resumed), "2025-11-23T00:");
}

static void an_integration_named_daily_is_an_integration(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autofree char *id = connected(session, "daily");
    g_autoptr(Json) reply = desk_json("schedule set daily --every 2h", 0);
    g_assert_cmpstr(json_member_string(reply, "id", ""), ==, id);
    g_autoptr(Json) round = desk_json("schedule set daily_sync --cron @daily", 0);
    g_assert_cmpstr(json_member_string(round, "id", ""), ==, SCHEDULE_DAILY);
}

/* --- pausing ---------------------------------------------------------------------------------- */

static bool add_job(DbUnit *unit, void *data, GError **error) {
    Job job = {.id = "job-1", .integration_id = data, .request = "{}", .definition_sha256 = "0f"};
    return job_insert(unit, &job, error);
}

static void a_paused_integration_is_due_never_and_its_runs_are_called_off(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autofree char *id = connected(session, "acme");
    must(session_run(session, DB_WRITE, add_job, id, &error));
    g_auto(Said) said = desk_run("schedule pause acme");
    assert_holds(said.out, "never");
    assert_holds(said.out, "– paused");
    assert_holds(said.err, "Next: assay schedule resume acme");
    g_autoptr(Json) job = desk_json("jobs show job-1", 0);
    g_assert_cmpstr(json_member_string(job, "status", ""), ==, JOB_CANCELLED);
    g_autoptr(Json) list = desk_json("integrations --status paused", 0);
    const Json *integration = json_item(json_member(list, "integrations"), 0);
    g_assert_true(json_kind(json_member(integration, "nextCheckAt")) == JSON_KIND_NULL);
    g_auto(Said) resumed = desk_run("schedule resume acme");
    assert_holds(resumed.out, "✓ connected");
}

static void what_is_disconnected_is_not_paused(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autofree char *id = desk_add_integration(session, "gone", INTEGRATION_DISCONNECTED);
    desk_fails("schedule pause gone", 1, "gone is disconnected; connect it again");
    desk_fails("schedule resume gone", 1, "gone is disconnected; connect it again");
}

static void organizations_have_schedules_of_their_own(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autofree char *id = connected(session, "acme");
    g_autoptr(Json) made = desk_json("init --organization other", 0);
    g_autoptr(Json) theirs = desk_json("schedule --organization other", 0);
    g_assert_cmpuint(json_count(json_member(theirs, "schedules")), ==, 2);
    desk_fails("schedule pause acme --organization other", 3, "no integration \"acme\"");
}

/* --- the same of a server --------------------------------------------------------------------- */

static void both_ways_tell_the_same_of_schedules(void) {
    g_autoptr(Session) session = desk_at_ten();
    desk_serve("member", false);
    desk_same("schedule", 0);
    g_autofree char *acme = connected(session, "acme");
    g_autofree char *beta = connected(session, "beta");
    desk_same("schedule", 0);
    g_autoptr(Json) paused = desk_json("schedule pause beta", 0);
    g_autoptr(Json) round = desk_json("schedule set daily --cron @hourly --timezone Asia/Tokyo", 0);
    desk_same("schedule", 0);
}

/* Each changes to the same twice, so that both ways show the row as it is then. */
static void both_ways_change_the_same(void) {
    g_autoptr(Session) session = desk_at_ten();
    desk_serve("owner", false);
    g_autofree char *acme = connected(session, "acme");
    static const char *const lines[] = {"schedule set acme --every 12h",
                                        "schedule set acme --cron @daily --timezone Asia/Tokyo",
                                        "schedule set acme --cron @daily",
                                        "schedule set acme --default",
                                        "schedule set weekly --cron @monthly",
                                        "schedule set weekly --default",
                                        "schedule pause weekly",
                                        "schedule resume weekly",
                                        "schedule pause acme",
                                        "schedule resume acme"};
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        desk_same(lines[i], 0);
}

static void what_is_changed_there_is_changed_here(void) {
    g_autoptr(Session) session = desk_at_ten();
    desk_serve("member", false);
    g_autofree char *acme = connected(session, "acme");
    must(session_run(session, DB_WRITE, add_job, acme, &error));
    g_auto(Said) set = desk_run(desk_there("schedule set acme --every 12h"));
    assert_holds(set.out, "every 12h");
    g_auto(Said) paused = desk_run(desk_there("schedule pause acme"));
    assert_holds(paused.out, "– paused");
    assert_holds(paused.err, "Next: assay schedule resume acme");
    g_autoptr(Json) job = desk_json("jobs show job-1", 0);
    g_assert_cmpstr(json_member_string(job, "status", ""), ==, JOB_CANCELLED);
    g_auto(Said) here = desk_run("schedule");
    assert_holds(here.out, "every 12h");
    assert_holds(here.out, "– paused");
    g_autoptr(Json) log = desk_json("audit --action schedule.change", 0);
    g_assert_cmpuint(json_count(json_member(log, "audit")), ==, 2);
}

static void both_ways_note_who_has_changed_what(void) {
    g_autoptr(Session) session = desk_at_ten();
    desk_serve("owner", false);
    g_autofree char *acme = connected(session, "acme");
    static const char line[] = "schedule set acme --cron @daily --timezone Asia/Tokyo";
    g_auto(Said) here = desk_run(line);
    g_auto(Said) there = desk_run(desk_there(line));
    g_assert_cmpint(here.status + there.status, ==, 0);
    desk_noted_same("schedule.change");
    desk_fails("schedule set acme --every 30m", 2, "");
    desk_noted_same("schedule.change");
}

static void pauses_are_noted_too(void) {
    g_autoptr(Session) session = desk_at_ten();
    g_autoptr(Json) paused = desk_json("schedule pause weekly", 0);
    g_autoptr(Json) resumed = desk_json("schedule resume weekly", 0);
    g_autoptr(Json) log = desk_noted("schedule.change", 2);
    for (size_t i = 0; i < 2; i++) {
        const Json *row = json_item(log, i);
        g_assert_cmpstr(json_text(json_path(row, "target.id")), ==, SCHEDULE_WEEKLY);
        g_assert_cmpstr(json_text(json_path(row, "actor.kind")), ==, "cli");
        g_assert_true(json_member_bool(json_member(row, "details"), "paused", i == 0) == (i == 1));
    }
}

static void both_ways_refuse_the_same(void) {
    g_autoptr(Session) session = desk_at_ten();
    desk_serve("owner", false);
    g_autofree char *acme = connected(session, "acme");
    static const char *const lines[] = {
        "schedule set acme",
        "schedule set acme --every 4h --cron @daily",
        "schedule set acme --default --timezone UTC",
        "schedule set acme --every 4h --timezone UTC",
        "schedule set acme --every 30m",
        "schedule set acme --every soon",
        "schedule set acme --cron @reboot",
        "schedule set acme --cron @daily --timezone Mars",
        "schedule set daily --every 4h",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        desk_refuse_same(lines[i], 2);
    desk_refuse_same("schedule set nobody --every 4h", 3);
    desk_refuse_same("schedule pause nobody", 3);
}

static void whoever_only_reads_changes_no_schedule(void) {
    g_autoptr(Session) session = desk_at_ten();
    desk_serve("auditor", false);
    g_autofree char *acme = connected(session, "acme");
    desk_same("schedule", 0);
    desk_fails(desk_there("schedule set acme --every 12h"), 4, "");
    desk_fails(desk_there("schedule pause daily"), 4, "");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"without_integrations_nothing_is_due", without_integrations_nothing_is_due},
        {"people_see_rules_and_next_times", people_see_rules_and_next_times},
        {"the_object_is_that_of_the_api", the_object_is_that_of_the_api},
        {"an_interval_is_set_and_taken_back", an_interval_is_set_and_taken_back},
        {"an_integration_that_had_no_schedule_gets_one",
         an_integration_that_had_no_schedule_gets_one},
        {"an_expression_has_a_time_zone", an_expression_has_a_time_zone},
        {"wrong_wishes_say_what_would_be_right", wrong_wishes_say_what_would_be_right},
        {"rounds_go_by_their_names", rounds_go_by_their_names},
        {"an_integration_named_daily_is_an_integration",
         an_integration_named_daily_is_an_integration},
        {"a_paused_integration_is_due_never_and_its_runs_are_called_off",
         a_paused_integration_is_due_never_and_its_runs_are_called_off},
        {"what_is_disconnected_is_not_paused", what_is_disconnected_is_not_paused},
        {"organizations_have_schedules_of_their_own", organizations_have_schedules_of_their_own},
        {"both_ways_tell_the_same_of_schedules", both_ways_tell_the_same_of_schedules},
        {"both_ways_change_the_same", both_ways_change_the_same},
        {"what_is_changed_there_is_changed_here", what_is_changed_there_is_changed_here},
        {"both_ways_note_who_has_changed_what", both_ways_note_who_has_changed_what},
        {"pauses_are_noted_too", pauses_are_noted_too},
        {"both_ways_refuse_the_same", both_ways_refuse_the_same},
        {"whoever_only_reads_changes_no_schedule", whoever_only_reads_changes_no_schedule},
    };
    return desk_main(argc, argv, "schedule", tests, G_N_ELEMENTS(tests));
}
