/* Limits on the command line: what is left of them, and the operator's own. */
#include "unit/cli_support.h"

#include "base/clock.h"
#include "net/budget_share.h"
#include "store/budget.h"

#include <string.h>

#define HOUR 3600000LL

/* --- rows as workers leave them --------------------------------------------------------------- */

typedef struct {
    BudgetRow row; /* times are from the database's now */
    const char *place;
} Work;

static bool put_work(DbUnit *unit, void *data, GError **error) {
    const Work *work = data;
    g_autoptr(BudgetRow) made = NULL;
    BudgetRow row = work->row;
    int64_t now = 0;
    if (!budget_clock(unit, 0, &now, error) ||
        !budget_lock(unit, row.budget_key, now, &made, error))
        return false;
    int64_t *times[] = {&row.level_at,   &row.spent_until, &row.reset_at,
                        &row.held_until, &row.factor_at,   &row.touched_at};
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
        *times[i] += now;
    return budget_save(unit, &row, error);
}

static void put_row(const Session *session, const char *key, BudgetRow row) {
    Work work = {.row = row};
    work.row.budget_key = key;
    must(session_run(session, DB_WRITE, put_work, &work, &error));
}

static bool move_work(DbUnit *unit, void *data, GError **error) {
    BudgetAuthority wanted = {.epoch = 1, .place = data, .changed_at = clock_now_ms()};
    bool moved = false;
    return budget_authority_move(unit, &wanted, &moved, error) && moved;
}

static Json *limit_at(const Json *json, size_t index) {
    return json_item(json_member(json, "limits"), index);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void without_calls_there_is_nothing_to_see(void) {
    g_autoptr(Session) session = desk_session();
    g_auto(Said) said = desk_run("limits");
    assert_holds(said.out, "Nothing was called yet.");
    assert_holds(said.out, "Counted in database.");
    g_autoptr(Json) json = desk_json("limits", 0);
    g_assert_cmpuint(json_count(json_member(json, "limits")), ==, 0);
    g_assert_cmpuint(json_count(json_member(json, "operator")), ==, 0);
}

static void nothing_set_up_says_what_to_do_first(void) {
    desk_fails("limits", 3, "assay init");
    desk_fails("limits set github 1/1s", 3, "assay init");
}

static void a_quota_is_shown_with_what_is_left(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autofree char *key = g_strconcat("github/0/", id, NULL);
    put_row(session, key,
            (BudgetRow){.kind = BUDGET_QUOTA,
                        .window_ms = HOUR,
                        .limit_calls = 5000,
                        .told_limit = 4000,
                        .remaining = 3210,
                        .reset_at = HOUR / 2});
    g_autoptr(Json) json = desk_json("limits", 0);
    const Json *item = limit_at(json, 0);
    g_assert_cmpstr(json_member_string(item, "provider", ""), ==, "github");
    g_assert_cmpstr(json_member_string(item, "integration", ""), ==, "acme");
    g_assert_cmpstr(json_member_string(item, "integrationId", ""), ==, id);
    g_assert_cmpstr(json_member_string(item, "kind", ""), ==, "quota");
    g_assert_cmpstr(json_member_string(item, "declared", ""), ==, "5000/1h");
    g_assert_cmpstr(json_member_string(item, "inForce", ""), ==, "4000/1h");
    g_assert_cmpstr(json_member_string(item, "authority", ""), ==, "provider");
    g_assert_cmpint(json_member_int(item, "remaining", 0), ==, 3210);
    g_auto(Said) said = desk_run("limits");
    assert_holds(said.out, "github   acme         quota 0   5000/1h   4000/1h  provider  3,210");
}

static void a_limit_of_an_account_names_the_account(void) {
    g_autoptr(Session) session = desk_session();
    put_row(session, "aws/iam/all/123456789012",
            (BudgetRow){.kind = BUDGET_RATE, .window_ms = 1000, .limit_calls = 10});
    g_autoptr(Json) json = desk_json("limits", 0);
    const Json *item = limit_at(json, 0);
    g_assert_cmpstr(json_member_string(item, "accountId", ""), ==, "123456789012");
    g_assert_null(json_member_string(item, "integrationId", NULL));
    g_auto(Said) said = desk_run("limits");
    assert_holds(said.out, "123456789012");
    assert_holds(said.out, "rate iam/all");
}

static void a_reset_that_is_over_gives_the_whole_quota(void) {
    g_autoptr(Session) session = desk_session();
    put_row(session, "github/0/app",
            (BudgetRow){.kind = BUDGET_QUOTA,
                        .window_ms = HOUR,
                        .limit_calls = 5000,
                        .remaining = 7,
                        .reset_at = -1});
    g_autoptr(Json) json = desk_json("limits", 0);
    g_assert_cmpint(json_member_int(limit_at(json, 0), "remaining", 0), ==, 5000);
    g_assert_null(json_member_string(limit_at(json, 0), "resetAt", NULL));
    g_assert_null(json_member_string(limit_at(json, 0), "integration", NULL)); /* of all */
}

static void a_slowed_and_held_rate_says_so(void) {
    g_autoptr(Session) session = desk_session();
    put_row(session, "slack/0/app",
            (BudgetRow){.kind = BUDGET_RATE,
                        .window_ms = 60000,
                        .limit_calls = 50,
                        .factor = 500,
                        .held_until = HOUR});
    g_autoptr(Json) json = desk_json("limits", 0);
    const Json *item = limit_at(json, 0);
    g_assert_cmpfloat(json_member_real(item, "pace", 0), ==, 0.5);
    int64_t held = 0;
    g_assert_true(clock_parse(json_member_string(item, "heldUntil", ""), &held));
    g_assert_cmpint(held - clock_now_ms(), >, HOUR - 60000);
    g_assert_cmpint(held - clock_now_ms(), <=, HOUR);
    g_auto(Said) said = desk_run("limits");
    assert_holds(said.out, "50 %  in 59 minutes");
}

static void rows_of_a_place_that_was_left_are_not_shown(void) {
    g_autoptr(Session) session = desk_session();
    put_row(session, "slack/0/app",
            (BudgetRow){.kind = BUDGET_RATE, .window_ms = 60000, .limit_calls = 50});
    must(session_run(session, DB_WRITE, move_work, (void *)(uintptr_t)BUDGET_IN_REDIS, &error));
    g_autoptr(Json) json = desk_json("limits", 0);
    g_assert_cmpuint(json_count(json_member(json, "limits")), ==, 0);
    const Json *counted = json_member(json, "counted");
    g_assert_cmpstr(json_member_string(counted, "in", ""), ==, "redis");
    g_assert_false(json_member_bool(counted, "reachable", true));
    g_auto(Said) said = desk_run("limits");
    assert_holds(said.err, "set REDIS_URL as the workers have it");
}

/* --- the operator's own ----------------------------------------------------------------------- */

static void a_limit_is_set_replaced_and_taken_back(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Json) set = desk_json("limits set github 30/1m", 0);
    g_assert_cmpstr(json_member_string(set, "limit", ""), ==, "30/1m");
    g_autoptr(Json) again = desk_json("limits set github 120/1m", 0);
    g_autoptr(Json) json = desk_json("limits", 0);
    const Json *own = json_item(json_member(json, "operator"), 0);
    g_assert_cmpstr(json_member_string(own, "provider", ""), ==, "github");
    g_assert_cmpstr(json_member_string(own, "limit", ""), ==, "120/1m");
    g_assert_cmpstr(json_member_string(own, "origin", ""), ==, "command");
    g_auto(Said) said = desk_run("limits");
    assert_holds(said.out, "Your own limit of github: 120/1m (command)");
    g_autoptr(Json) cleared = desk_json("limits clear github", 0);
    g_assert_null(json_member_string(cleared, "limit", NULL));
    desk_fails("limits clear github", 3, "no limit of the operator");
}

static void the_limit_of_the_settings_is_shown_as_well(void) {
    g_autoptr(Session) session = desk_session();
    const char *file = desk_file("assay.yaml", "limits: {github: 25/1m}\n");
    g_autofree char *line = g_strdup_printf("limits --config %s", file);
    g_autoptr(Json) json = desk_json(line, 0);
    const Json *own = json_item(json_member(json, "operator"), 0);
    g_assert_cmpstr(json_member_string(own, "limit", ""), ==, "25/1m");
    g_assert_cmpstr(json_member_string(own, "origin", ""), ==, "configuration");
}

static void mistakes_are_told(void) {
    g_autoptr(Session) session = desk_session();
    desk_fails("limits set github often", 2, "50/1m");
    desk_fails("limits set github 0/1m", 2, "not a limit");
    desk_fails("limits set nobody 1/1s", 3, "nobody");
    desk_fails("limits set github", 2, "something is missing");
    desk_fails("limits clear", 2, "something is missing");
    desk_fails("limits github", 2, "limits");
}

/* --- the same of a server --------------------------------------------------------------------- */

/* Without the times of use, which are those of the keeper's clock and move on. */
static char *overview(const char *line) {
    g_autoptr(Json) json = desk_json(line, 0);
    for (size_t i = 0; i < json_count(json_member(json, "limits")); i++)
        json_remove(json_item(json_member(json, "limits"), i), "usedAt");
    return json_print(json, JSON_SORTED);
}

static void assert_same_overview(void) {
    g_autofree char *here = overview("limits");
    g_autofree char *there = overview(desk_there("limits"));
    g_assert_cmpstr(here, ==, there);
    g_auto(Said) table = desk_run("limits");
    g_auto(Said) same = desk_run(desk_there("limits"));
    g_assert_cmpstr(table.out, ==, same.out);
    g_assert_cmpstr(table.err, ==, same.err);
}

static void both_ways_tell_the_same_of_limits(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autofree char *key = g_strconcat("github/0/", id, NULL);
    desk_serve("owner", true);
    assert_same_overview();
    put_row(session, key,
            (BudgetRow){.kind = BUDGET_QUOTA,
                        .window_ms = HOUR,
                        .limit_calls = 5000,
                        .told_limit = 4000,
                        .remaining = 3210});
    put_row(session, "slack/0/app", (BudgetRow){.kind = BUDGET_QUOTA, .limit_calls = 0});
    assert_same_overview();
}

static void the_operator_sets_limits_there(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("member", true);
    g_auto(Said) set = desk_run(desk_there("limits set github 60/60s"));
    g_assert_cmpint(set.status, ==, 0);
    assert_holds(set.out, "github is called at most 60/1m for each connection.");
    assert_same_overview();
    g_autoptr(Json) cleared = desk_json(desk_there("limits clear github"), 0);
    g_assert_cmpstr(json_member_string(cleared, "provider", ""), ==, "github");
    g_assert_null(json_member_string(cleared, "limit", NULL));
    assert_same_overview();
}

static void both_ways_note_who_set_a_limit(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("member", true);
    g_autoptr(Json) here = desk_json("limits set github 30/1m", 0);
    g_autoptr(Json) there = desk_json(desk_there("limits set github 20/1m"), 0);
    g_autoptr(Json) log = desk_json("audit --installation --action settings.change", 0);
    const Json *rows = json_member(log, "audit");
    g_assert_cmpuint(json_count(rows), ==, 2);
    g_assert_cmpstr(json_text(json_path(json_item(rows, 0), "details.limit")), ==, "20/1m");
    g_assert_cmpstr(json_text(json_path(json_item(rows, 0), "actor.name")), ==, "desk");
    g_assert_cmpstr(json_text(json_path(json_item(rows, 1), "actor.kind")), ==, "cli");
}

static void both_ways_refuse_the_same(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("member", true);
    desk_refuse_same("limits set github often", 2);
    desk_refuse_same("limits set nobody 1/1s", 3);
    desk_refuse_same("limits clear nobody", 3);
    desk_refuse_same("limits clear github", 3);
}

static void limits_are_the_operators_alone(void) {
    g_autoptr(Session) session = desk_session();
    desk_serve("owner", false);
    desk_fails(desk_there("limits"), 4, "operator");
    desk_fails(desk_there("limits set github 30/1m"), 4, "operator");
    desk_fails(desk_there("limits clear github"), 4, "operator");
}

static const DeskTest tests[] = {
    {"without_calls_there_is_nothing_to_see", without_calls_there_is_nothing_to_see},
    {"nothing_set_up_says_what_to_do_first", nothing_set_up_says_what_to_do_first},
    {"a_quota_is_shown_with_what_is_left", a_quota_is_shown_with_what_is_left},
    {"a_limit_of_an_account_names_the_account", a_limit_of_an_account_names_the_account},
    {"a_reset_that_is_over_gives_the_whole_quota", a_reset_that_is_over_gives_the_whole_quota},
    {"a_slowed_and_held_rate_says_so", a_slowed_and_held_rate_says_so},
    {"rows_of_a_place_that_was_left_are_not_shown", rows_of_a_place_that_was_left_are_not_shown},
    {"a_limit_is_set_replaced_and_taken_back", a_limit_is_set_replaced_and_taken_back},
    {"the_limit_of_the_settings_is_shown_as_well", the_limit_of_the_settings_is_shown_as_well},
    {"mistakes_are_told", mistakes_are_told},
    {"both_ways_tell_the_same_of_limits", both_ways_tell_the_same_of_limits},
    {"the_operator_sets_limits_there", the_operator_sets_limits_there},
    {"both_ways_note_who_set_a_limit", both_ways_note_who_set_a_limit},
    {"both_ways_refuse_the_same", both_ways_refuse_the_same},
    {"limits_are_the_operators_alone", limits_are_the_operators_alone},
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "limits", tests, G_N_ELEMENTS(tests));
}
