#include "base/clock.h"

#include <string.h>
#include <time.h>

typedef struct {
    const char *text;
    int64_t ms;
} TimeCase;

static void frozen_clocks_stand_still_until_advanced(void) {
    clock_freeze(1000);
    int64_t mono = clock_mono_ms();
    g_assert_cmpint(clock_now_ms(), ==, 1000);
    clock_advance(250);
    g_assert_cmpint(clock_now_ms(), ==, 1250);
    g_assert_cmpint(clock_mono_ms(), ==, mono + 250);
    clock_thaw();
}

static void monotonic_time_never_goes_back(void) {
    int64_t before = clock_mono_ms();
    clock_freeze(5);
    g_assert_cmpint(clock_mono_ms(), >=, before);
    clock_advance(3600000);
    int64_t advanced = clock_mono_ms();
    clock_freeze(1);
    g_assert_cmpint(clock_mono_ms(), ==, advanced);
    clock_thaw();
    g_assert_cmpint(clock_mono_ms(), >=, advanced);
    clock_thaw();
    g_assert_cmpint(clock_mono_ms(), >=, advanced);
}

static void running_clock_follows_the_system(void) {
    int64_t before = (int64_t)time(NULL) * 1000 - 1000;
    int64_t now = clock_now_ms();
    int64_t after = ((int64_t)time(NULL) + 2) * 1000;
    g_assert_cmpint(now, >=, before);
    g_assert_cmpint(now, <=, after);
}

static void offset_shifts_the_running_wall_clock_only(void) {
    const int64_t century = INT64_C(3155760000000);
    int64_t now = clock_now_ms(), mono = clock_mono_ms();
    clock_set_offset(century);
    g_assert_cmpint(clock_now_ms(), >=, now + century);
    g_assert_cmpint(clock_mono_ms(), <, mono + century);
    clock_freeze(7);
    g_assert_cmpint(clock_now_ms(), ==, 7);
    clock_thaw();
    clock_set_offset(0);
    g_assert_cmpint(clock_now_ms(), <, now + century);
}

static void times_print_as_rfc_3339_with_milliseconds(void) {
    static const TimeCase cases[] = {
        {"1970-01-01T00:00:00.000Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2026-11-20T07:31:28.123Z", INT64_C(1795159888123)},
        {"2000-02-29T12:00:00.000Z", INT64_C(951825600000)},
        {"1900-03-01T00:00:00.000Z", INT64_C(-2203891200000)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
        {"0000-01-01T00:00:00.000Z", INT64_C(-62167219200000)},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = clock_format(cases[i].ms);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void times_beyond_four_digit_years_print_as_the_last_that_fits(void) {
    g_autofree char *late = clock_format(INT64_MAX);
    g_autofree char *early = clock_format(INT64_MIN);
    g_assert_cmpstr(late, ==, "9999-12-31T23:59:59.999Z");
    g_assert_cmpstr(early, ==, "0000-01-01T00:00:00.000Z");
}

static void printed_times_read_back_the_same(void) {
    uint64_t state = 42;
    for (int i = 0; i < 20000; i++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        int64_t ms = (int64_t)(state % 315569520000000U) - INT64_C(62167219200000);
        int64_t back = 0;
        g_autofree char *text = clock_format(ms);
        g_assert_true(clock_parse(text, &back));
        g_assert_cmpint(back, ==, ms);
    }
}

static void offsets_fractions_and_plain_dates_are_read(void) {
    static const TimeCase cases[] = {
        {"2026-11-20", INT64_C(1795132800000)},
        {"2026-11-20T07:31:28Z", INT64_C(1795159888000)},
        {"2026-11-20t07:31:28z", INT64_C(1795159888000)},
        {"2026-11-20 07:31:28Z", INT64_C(1795159888000)},
        {"2026-11-20T07:31:28.1Z", INT64_C(1795159888100)},
        {"2026-11-20T07:31:28.123999999Z", INT64_C(1795159888123)},
        {"2026-11-20T07:31:28,5Z", INT64_C(1795159888500)},
        {"2026-11-20T09:31:28+02:00", INT64_C(1795159888000)},
        {"2026-11-20T09:31:28.000+0200", INT64_C(1795159888000)},
        {"2026-11-19T23:01:28-08:30", INT64_C(1795159888000)},
        {"2026-11-20T07:31:28-00:00", INT64_C(1795159888000)},
        {"2024-02-29", INT64_C(1709164800000)},
        {"2000-02-29", INT64_C(951782400000)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000)},
        {"2016-12-31T23:59:60.7Z", INT64_C(1483228800000)},
        {"2017-01-01T00:59:60+01:00", INT64_C(1483228800000)},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t ms = -1;
        g_test_message("%s", cases[i].text);
        g_assert_true(clock_parse(cases[i].text, &ms));
        g_assert_cmpint(ms, ==, cases[i].ms);
    }
}

static void what_is_no_time_is_refused_and_writes_nothing(void) {
    static const char *const cases[] = {
        "",
        "now",
        "2026",
        "2026-11",
        "26-11-20",
        "2026-11-2",
        "2026-1-20",
        "2026/11/20",
        "2026-00-10",
        "2026-13-01",
        "2026-01-00",
        "2026-01-32",
        "2026-04-31",
        "2023-02-29",
        "1900-02-29",
        "2100-02-29",
        "2024-02-30",
        "2026-11-20T",
        "2026-11-20T07:31Z",
        "2026-11-20T07:31:28",
        "2026-11-20T24:00:00Z",
        "2026-11-20T07:60:00Z",
        "2026-11-20T07:31:61Z",
        "2026-11-20T07:31:60Z",
        "2016-12-31T23:59:60+01:00",
        "2026-11-20T07:31:28.Z",
        "2026-11-20T07:31:28.12",
        "2026-11-20T07:31:28+24:00",
        "2026-11-20T07:31:28+02:60",
        "2026-11-20T07:31:28+2:00",
        "2026-11-20T07:31:28+02",
        "2026-11-20T07:31:28+02:0",
        "2026-11-20T07:31:28Zulu",
        "2026-11-20T07:31:28Z ",
        " 2026-11-20",
        "2026-11-20 ",
        "+2026-11-20",
        "-026-11-20",
        "\uff12026-11-20",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t ms = 77;
        g_test_message("%s", cases[i]);
        g_assert_false(clock_parse(cases[i], &ms));
        g_assert_cmpint(ms, ==, 77);
    }
    int64_t ms = 77;
    g_assert_false(clock_parse(NULL, &ms));
}

static void durations_are_read_with_their_unit(void) {
    static const TimeCase cases[] = {
        {"500ms", 500},
        {"90s", 90000},
        {"15m", 900000},
        {"4h", 14400000},
        {"30d", INT64_C(2592000000)},
        {"2w", INT64_C(1209600000)},
        {"0s", 0},
        {"007s", 7000},
        {"9223372036854775807ms", INT64_MAX},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t ms = -1;
        g_assert_true(clock_parse_duration(cases[i].text, &ms));
        g_assert_cmpint(ms, ==, cases[i].ms);
    }
}

static void what_is_no_duration_is_refused_and_writes_nothing(void) {
    static const char *const cases[] = {
        "",
        "5",
        "s",
        "-5s",
        "+5s",
        "5 s",
        "5S",
        "1.5h",
        "5s5",
        "5sec",
        "9223372036854775808ms",
        "9223372036854775807s",
        "1y",
        "0x5s",
        " 5s",
        "5s ",
        "99999999999999999999d",
        "106751991168d",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t ms = 77;
        g_test_message("%s", cases[i]);
        g_assert_false(clock_parse_duration(cases[i], &ms));
        g_assert_cmpint(ms, ==, 77);
    }
    int64_t ms = 77;
    g_assert_false(clock_parse_duration(NULL, &ms));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/clock/frozen_clocks_stand_still_until_advanced",
                    frozen_clocks_stand_still_until_advanced);
    g_test_add_func("/base/clock/monotonic_time_never_goes_back", monotonic_time_never_goes_back);
    g_test_add_func("/base/clock/running_clock_follows_the_system",
                    running_clock_follows_the_system);
    g_test_add_func("/base/clock/offset_shifts_the_running_wall_clock_only",
                    offset_shifts_the_running_wall_clock_only);
    g_test_add_func("/base/clock/times_print_as_rfc_3339_with_milliseconds",
                    times_print_as_rfc_3339_with_milliseconds);
    g_test_add_func("/base/clock/times_beyond_four_digit_years_print_as_the_last_that_fits",
                    times_beyond_four_digit_years_print_as_the_last_that_fits);
    g_test_add_func("/base/clock/printed_times_read_back_the_same",
                    printed_times_read_back_the_same);
    g_test_add_func("/base/clock/offsets_fractions_and_plain_dates_are_read",
                    offsets_fractions_and_plain_dates_are_read);
    g_test_add_func("/base/clock/what_is_no_time_is_refused_and_writes_nothing",
                    what_is_no_time_is_refused_and_writes_nothing);
    g_test_add_func("/base/clock/durations_are_read_with_their_unit",
                    durations_are_read_with_their_unit);
    g_test_add_func("/base/clock/what_is_no_duration_is_refused_and_writes_nothing",
                    what_is_no_duration_is_refused_and_writes_nothing);
    return g_test_run();
}
