#include "net/retry.h"

#include <glib.h>
#include <string.h>

const RetryPolicy retry_default = {
    .attempts = 3,
    .first_wait_ms = 1000,
    .max_wait_ms = 30000,
};

/* Attempts that an outcome may have in all. */
static unsigned attempts_allowed(const RetryPolicy *policy, const RetryCase *what) {
    if (what->single) {
        return 1;
    }
    if (what->once_more || what->outcome == OUTCOME_BROKEN) {
        return what->once_more_used ? 1 : policy->attempts;
    }
    return outcome_retryable(what->outcome) ? policy->attempts : 1;
}

static int64_t back_off(const RetryPolicy *policy, unsigned attempts, uint64_t random) {
    int64_t wait = policy->first_wait_ms;
    for (unsigned i = 1; i < attempts && wait < policy->max_wait_ms; i++) {
        wait *= 2;
    }
    wait = MIN(wait, policy->max_wait_ms);
    return (int64_t)(random % (uint64_t)(wait + 1));
}

static bool asks_to_wait(const RetryCase *what) {
    return what->asked_ms >= 0 &&
           (what->outcome == OUTCOME_RATE_LIMITED || what->outcome == OUTCOME_UNAVAILABLE ||
            what->outcome == OUTCOME_TIMEOUT);
}

RetryDecision retry_decide(const RetryPolicy *policy, const RetryCase *what, uint64_t random) {
    int64_t asked = asks_to_wait(what) ? MIN(what->asked_ms, RETRY_ASKED_MAX_MS) : -1;
    if (asked > policy->max_wait_ms) {
        return (RetryDecision){RETRY_PARK, asked};
    }
    if (what->attempts >= attempts_allowed(policy, what)) {
        return (RetryDecision){RETRY_STOP, MAX(asked, 0)};
    }
    return (RetryDecision){RETRY_AGAIN,
                           asked >= 0 ? asked : back_off(policy, what->attempts, random)};
}

static const char *skip_day_name(const char *text) {
    const char *comma = strchr(text, ',');
    if (comma) {
        return comma + 1 + strspn(comma + 1, " ");
    }
    return text;
}

static bool read_number(const char **at, unsigned digits_max, int *out) {
    unsigned digits = 0;
    int value = 0;
    while (digits < digits_max && g_ascii_isdigit((*at)[digits])) {
        value = value * 10 + ((*at)[digits++] - '0');
    }
    *at += digits;
    *out = value;
    return digits > 0;
}

static bool read_mark(const char **at, const char *marks) {
    if (**at == '\0' || !strchr(marks, **at)) {
        return false;
    }
    *at += 1;
    return true;
}

static bool read_month(const char **at, int *month) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++) {
        if (strncmp(*at, names + i * 3, 3) == 0) {
            *month = i + 1;
            *at += 3;
            return true;
        }
    }
    return false;
}

typedef struct {
    int day;
    int month;
    int year;
    int hour;
    int minute;
    int second;
} DateParts;

static bool read_clock(const char **at, DateParts *parts) {
    return read_number(at, 2, &parts->hour) && read_mark(at, ":") &&
           read_number(at, 2, &parts->minute) && read_mark(at, ":") &&
           read_number(at, 2, &parts->second);
}

/* "06 Nov 1994 08:49:37 GMT", and "06-Nov-94 08:49:37 GMT" of RFC 850. */
static bool read_fixed(const char *at, DateParts *parts) {
    if (!read_number(&at, 2, &parts->day) || !read_mark(&at, " -") ||
        !read_month(&at, &parts->month) || !read_mark(&at, " -") ||
        !read_number(&at, 4, &parts->year) || !read_mark(&at, " ") || !read_clock(&at, parts)) {
        return false;
    }
    return strcmp(at, " GMT") == 0 || strcmp(at, " UTC") == 0;
}

/* asctime: "Sun Nov  6 08:49:37 1994". */
static bool read_asctime(const char *at, DateParts *parts) {
    at += strcspn(at, " ");
    if (!read_mark(&at, " ") || !read_month(&at, &parts->month) || !read_mark(&at, " ")) {
        return false;
    }
    at += strspn(at, " ");
    return read_number(&at, 2, &parts->day) && read_mark(&at, " ") && read_clock(&at, parts) &&
           read_mark(&at, " ") && read_number(&at, 4, &parts->year) && *at == '\0';
}

/* A two-digit year lies within 50 years of the present one (RFC 9110 section 5.6.7). */
static int full_year(int year) {
    if (year >= 100) {
        return year;
    }
    return year < 70 ? 2000 + year : 1900 + year;
}

bool retry_http_date(const char *text, int64_t *time_ms_out) {
    DateParts parts = {0};
    if (strnlen(text, 64) == 64) {
        return false;
    }
    if (!read_fixed(skip_day_name(text), &parts) && !read_asctime(text, &parts)) {
        return false;
    }
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new(utc, full_year(parts.year), parts.month, parts.day,
                                                parts.hour, parts.minute, MIN(parts.second, 59));
    if (!time) {
        return false;
    }
    *time_ms_out = g_date_time_to_unix(time) * 1000;
    return true;
}

bool retry_after_parse(const char *text, int64_t now_ms, int64_t *wait_ms_out) {
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && text[digits] == '\0') {
        int64_t seconds = digits > 9 ? RETRY_ASKED_MAX_MS : g_ascii_strtoll(text, NULL, 10);
        *wait_ms_out = MIN(seconds, RETRY_ASKED_MAX_MS / 1000) * 1000;
        return true;
    }
    int64_t until;
    if (!retry_http_date(text, &until)) {
        return false;
    }
    *wait_ms_out = CLAMP(until - now_ms, 0, RETRY_ASKED_MAX_MS);
    return true;
}
