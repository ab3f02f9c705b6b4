#include "base/clock.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define MS_PER_SECOND INT64_C(1000)
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_HOUR (60 * MS_PER_MINUTE)
#define MS_PER_DAY (24 * MS_PER_HOUR)

/* Times beyond these are printed as these: RFC 3339 has four digits for the year. */
#define FIRST_MS INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS INT64_C(253402300799999)  /* 9999-12-31T23:59:59.999Z */

static atomic_bool frozen;
static _Atomic int64_t frozen_wall;
static _Atomic int64_t frozen_mono;
static _Atomic int64_t wall_offset;
static _Atomic(const ClockOffsets *) shared_offsets; /* clock_share_offsets() */
static _Atomic int64_t mono_offset; /* what was advanced while frozen: monotonic never goes back */

static int64_t system_ms(clockid_t clock) {
    struct timespec now;
    g_assert(clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

static int64_t running_mono(void) {
    const ClockOffsets *shared = atomic_load(&shared_offsets);
    int64_t offset = shared ? atomic_load(&shared->mono_ms) : 0;
    return system_ms(CLOCK_MONOTONIC) + atomic_load(&mono_offset) + offset;
}

int64_t clock_now_ms(void) {
    if (atomic_load(&frozen))
        return atomic_load(&frozen_wall);
    const ClockOffsets *shared = atomic_load(&shared_offsets);
    int64_t offset = shared ? atomic_load(&shared->wall_ms) : 0;
    return system_ms(CLOCK_REALTIME) + atomic_load(&wall_offset) + offset;
}

int64_t clock_mono_ms(void) {
    return atomic_load(&frozen) ? atomic_load(&frozen_mono) : running_mono();
}

int64_t clock_mono_us(void) {
    struct timespec now;
    if (atomic_load(&frozen))
        return atomic_load(&frozen_mono) * 1000;
    g_assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + atomic_load(&mono_offset) * 1000;
}

void clock_freeze(int64_t now_ms) {
    atomic_store(&frozen_mono, clock_mono_ms());
    atomic_store(&frozen_wall, now_ms);
    atomic_store(&frozen, true);
}

void clock_advance(int64_t delta_ms) {
    g_assert(atomic_load(&frozen));
    atomic_fetch_add(&frozen_wall, delta_ms);
    atomic_fetch_add(&frozen_mono, delta_ms);
}

void clock_thaw(void) {
    if (!atomic_load(&frozen))
        return;
    int64_t behind = atomic_load(&frozen_mono) - running_mono();
    if (behind > 0)
        atomic_fetch_add(&mono_offset, behind);
    atomic_store(&frozen, false);
}

void clock_set_offset(int64_t offset_ms) {
    atomic_store(&wall_offset, offset_ms);
}

void clock_share_offsets(const ClockOffsets *offsets) {
    atomic_store(&shared_offsets, offsets);
}

/* Days since 1970-01-01 of a civil date and back (Howard Hinnant, "chrono-Compatible Low-Level
 * Date Algorithms"): years begin in March, eras have 400 years. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, int *year_out, int *month_out, int *day_out) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day_out = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month_out = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year_out = (int)(year_of_era + era * 400 + (*month_out <= 2));
}

/* Lists are full of times, and printf() takes longer than all the rest of it. */
static char *put_number(char *at, int value, int digits, char behind) {
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    at[digits] = behind;
    return at + digits + 1;
}

char *clock_format(int64_t time_ms) {
    time_ms = CLAMP(time_ms, FIRST_MS, LAST_MS);
    int64_t days = time_ms / MS_PER_DAY - (time_ms % MS_PER_DAY < 0);
    int in_day = (int)(time_ms - days * MS_PER_DAY);
    int year, month, day;
    date_of_days(days, &year, &month, &day);
    char *text = g_malloc(sizeof "0000-00-00T00:00:00.000Z");
    char *at = put_number(text, year, 4, '-');
    at = put_number(at, month, 2, '-');
    at = put_number(at, day, 2, 'T');
    at = put_number(at, in_day / (int)MS_PER_HOUR, 2, ':');
    at = put_number(at, in_day / (int)MS_PER_MINUTE % 60, 2, ':');
    at = put_number(at, in_day / 1000 % 60, 2, '.');
    at = put_number(at, in_day % 1000, 3, 'Z');
    *at = '\0';
    return text;
}

/* Reads exactly `digits` digits. */
static bool read_number(const char **at, int digits, int *value_out) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (!g_ascii_isdigit((*at)[i]))
            return false;
        value = value * 10 + ((*at)[i] - '0');
    }
    *at += digits;
    *value_out = value;
    return true;
}

static bool read_char(const char **at, const char *allowed) {
    if (**at == '\0' || strchr(allowed, **at) == NULL)
        return false;
    (*at)++;
    return true;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool read_date(const char **at, int64_t *ms_out) {
    int year, month, day;
    if (!read_number(at, 4, &year) || !read_char(at, "-") || !read_number(at, 2, &month) ||
        !read_char(at, "-") || !read_number(at, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ms_out = days_of_date(year, month, day) * MS_PER_DAY;
    return true;
}

/* Digits after the decimal mark; what is finer than a millisecond is cut off. */
static bool read_fraction(const char **at, int *ms_out) {
    int ms = 0, weight = 100;
    if (!g_ascii_isdigit(**at))
        return false;
    for (; g_ascii_isdigit(**at); (*at)++, weight /= 10)
        ms += (**at - '0') * weight;
    *ms_out = ms;
    return true;
}

/* Time of day; *leap_out tells of a 60th second, which is taken as the start of the next one. */
static bool read_time(const char **at, int64_t *ms_out, bool *leap_out) {
    int hour, minute, second, ms = 0;
    if (!read_number(at, 2, &hour) || !read_char(at, ":") || !read_number(at, 2, &minute) ||
        !read_char(at, ":") || !read_number(at, 2, &second))
        return false;
    if (read_char(at, ".,") && !read_fraction(at, &ms))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *leap_out = second == 60;
    *ms_out =
        hour * MS_PER_HOUR + minute * MS_PER_MINUTE + second * MS_PER_SECOND + (*leap_out ? 0 : ms);
    return true;
}

/* "Z", "+hh:mm", and "+hhmm", which some vendors write. */
static bool read_offset(const char **at, int64_t *ms_out) {
    if (read_char(at, "Zz")) {
        *ms_out = 0;
        return true;
    }
    int sign = **at == '-' ? -1 : 1;
    int hour, minute;
    if (!read_char(at, "+-") || !read_number(at, 2, &hour))
        return false;
    (void)read_char(at, ":");
    if (!read_number(at, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *ms_out = sign * (hour * MS_PER_HOUR + minute * MS_PER_MINUTE);
    return true;
}

bool clock_parse(const char *text, int64_t *time_ms_out) {
    int64_t date, time = 0, offset = 0;
    bool leap = false;
    const char *at = text;
    if (text == NULL || !read_date(&at, &date))
        return false;
    if (*at != '\0' && (!read_char(&at, "Tt ") || !read_time(&at, &time, &leap) ||
                        !read_offset(&at, &offset) || *at != '\0'))
        return false;
    int64_t result = date + time - offset;
    /* A leap second is the last of a day in UTC (RFC 3339 section 5.7). */
    if (leap && result % MS_PER_DAY != 0)
        return false;
    *time_ms_out = result;
    return true;
}

bool clock_parse_duration(const char *text, int64_t *duration_ms_out) {
    static const struct {
        const char *suffix;
        int64_t ms;
    } units[] = {{"ms", 1},          {"s", MS_PER_SECOND}, {"m", MS_PER_MINUTE},
                 {"h", MS_PER_HOUR}, {"d", MS_PER_DAY},    {"w", 7 * MS_PER_DAY}};
    if (text == NULL || !g_ascii_isdigit(*text))
        return false;
    int64_t number = 0;
    for (; g_ascii_isdigit(*text); text++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *text - '0', &number))
            return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        int64_t product;
        if (strcmp(text, units[i].suffix) != 0)
            continue;
        if (__builtin_mul_overflow(number, units[i].ms, &product))
            return false;
        *duration_ms_out = product;
        return true;
    }
    return false;
}
