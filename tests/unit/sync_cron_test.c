/* Cron expressions: what they accept, and when they come next, also where clocks are set. */
#include "sync/cron.h"

#include "base/clock.h"
#include "base/error.h"

#include <string.h>

static Cron parsed(const char *text) {
    Cron cron = {0};
    g_autoptr(GError) error = NULL;
    if (!cron_parse(text, &cron, &error))
        g_error("%s: %s", text, error->message);
    return cron;
}

static int64_t ms(const char *time) {
    int64_t value = 0;
    if (!clock_parse(time, &value))
        g_error("%s is no time", time);
    return value;
}

static void assert_next(const char *text, const char *zone_name, const char *after,
                        const char *expected) {
    Cron cron = parsed(text);
    g_autoptr(GError) error = NULL;
    g_autoptr(GTimeZone) zone = cron_zone(zone_name, &error);
    g_assert_no_error(error);
    int64_t next = 0;
    if (!cron_next(&cron, zone, ms(after), &next))
        g_error("%s never comes", text);
    g_autofree char *said = clock_format(next);
    g_autofree char *wanted = clock_format(ms(expected));
    if (strcmp(said, wanted) != 0)
        g_error("%s in %s after %s is %s and not %s", text, zone_name, after, said, wanted);
}

typedef struct {
    const char *text;
    const char *after;
    const char *next;
} Case;

/* 2026-11-20 is a Friday. */
static void expressions_come_next_when_they_say(void) {
    static const Case cases[] = {
        {"* * * * *", "2026-11-20T10:00:00Z", "2026-11-20T10:01:00Z"},
        {"* * * * *", "2026-11-20T10:00:59.999Z", "2026-11-20T10:01:00Z"},
        {"* * * * *", "2026-12-31T23:59:30Z", "2027-01-01T00:00:00Z"},
        {"*/15 * * * *", "2026-11-20T10:46:00Z", "2026-11-20T11:00:00Z"},
        {"5-59/20 * * * *", "2026-11-20T10:25:00Z", "2026-11-20T10:45:00Z"},
        {"0 9 * * *", "2026-11-20T08:59:59Z", "2026-11-20T09:00:00Z"},
        {"0 9 * * *", "2026-11-20T09:00:00Z", "2026-11-21T09:00:00Z"},
        {"0 6 * * 1-5", "2026-11-20T06:00:00Z", "2026-11-23T06:00:00Z"},
        {"0 6 * * mon-fri", "2026-11-21T00:00:00Z", "2026-11-23T06:00:00Z"},
        {"0 6 * * FRI-SUN", "2026-11-23T00:00:00Z", "2026-11-27T06:00:00Z"},
        {"0 0 * * 0", "2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z"},
        {"0 0 * * 7", "2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z"},
        {"0 0 * * 5-7", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
        {"30 4 1,15 * *", "2026-11-20T00:00:00Z", "2026-12-01T04:30:00Z"},
        {"0 0 31 * *", "2026-11-20T00:00:00Z", "2026-12-31T00:00:00Z"},
        {"0 0 1 jan,jul *", "2026-11-20T00:00:00Z", "2027-01-01T00:00:00Z"},
        {"0 12 1-7 Dec *", "2026-11-20T00:00:00Z", "2026-12-01T12:00:00Z"},
        {"59 23 31 12 *", "2026-11-20T00:00:00Z", "2026-12-31T23:59:00Z"},
        {"0 */6 * * *", "2026-11-20T18:00:00Z", "2026-11-21T00:00:00Z"},
        {"0,30 8-10 * * *", "2026-11-20T10:30:00Z", "2026-11-21T08:00:00Z"},
        {" \t0  9\t* * * ", "2026-11-20T00:00:00Z", "2026-11-20T09:00:00Z"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_next(cases[i].text, "UTC", cases[i].after, cases[i].next);
}

static void nicknames_are_expressions(void) {
    static const Case cases[] = {
        {"@hourly", "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"},
        {"@daily", "2026-11-20T10:00:00Z", "2026-11-21T00:00:00Z"},
        {"@midnight", "2026-11-20T10:00:00Z", "2026-11-21T00:00:00Z"},
        {"@weekly", "2026-11-20T10:00:00Z", "2026-11-22T00:00:00Z"},
        {"@Monthly", "2026-11-20T10:00:00Z", "2026-12-01T00:00:00Z"},
        {"@yearly", "2026-11-20T10:00:00Z", "2027-01-01T00:00:00Z"},
        {"@annually", "2026-11-20T10:00:00Z", "2027-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_next(cases[i].text, "UTC", cases[i].after, cases[i].next);
}

/* crontab(5): either day field is enough when neither begins with a star. */
static void either_day_is_enough_when_both_are_given(void) {
    static const Case cases[] = {
        {"0 0 13 * 5", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"},
        {"0 0 13 * 5", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"},
        {"0 0 13 * *", "2026-11-20T00:00:00Z", "2026-12-13T00:00:00Z"},
        {"0 0 * * 5", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"},
        {"0 0 */2 * 5", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"}, /* both: odd Fridays */
        {"0 0 */2 * 5", "2026-11-27T00:00:00Z", "2026-12-11T00:00:00Z"},
        {"0 0 1-31 * 5", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"},
        {"0 0 13 * */2", "2026-11-20T00:00:00Z", "2026-12-13T00:00:00Z"}, /* a Sunday */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_next(cases[i].text, "UTC", cases[i].after, cases[i].next);
}

static void leap_days_come(void) {
    static const Case cases[] = {
        {"0 0 29 2 *", "2026-11-20T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"0 0 29 2 *", "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"},
        {"0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
        {"0 0 28 2 *", "2028-02-27T00:00:00Z", "2028-02-28T00:00:00Z"},
        {"0 0 1 3 *", "2027-02-28T12:00:00Z", "2027-03-01T00:00:00Z"},
        {"0 0 * 2 *", "2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"0 0 * 2 *", "2027-02-28T00:00:00Z", "2028-02-01T00:00:00Z"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_next(cases[i].text, "UTC", cases[i].after, cases[i].next);
}

static void what_never_comes_is_told(void) {
    static const char *const texts[] = {"0 0 30 2 *", "0 0 31 4,6,9,11 *"};
    g_autoptr(GTimeZone) zone = cron_zone("UTC", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        Cron cron = parsed(texts[i]);
        int64_t next = -1;
        g_assert_false(cron_next(&cron, zone, ms("2026-11-20T00:00:00Z"), &next));
        g_assert_cmpint(next, ==, -1);
    }
}

/* --- zones ------------------------------------------------------------------------------------ */

typedef struct {
    const char *text;
    const char *zone;
    const char *after;
    const char *next;
} Zoned;

static void run_zoned(const Zoned *cases, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_next(cases[i].text, cases[i].zone, cases[i].after, cases[i].next);
}

static void times_are_those_of_the_zone(void) {
    static const Zoned cases[] = {
        {"0 9 * * *", "Europe/Berlin", "2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z"},
        {"0 9 * * *", "Europe/Berlin", "2026-07-20T06:59:00Z", "2026-07-20T07:00:00Z"},
        {"0 9 * * *", "America/New_York", "2026-11-20T00:00:00Z", "2026-11-20T14:00:00Z"},
        {"0 9 * * *", "Asia/Kathmandu", "2026-11-20T00:00:00Z", "2026-11-20T03:15:00Z"},
        {"0 0 * * 0", "Pacific/Kiritimati", "2026-11-20T00:00:00Z", "2026-11-21T10:00:00Z"},
        {"0 0 1 1 *", "Pacific/Pago_Pago", "2026-11-20T00:00:00Z", "2027-01-01T11:00:00Z"},
    };
    run_zoned(cases, G_N_ELEMENTS(cases));
}

/* 2026-03-29 in Berlin: 02:00 CET becomes 03:00 CEST, at 01:00Z. 2026-03-08 in New York: 07:00Z.
 * 2026-10-04 on Lord Howe: 02:00 becomes 02:30, at 15:30Z of the day before. 2026-09-06 in
 * Santiago: midnight becomes 01:00, at 04:00Z. */
static void a_skipped_hour_runs_once_at_the_change(void) {
    static const Zoned cases[] = {
        {"30 2 * * *", "Europe/Berlin", "2026-03-28T02:00:00Z", "2026-03-29T01:00:00Z"},
        {"0,15,30,45 2 * * *", "Europe/Berlin", "2026-03-28T02:00:00Z", "2026-03-29T01:00:00Z"},
        {"0,15,30,45 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"},
        {"30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
        {"0 2,3 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"},
        {"30 2 * * *", "America/New_York", "2026-03-07T08:00:00Z", "2026-03-08T07:00:00Z"},
        {"15 2 * * *", "Australia/Lord_Howe", "2026-10-02T20:00:00Z", "2026-10-03T15:30:00Z"},
        {"0 0 * * *", "America/Santiago", "2026-09-05T05:00:00Z", "2026-09-06T04:00:00Z"},
    };
    run_zoned(cases, G_N_ELEMENTS(cases));
}

/* 2026-10-25 in Berlin: 03:00 CEST becomes 02:00 CET, at 01:00Z. 2026-11-01 in New York: 06:00Z. */
static void a_repeated_hour_runs_the_first_time_only(void) {
    static const Zoned cases[] = {
        {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
        {"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
        {"30 2,3 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"},
        {"0,30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-26T01:00:00Z"},
        {"30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z"},
        {"30 1 * * *", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"},
    };
    run_zoned(cases, G_N_ELEMENTS(cases));
}

static void every_hour_is_every_hour_also_when_clocks_are_set(void) {
    static const Zoned cases[] = {
        {"0 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
        {"0 * * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
        {"0 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T00:00:00Z"},
        {"0 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
        {"0 * * * *", "Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"},
        {"*/20 * * * *", "Europe/Berlin", "2026-10-25T00:40:00Z", "2026-10-25T01:00:00Z"},
        {"*/20 * * * *", "Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25T01:20:00Z"},
        {"30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"},
        {"0 * * * *", "America/Havana", "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z"},
    };
    run_zoned(cases, G_N_ELEMENTS(cases));
}

/* Whatever is asked, the answer is later, and nothing lies between: the next of one moment before
 * it is the same. */
static void the_next_time_is_the_first_one_later(void) {
    static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
                                        "Australia/Lord_Howe", "America/Santiago"};
    static const char *const texts[] = {"30 2 * * *", "*/7 * * * *", "0 0,1,2,3 * * *",
                                        "59 23 28-31 * *", "0 */5 * * 6"};
    for (size_t z = 0; z < G_N_ELEMENTS(zones); z++)
        for (size_t t = 0; t < G_N_ELEMENTS(texts); t++) {
            g_autoptr(GTimeZone) zone = cron_zone(zones[z], NULL);
            Cron cron = parsed(texts[t]);
            int64_t at = ms("2026-02-01T00:00:00Z");
            for (int i = 0; i < 300; i++) {
                int64_t next = 0;
                int64_t again = 0;
                g_assert_true(cron_next(&cron, zone, at, &next));
                g_assert_cmpint(next, >, at);
                g_assert_true(cron_next(&cron, zone, next - 1000, &again));
                g_assert_cmpint(again, ==, next);
                at = next;
            }
        }
}

static void days_begin_at_midnight_of_the_zone(void) {
    static const Zoned cases[] = {
        {"", "UTC", "2026-11-20T15:00:00Z", "2026-11-20T00:00:00Z"},
        {"", "UTC", "2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"},
        {"", "Europe/Berlin", "2026-11-20T23:30:00Z", "2026-11-20T23:00:00Z"},
        {"", "America/New_York", "2026-11-20T03:00:00Z", "2026-11-19T05:00:00Z"},
        {"", "America/New_York", "2026-03-08T20:00:00Z", "2026-03-08T05:00:00Z"},
        {"", "America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GTimeZone) zone = cron_zone(cases[i].zone, NULL);
        g_assert_cmpint(cron_day_begin(zone, ms(cases[i].after)), ==, ms(cases[i].next));
    }
}

static void unknown_zones_are_refused(void) {
    static const char *const names[] = {"",
                                        "Europe/Nowhere",
                                        "Mars",
                                        "../../../etc/passwd",
                                        "Europe/../Europe/Berlin",
                                        "/etc/localtime",
                                        "+02:00",
                                        "Europe/Berlin\n",
                                        ":UTC"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(cron_zone(names[i], &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_USAGE);
    }
}

/* --- what is refused -------------------------------------------------------------------------- */

static void wrong_expressions_name_the_field(void) {
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        {"", "five fields"},
        {"* * * *", "five fields"},
        {"* * * * * *", "five fields"},
        {"@reboot", "five fields"},
        {"60 * * * *", "the minute"},
        {"-1 * * * *", "the minute"},
        {"a * * * *", "the minute"},
        {"1, * * * *", "the minute"},
        {",1 * * * *", "the minute"},
        {"1- * * * *", "the minute"},
        {"5-1 * * * *", "the minute"},
        {"*/0 * * * *", "the minute"},
        {"*/ * * * *", "the minute"},
        {"5/10 * * * *", "the minute"},
        {"** * * * *", "the minute"},
        {"1000 * * * *", "the minute"},
        {"99999999999 * * * *", "the minute"},
        {"* 24 * * *", "the hour"},
        {"* * 0 * *", "the day of month"},
        {"* * 32 * *", "the day of month"},
        {"* * * 13 *", "the month"},
        {"* * * foo *", "the month"},
        {"* * * januar *", "the month"},
        {"* * * * 8", "the day of week"},
        {"* * * * monday", "the day of week"},
        {"* * * * sat-mon", "the day of week"},
        {"0 9 L * *", "the day of month"},
        {"? ? ? ? ?", "the minute"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Cron cron = {.minutes = 42};
        g_autoptr(GError) error = NULL;
        if (cron_parse(cases[i].text, &cron, &error))
            g_error("\"%s\" was accepted", cases[i].text);
        g_assert_error(error, ASSAY_ERROR, ERROR_USAGE);
        if (!strstr(error->message, cases[i].part))
            g_error("\"%s\": %s", cases[i].text, error->message);
        g_assert_cmpuint(cron.minutes, ==, 42);
    }
}

static void long_texts_are_refused(void) {
    g_autofree char *list = g_strnfill(4000, '1');
    g_autofree char *text = g_strdup_printf("%s * * * *", list);
    Cron cron;
    g_autoptr(GError) error = NULL;
    g_assert_false(cron_parse(text, &cron, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_USAGE);
}

static void the_shortest_gap_is_known(void) {
    static const struct {
        const char *text;
        int64_t minutes;
    } cases[] = {{"* * * * *", 1},      {"0 * * * *", 60},   {"*/15 * * * *", 15},
                 {"0,50 * * * *", 10},  {"0 9 * * *", 1440}, {"0 9,12 * * *", 180},
                 {"0 1,23 * * *", 120}, {"0 0 1 * *", 1440}, {"0,59 3 * * *", 1}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Cron cron = parsed(cases[i].text);
        g_assert_cmpint(cron_least_gap_ms(&cron), ==, cases[i].minutes * 60000);
    }
}

#define ADD(name) g_test_add_func("/sync/cron/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(expressions_come_next_when_they_say);
    ADD(nicknames_are_expressions);
    ADD(either_day_is_enough_when_both_are_given);
    ADD(leap_days_come);
    ADD(what_never_comes_is_told);
    ADD(times_are_those_of_the_zone);
    ADD(a_skipped_hour_runs_once_at_the_change);
    ADD(a_repeated_hour_runs_the_first_time_only);
    ADD(every_hour_is_every_hour_also_when_clocks_are_set);
    ADD(the_next_time_is_the_first_one_later);
    ADD(days_begin_at_midnight_of_the_zone);
    ADD(unknown_zones_are_refused);
    ADD(wrong_expressions_name_the_field);
    ADD(long_texts_are_refused);
    ADD(the_shortest_gap_is_known);
    return g_test_run();
}
