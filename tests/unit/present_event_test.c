#include "present/event_object.h"

#include <string.h>

static char *print(const Event *event, const EventFacts *facts) {
    g_autoptr(Json) json = event_object("o", event, facts);
    return json ? json_print(json, JSON_COMPACT) : g_strdup("nothing");
}

static void an_event_says_what_has_happened_to_what(void) {
    static const struct {
        Event event;
        const char *name;
        const char *text;
    } cases[] = {
        {{.kind = EVENT_JOB,
          .integration_id = "i",
          .job_id = "j",
          .data = "{\"status\":\"parked\"}"},
         "progress",
         "{\"organizationId\":\"o\",\"integrationId\":\"i\",\"jobId\":\"j\","
         "\"status\":\"parked\"}"},
        {{.kind = EVENT_EVIDENCE,
          .integration_id = "i",
          .data = "{\"id\":\"e\",\"evidenceType\":\"t\"}"},
         "evidence",
         "{\"organizationId\":\"o\",\"integrationId\":\"i\",\"id\":\"e\",\"evidenceType\":\"t\"}"},
        {{.kind = EVENT_FINDING, .integration_id = "i", .data = "{\"state\":\"opened\"}"},
         "finding",
         "{\"organizationId\":\"o\",\"integrationId\":\"i\",\"state\":\"opened\"}"},
        {{.kind = EVENT_INTEGRATION, .integration_id = "i", .data = "{\"removed\":true}"},
         "integration",
         "{\"organizationId\":\"o\",\"integrationId\":\"i\",\"removed\":true}"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = print(&cases[i].event, &(EventFacts){0});
        g_assert_cmpstr(text, ==, cases[i].text);
        g_assert_cmpstr(event_name(cases[i].event.kind), ==, cases[i].name);
    }
}

static void what_is_gone_or_not_known_is_not_told(void) {
    static const Event cases[] = {
        {.kind = EVENT_DONE, .job_id = "j", .data = "{\"status\":\"completed\"}"},
        {.kind = EVENT_INTEGRATION, .integration_id = "i", .data = "{}"},
        {.kind = EVENT_SCHEDULE, .data = "{\"id\":\"daily_sync\"}"},
        {.kind = "weather", .data = "{}"},
        {.kind = EVENT_JOB, .data = "{damaged"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = print(&cases[i], &(EventFacts){0});
        g_assert_cmpstr(text, ==, "nothing");
    }
    g_assert_null(event_name("weather"));
}

static void the_end_of_a_job_has_the_job(void) {
    const Job job = {.id = "j",
                     .organization_id = "o",
                     .integration_id = "i",
                     .status = JOB_FAILED,
                     .request = "{}",
                     .completed_at = 1};
    const JobResult result = {.error = "{\"code\":\"TIMEOUT\"}"};
    const Event event = {.kind = EVENT_DONE,
                         .integration_id = "i",
                         .job_id = "j",
                         .data = "{\"status\":\"failed\"}"};
    EventFacts facts = {.job = &job, .result = &result};
    g_autoptr(Json) json = event_object("o", &event, &facts);
    g_assert_cmpstr(json_member_string(json, "jobId", ""), ==, "j");
    g_assert_cmpstr(json_member_string(json, "id", ""), ==, "j");
    g_assert_cmpstr(json_text(json_path(json, "error.code")), ==, "TIMEOUT");
}

static void integrations_and_schedules_are_told_as_they_are_now(void) {
    const Integration row = {.id = "i",
                             .provider = "github",
                             .name = "n",
                             .status = INTEGRATION_DEGRADED,
                             .status_reason = "TIMEOUT",
                             .settings = "{\"api_url\":\"https://x\"}"};
    const Schedule schedule = {.id = "daily_sync", .rule = "0 9 * * *"};
    const Event changed = {.kind = EVENT_INTEGRATION, .integration_id = "i", .data = "{}"};
    const Event planned = {.kind = EVENT_SCHEDULE, .data = "{\"id\":\"daily_sync\"}"};
    g_autoptr(Json) json = event_object("o", &changed, &(EventFacts){.integration = &row});
    g_assert_cmpstr(json_member_string(json, "status", ""), ==, "degraded");
    g_assert_cmpstr(json_member_string(json, "statusReason", ""), ==, "TIMEOUT");
    g_assert_null(json_member(json, "config"));
    g_autoptr(Json) other = event_object("o", &planned, &(EventFacts){.schedule = &schedule});
    g_assert_cmpstr(json_member_string(other, "scheduleId", ""), ==, "daily_sync");
    g_assert_cmpstr(json_text(json_path(other, "schedule.rule")), ==, "0 9 * * *");
    g_assert_null(json_member(other, "id"));
}

static void progress_says_whose_it_is(void) {
    g_autoptr(Json) progress = json_new_object();
    json_put_int(progress, "rows", 7);
    g_autoptr(Json) json = event_progress_object("o", "i", "j", progress);
    g_autofree char *text = json_print(json, JSON_COMPACT);
    g_assert_cmpstr(text, ==,
                    "{\"organizationId\":\"o\",\"integrationId\":\"i\",\"jobId\":\"j\","
                    "\"status\":\"running\",\"rows\":7}");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/present/event/an_event_says_what_has_happened_to_what",
                    an_event_says_what_has_happened_to_what);
    g_test_add_func("/present/event/what_is_gone_or_not_known_is_not_told",
                    what_is_gone_or_not_known_is_not_told);
    g_test_add_func("/present/event/the_end_of_a_job_has_the_job", the_end_of_a_job_has_the_job);
    g_test_add_func("/present/event/integrations_and_schedules_are_told_as_they_are_now",
                    integrations_and_schedules_are_told_as_they_are_now);
    g_test_add_func("/present/event/progress_says_whose_it_is", progress_says_whose_it_is);
    return g_test_run();
}
