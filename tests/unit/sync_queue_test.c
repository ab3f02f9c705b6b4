/* From a wish to a job: which evidence types, and one run at a time. */
#include "unit/provider_support.h"
#include "unit/sync_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "provider/definition_load.h"
#include "store/definition_text.h"
#include "sync/queue.h"

#include <string.h>

static Definition *github;

typedef struct {
    Place place;
    Integration *integration;
} Desk;

static void desk_init(Desk *desk) {
    place_init(&desk->place);
    desk->integration = sync_integration(&desk->place, &scope_a, "acme");
}

static void desk_clear(Desk *desk) {
    integration_free(desk->integration);
    place_clear(&desk->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Desk, desk_clear)

static bool ask(const Desk *desk, const SyncRequest *request, char **id_out, GError **error) {
    return queue_sync(desk->place.db, &scope_a, desk->integration, github, request, id_out, error);
}

static char *queued(const Desk *desk, const SyncRequest *request) {
    char *id = NULL;
    must(ask(desk, request, &id, &error));
    return id;
}

static void refuse(const Desk *desk, const SyncRequest *request, ErrorCode code, const char *part) {
    char *id = NULL;
    must_fail(code, part, ask(desk, request, &id, &error));
    g_assert_null(id);
}

static void assert_status(const Desk *desk, const char *id, const char *status) {
    g_autoptr(Job) job = sync_job(&desk->place, &scope_a, id);
    g_assert_cmpstr(job->status, ==, status);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ALL "{\"evidenceTypes\":[\"branch_protection\",\"security_alerts\"],\"from\":0,\"to\":0}"
#define BRANCHES "{\"evidenceTypes\":[\"branch_protection\"],\"from\":0,\"to\":0}"
#define ALERTS "{\"evidenceTypes\":[\"security_alerts\"],\"from\":0,\"to\":0}"

/* --- which evidence types --------------------------------------------------------------------- */

static void nothing_named_means_everything(void) {
    static const char *const none[] = {NULL};
    static const SyncRequest requests[] = {{.from_ms = 0},
                                           {.evidence_types = none, .controls = none}};
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_auto(Desk) desk = {0};
        desk_init(&desk);
        g_autofree char *id = queued(&desk, &requests[i]);
        g_autoptr(Job) job = sync_job(&desk.place, &scope_a, id);
        g_assert_cmpstr(job->request, ==, ALL);
        g_assert_cmpstr(job->status, ==, JOB_PENDING);
        g_assert_cmpstr(job->integration_id, ==, "acme");
        g_assert_cmpstr(job->definition_sha256, ==, github->sha256);
        g_assert_cmpint(job->priority, >, 0);
    }
}

static bool read_text(DbUnit *unit, void *data, GError **error) {
    DefinitionText **text = data;
    g_clear_pointer(text, definition_text_free);
    return definition_text_get(unit, github->sha256, text, error);
}

static void the_definition_is_stored_with_the_job(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *id = queued(&desk, &(SyncRequest){0});
    g_autoptr(DefinitionText) text = NULL;
    must(db_run(desk.place.db, &scope_a, DB_READ, read_text, &text, &error));
    g_assert_cmpstr(text->body, ==, github->text);
}

typedef struct {
    SyncRequest request;
    const char *expected;
} Choice;

static void named_types_and_controls_choose(void) {
    const Choice choices[] = {
        {{.evidence_types = NAMES("security_alerts")}, ALERTS},
        {{.evidence_types = NAMES("security_alerts", "branch_protection")}, ALL},
        {{.evidence_types = NAMES("security_alerts", "security_alerts")}, ALERTS},
        {{.controls = NAMES("CC8.1")}, BRANCHES},
        {{.controls = NAMES("CC7.1")}, ALERTS},
        {{.controls = NAMES("CC7.1", "CC8.1", "CC8.1")}, ALL},
        {{.controls = NAMES("soc2:CC8.1")}, BRANCHES},
        {{.controls = NAMES("iso27001_2022:8.8")}, ALERTS},
        {{.controls = NAMES("iso27001_2013:A.12.6.1")}, ALERTS},
        {{.controls = NAMES("cc_7_1")}, ALERTS},
        {{.controls = NAMES("SOC 2:CC 7.1")}, ALERTS},
        {{.evidence_types = NAMES("branch_protection", "security_alerts"),
          .controls = NAMES("CC7.1")},
         ALERTS},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
        g_auto(Desk) desk = {0};
        desk_init(&desk);
        g_autofree char *id = queued(&desk, &choices[i].request);
        g_autoptr(Job) job = sync_job(&desk.place, &scope_a, id);
        g_assert_cmpstr(job->request, ==, choices[i].expected);
    }
}

static void what_cannot_be_chosen_is_named(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    SyncRequest type = {.evidence_types = NAMES("branch_protection", "branches")};
    refuse(&desk, &type, ERROR_USAGE, "GitHub has no evidence type \"branches\"");
    SyncRequest misspelt = {.controls = NAMES("CC8.1", "CC99.9")};
    refuse(&desk, &misspelt, ERROR_USAGE, "CC99.9");
    SyncRequest framework = {.controls = NAMES("nowhere:CC8.1")};
    refuse(&desk, &framework, ERROR_USAGE, "nowhere");
    SyncRequest unserved = {.controls = NAMES("CC1.1")};
    refuse(&desk, &unserved, ERROR_USAGE, "nothing that acme collects supports the control CC1.1");
    SyncRequest apart = {.evidence_types = NAMES("branch_protection"), .controls = NAMES("CC7.1")};
    refuse(&desk, &apart, ERROR_USAGE, "none of the evidence types given supports");
    g_autofree char *id = queued(&desk, &(SyncRequest){0});
    g_autoptr(Job) job = sync_job(&desk.place, &scope_a, id);
    g_assert_cmpstr(job->status, ==, JOB_PENDING);
}

static void a_range_is_kept(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    SyncRequest range = {
        .controls = NAMES("CC7.1"), .from_ms = 1760000000000, .to_ms = 1760000000001};
    g_autofree char *id = queued(&desk, &range);
    g_autoptr(Job) job = sync_job(&desk.place, &scope_a, id);
    g_autoptr(Json) json = json_of(job->request);
    g_assert_cmpint(json_member_int(json, "from", 0), ==, 1760000000000);
    g_assert_cmpint(json_member_int(json, "to", 0), ==, 1760000000001);
}

/* --- one run at a time ------------------------------------------------------------------------ */

static void the_same_wish_gets_the_same_job(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *first = queued(&desk, &(SyncRequest){0});
    g_autofree char *pending = queued(&desk, &(SyncRequest){0});
    g_assert_cmpstr(pending, ==, first);
    SyncRequest spelt = {.evidence_types = NAMES("security_alerts", "branch_protection")};
    g_autofree char *other_words = queued(&desk, &spelt);
    g_assert_cmpstr(other_words, ==, first);
    g_assert_true(sync_claim(&desk.place, &scope_a, first, "host:1"));
    g_autofree char *running = queued(&desk, &(SyncRequest){0});
    g_assert_cmpstr(running, ==, first);
    sync_park(&desk.place, &scope_a, first);
    g_autofree char *parked = queued(&desk, &(SyncRequest){0});
    g_assert_cmpstr(parked, ==, first);
    assert_status(&desk, first, JOB_PARKED);
}

static void a_wider_wish_calls_off_a_narrower_one_that_waits(void) {
    for (int parked = 0; parked <= 1; parked++) {
        g_auto(Desk) desk = {0};
        desk_init(&desk);
        SyncRequest narrow = {.controls = NAMES("CC8.1")};
        g_autofree char *first = queued(&desk, &narrow);
        if (parked) {
            g_assert_true(sync_claim(&desk.place, &scope_a, first, "host:1"));
            sync_park(&desk.place, &scope_a, first);
        }
        g_autofree char *second = queued(&desk, &(SyncRequest){0});
        g_assert_cmpstr(second, !=, first);
        assert_status(&desk, first, JOB_CANCELLED);
        assert_status(&desk, second, JOB_PENDING);
    }
}

static void a_narrower_wish_leaves_a_wider_one_in_its_place(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *first = queued(&desk, &(SyncRequest){0});
    g_autofree char *second = queued(&desk, &(SyncRequest){.controls = NAMES("CC8.1")});
    g_assert_cmpstr(second, !=, first);
    assert_status(&desk, first, JOB_PENDING);
    assert_status(&desk, second, JOB_PENDING);
    g_assert_true(sync_claim(&desk.place, &scope_a, first, "host:1"));
    g_assert_false(sync_claim(&desk.place, &scope_a, second, "host:2"));
}

static void another_range_is_another_wish(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *first = queued(&desk, &(SyncRequest){0});
    g_autofree char *second = queued(&desk, &(SyncRequest){.from_ms = 1});
    g_assert_cmpstr(second, !=, first);
    assert_status(&desk, first, JOB_PENDING);
    assert_status(&desk, second, JOB_PENDING);
}

static void too_many_different_wishes_are_refused(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    for (int i = 1; i <= QUEUE_WAITING_MAX; i++) {
        g_autofree char *id = queued(&desk, &(SyncRequest){.from_ms = i});
    }
    SyncRequest one_more = {.from_ms = QUEUE_WAITING_MAX + 1};
    refuse(&desk, &one_more, ERROR_LIMIT, "20 different syncs of acme wait already");
    g_autofree char *known = queued(&desk, &(SyncRequest){.from_ms = 7});
    assert_status(&desk, known, JOB_PENDING);
}

static void a_run_that_began_long_ago_is_not_gone_on_with(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    clock_freeze(1760000000000);
    g_autofree char *first = queued(&desk, &(SyncRequest){0});
    g_assert_true(sync_claim(&desk.place, &scope_a, first, "host:1"));
    sync_park(&desk.place, &scope_a, first);
    clock_advance(24LL * 60 * 60 * 1000);
    g_autofree char *in_time = queued(&desk, &(SyncRequest){0});
    g_assert_cmpstr(in_time, ==, first);
    clock_advance(1);
    g_autofree char *second = queued(&desk, &(SyncRequest){0});
    g_assert_cmpstr(second, !=, first);
    assert_status(&desk, first, JOB_CANCELLED);
    clock_thaw();
}

/* --- priorities and schedules ----------------------------------------------------------------- */

static void assert_priority(const Desk *desk, const char *id, int64_t priority) {
    g_autoptr(Job) job = sync_job(&desk->place, &scope_a, id);
    g_assert_cmpint(job->priority, ==, priority);
}

static void a_person_comes_before_a_schedule_and_renewal_last(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    SyncRequest renewal = {.evidence_types = NAMES("security_alerts"), .cause = SYNC_RENEWAL};
    g_autofree char *first = queued(&desk, &renewal);
    assert_priority(&desk, first, JOB_PRIORITY_RENEWAL);
    g_autofree char *second = queued(&desk, &(SyncRequest){.cause = SYNC_SCHEDULE});
    assert_priority(&desk, second, JOB_PRIORITY_SCHEDULE);
    assert_status(&desk, first, JOB_CANCELLED); /* it is collected anyway */
    g_autofree char *person = queued(&desk, &(SyncRequest){0});
    g_assert_cmpstr(person, ==, second);
    assert_priority(&desk, second, JOB_PRIORITY_PERSON);
    g_autofree char *again = queued(&desk, &(SyncRequest){.cause = SYNC_SCHEDULE});
    g_assert_cmpstr(again, ==, second);
    assert_priority(&desk, second, JOB_PRIORITY_PERSON);
}

static void what_is_due_joins_whatever_collects_as_much(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *all = queued(&desk, &(SyncRequest){0});
    SyncRequest renewal = {.evidence_types = NAMES("security_alerts"), .cause = SYNC_RENEWAL};
    g_autofree char *renewed = queued(&desk, &renewal);
    g_assert_cmpstr(renewed, ==, all);
    g_assert_true(sync_claim(&desk.place, &scope_a, all, "host:1"));
    g_autofree char *due = queued(&desk, &(SyncRequest){.cause = SYNC_SCHEDULE});
    g_assert_cmpstr(due, ==, all);
    g_autofree char *person =
        queued(&desk, &(SyncRequest){.evidence_types = NAMES("security_alerts")});
    g_assert_cmpstr(person, !=, all);
}

static void what_is_due_waits_for_a_run_that_collects_less(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    SyncRequest narrow = {.evidence_types = NAMES("security_alerts")};
    g_autofree char *running = queued(&desk, &narrow);
    g_assert_true(sync_claim(&desk.place, &scope_a, running, "host:1"));
    g_autofree char *due = queued(&desk, &(SyncRequest){.cause = SYNC_SCHEDULE});
    g_assert_cmpstr(due, !=, running);
    assert_status(&desk, running, JOB_RUNNING);
    g_assert_false(sync_claim(&desk.place, &scope_a, due, "host:2"));
}

static void the_integrations_own_choice_of_types_is_the_default(void) {
    static const struct {
        const char *choice;
        const char *expected;
    } cases[] = {{"[\"security_alerts\"]", ALERTS},
                 {"[\"security_alerts\",\"gone\"]", ALERTS},
                 {"[\"gone\"]", ALL},
                 {"[]", ALL}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Desk) desk = {0};
        desk_init(&desk);
        Integration chosen = *desk.integration;
        chosen.evidence_types = cases[i].choice;
        char *id = NULL;
        must(queue_sync(desk.place.db, &scope_a, &chosen, github, &(SyncRequest){0}, &id, &error));
        g_autoptr(Job) job = sync_job(&desk.place, &scope_a, id);
        g_assert_cmpstr(job->request, ==, cases[i].expected);
        g_free(id);
    }
}

/* --- again ------------------------------------------------------------------------------------ */

typedef struct {
    const char *id;
    JobCancel how;
} CancelWork;

static bool cancel_work(DbUnit *unit, void *data, GError **error) {
    CancelWork *work = data;
    return job_cancel(unit, work->id, &work->how, error);
}

static JobCancel cancel(const Desk *desk, const char *id) {
    CancelWork work = {.id = id};
    must(db_run(desk->place.db, &scope_a, DB_WRITE, cancel_work, &work, &error));
    return work.how;
}

/* --- who asked -------------------------------------------------------------------------------- */

static const AuditActor mona = {.kind = AUDIT_CLI, .name = "mona"};

static bool log_work(DbUnit *unit, void *data, GError **error) {
    AuditFilter filter = {.action = "sync.start", .limit = 10};
    GPtrArray **rows = data;
    g_clear_pointer(rows, g_ptr_array_unref); /* units may run twice */
    return audit_list(unit, &filter, rows, error);
}

/* How often the log says that mona had the integration collected from. */
static void assert_noted(const Desk *desk, guint times) {
    g_autoptr(GPtrArray) rows = NULL;
    must(db_run(desk->place.db, &scope_a, DB_READ, log_work, &rows, &error));
    g_assert_cmpuint(rows->len, ==, times);
    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        g_assert_nonnull(strstr(row->record, "\"name\":\"mona\""));
        g_assert_nonnull(strstr(row->record, desk->integration->id));
        g_assert_nonnull(strstr(row->record, "\"details\":{\"jobId\":\""));
    }
}

static void who_asks_is_noted_with_the_job_and_not_without_it(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    SyncRequest asked = {.actor = &mona};
    SyncRequest wrong = {.evidence_types = NAMES("no_such_type"), .actor = &mona};
    g_autofree char *id = NULL;
    must_fail(ERROR_USAGE, "no_such_type", ask(&desk, &wrong, &id, &error));
    assert_noted(&desk, 0);
    g_autofree char *first = queued(&desk, &asked);
    g_autofree char *same = queued(&desk, &asked);
    g_assert_cmpstr(first, ==, same);
    assert_noted(&desk, 2);
}

static void a_called_off_job_is_asked_for_again_as_it_was(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Registry) registry = NULL;
    must((registry = registry_new(NULL, &error)) != NULL);
    SyncRequest request = {.evidence_types = NAMES("security_alerts"), .from_ms = 5};
    g_autofree char *first = queued(&desk, &request);
    g_assert_cmpint(cancel(&desk, first), ==, JOB_CANCEL_DONE);
    g_autofree char *second = NULL;
    must(queue_retry(desk.place.db, &scope_a, registry, &mona, first, &second, &error));
    g_assert_cmpstr(second, !=, first);
    g_autoptr(Job) before = sync_job(&desk.place, &scope_a, first);
    g_autoptr(Job) after = sync_job(&desk.place, &scope_a, second);
    g_assert_cmpstr(after->request, ==, before->request);
    g_assert_cmpint(after->priority, ==, JOB_PRIORITY_PERSON);
    assert_noted(&desk, 1);
}

static void a_parked_job_is_gone_on_with_at_once_and_a_running_one_is_not(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Registry) registry = NULL;
    must((registry = registry_new(NULL, &error)) != NULL);
    g_autofree char *id = queued(&desk, &(SyncRequest){0});
    g_autofree char *same = NULL;
    g_assert_true(sync_claim(&desk.place, &scope_a, id, "host:1"));
    must_fail(ERROR_CONFLICT, "the job is running",
              queue_retry(desk.place.db, &scope_a, registry, &mona, id, &same, &error));
    g_assert_null(same);
    assert_noted(&desk, 0);
    sync_park(&desk.place, &scope_a, id);
    must(queue_retry(desk.place.db, &scope_a, registry, &mona, id, &same, &error));
    g_assert_cmpstr(same, ==, id);
    g_assert_true(sync_claim(&desk.place, &scope_a, id, "host:1"));
    must_fail(ERROR_NOT_FOUND, "",
              queue_retry(desk.place.db, &scope_b, registry, &mona, id, &same, &error));
}

static void what_was_asked_to_stop_is_not_joined(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *first = queued(&desk, &(SyncRequest){0});
    g_assert_true(sync_claim(&desk.place, &scope_a, first, "host:1"));
    g_assert_cmpint(cancel(&desk, first), ==, JOB_CANCEL_ASKED);
    g_autofree char *second = queued(&desk, &(SyncRequest){0});
    g_assert_cmpstr(second, !=, first);
    g_assert_false(sync_claim(&desk.place, &scope_a, second, "host:2"));
}

/* --- definitions and owners ------------------------------------------------------------------- */

static bool ask_of(const Desk *desk, const Definition *definition, char **id_out, GError **error) {
    SyncRequest all = {0};
    return queue_sync(desk->place.db, &scope_a, desk->integration, definition, &all, id_out, error);
}

static void a_new_definition_begins_anew(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *first = queued(&desk, &(SyncRequest){0});
    g_autofree char *text = g_strconcat(github->text, "\n# newer\n", NULL);
    g_autoptr(Definition) newer = NULL;
    must((newer = definition_load("newer", text, strlen(text), NULL, &error)) != NULL);
    g_autofree char *second = NULL;
    must(ask_of(&desk, newer, &second, &error));
    g_assert_cmpstr(second, !=, first);
    assert_status(&desk, first, JOB_CANCELLED);
    g_autoptr(Job) job = sync_job(&desk.place, &scope_a, second);
    g_assert_cmpstr(job->definition_sha256, ==, newer->sha256);
}

/* Its hash is not that of its text. */
static void a_job_that_cannot_be_stored_calls_nothing_off(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *first = queued(&desk, &(SyncRequest){0});
    Definition forged = *github;
    memset(forged.sha256, 'a', sizeof forged.sha256 - 1);
    char *second = NULL;
    must_fail(ERROR_INTERNAL, "", ask_of(&desk, &forged, &second, &error));
    g_assert_null(second);
    assert_status(&desk, first, JOB_PENDING);
}

static void another_wish_waits_for_a_run_that_is_under_way(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *first = queued(&desk, &(SyncRequest){.controls = NAMES("CC8.1")});
    g_assert_true(sync_claim(&desk.place, &scope_a, first, "host:1"));
    g_autofree char *second = queued(&desk, &(SyncRequest){0});
    assert_status(&desk, first, JOB_RUNNING);
    assert_status(&desk, second, JOB_PENDING);
    g_assert_false(sync_claim(&desk.place, &scope_a, second, "host:2"));
}

static void a_job_of_a_dead_owner_can_be_claimed_at_once(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *first = queued(&desk, &(SyncRequest){.controls = NAMES("CC8.1")});
    g_assert_true(sync_claim(&desk.place, &scope_a, first, "host:dead"));
    g_autofree char *run = g_build_filename(desk.place.folder, "run", NULL);
    g_autofree char *lock = g_build_filename(run, "dead.lock", NULL);
    g_assert_cmpint(g_mkdir_with_parents(run, 0700), ==, 0);
    must(g_file_set_contents(lock, "host:dead", -1, &error));
    g_autofree char *waiting = queued(&desk, &(SyncRequest){0});
    assert_status(&desk, first, JOB_RUNNING);
    SyncRequest wider = {.data_dir = desk.place.folder};
    g_autofree char *second = queued(&desk, &wider);
    g_assert_cmpstr(second, ==, waiting);
    assert_status(&desk, first, JOB_RUNNING); /* its lease is let go of, and it is the next */
    g_assert_true(sync_claim(&desk.place, &scope_a, first, "host:2"));
}

static void integrations_do_not_stand_in_each_others_way(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *first = queued(&desk, &(SyncRequest){0});
    integration_free(desk.integration);
    desk.integration = sync_integration(&desk.place, &scope_a, "beta");
    g_autofree char *second = queued(&desk, &(SyncRequest){.from_ms = 1});
    assert_status(&desk, first, JOB_PENDING);
    assert_status(&desk, second, JOB_PENDING);
}

static void another_organizations_integration_gets_no_job(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    char *id = NULL;
    must_fail(ERROR_NOT_FOUND, "",
              queue_sync(desk.place.db, &scope_b, desk.integration, github, &(SyncRequest){0}, &id,
                         &error));
    g_assert_null(id);
}

#define ADD(name) g_test_add_func("/sync/queue/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    github = support_github();
    ADD(nothing_named_means_everything);
    ADD(the_definition_is_stored_with_the_job);
    ADD(named_types_and_controls_choose);
    ADD(what_cannot_be_chosen_is_named);
    ADD(a_range_is_kept);
    ADD(the_same_wish_gets_the_same_job);
    ADD(a_wider_wish_calls_off_a_narrower_one_that_waits);
    ADD(a_narrower_wish_leaves_a_wider_one_in_its_place);
    ADD(too_many_different_wishes_are_refused);
    ADD(a_run_that_began_long_ago_is_not_gone_on_with);
    ADD(a_person_comes_before_a_schedule_and_renewal_last);
    ADD(what_is_due_joins_whatever_collects_as_much);
    ADD(what_is_due_waits_for_a_run_that_collects_less);
    ADD(the_integrations_own_choice_of_types_is_the_default);
    ADD(who_asks_is_noted_with_the_job_and_not_without_it);
    ADD(a_called_off_job_is_asked_for_again_as_it_was);
    ADD(a_parked_job_is_gone_on_with_at_once_and_a_running_one_is_not);
    ADD(what_was_asked_to_stop_is_not_joined);
    ADD(another_range_is_another_wish);
    ADD(a_new_definition_begins_anew);
    ADD(a_job_that_cannot_be_stored_calls_nothing_off);
    ADD(another_wish_waits_for_a_run_that_is_under_way);
    ADD(a_job_of_a_dead_owner_can_be_claimed_at_once);
    ADD(integrations_do_not_stand_in_each_others_way);
    ADD(another_organizations_integration_gets_no_job);
    int failed = g_test_run();
    definition_free(github);
    return failed;
}
