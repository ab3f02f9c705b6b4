#include "sync/cron.h"

#include "base/error.h"

#include <string.h>

#define FIELDS 5
#define DAYS_MAX (8 * 366) /* 29 February comes again within eight years, also around 2100 */
#define DAY_S 86400

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct {
    const char *title;
    const char *const *names; /* of low and the numbers behind it; NULL: none */
    int low;
    int high;
} Field;

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                     "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY };

static const Field fields[FIELDS] = {
    [MINUTE] = {"minute", NULL, 0, 59},          [HOUR] = {"hour", NULL, 0, 23},
    [DAY] = {"day of month", NULL, 1, 31},       [MONTH] = {"month", months, 1, 12},
    [WEEKDAY] = {"day of week", weekdays, 0, 7},
};

static const struct {
    const char *name;
    const char *text;
} nicknames[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

static bool refuse(const Field *field, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                "the %s of a cron expression is %d to %d, a list \"a,b\", a range \"a-b\" or a "
                "step \"*/n\"%s",
                field->title, field->low, field->high,
                field->names ? "; names are their first three letters" : "");
    return false;
}

static bool read_name(const Field *field, const char **at, int *value_out) {
    for (int i = 0; field->names && field->names[i]; i++) {
        if (g_ascii_strncasecmp(*at, field->names[i], 3) != 0)
            continue;
        *value_out = field->low + i;
        *at += 3;
        return true;
    }
    return false;
}

/* A number of at most three digits, or a name. */
static bool read_value(const Field *field, const char **at, int *value_out) {
    int value = 0;
    int digits = 0;
    if (read_name(field, at, value_out))
        return true;
    for (; g_ascii_isdigit(**at) && digits < 3; (*at)++, digits++)
        value = value * 10 + (**at - '0');
    *value_out = value;
    return digits > 0 && value >= field->low && value <= field->high;
}

/* "fri-sun" ends on the seventh day. */
static int range_end(const Field *field, int first, int last) {
    return field == &fields[WEEKDAY] && last == 0 && first > 0 ? 7 : last;
}

static bool read_step(const char **at, int *step_out) {
    const Field step = {"step", NULL, 1, 999};
    *step_out = 1;
    if (**at != '/')
        return true;
    (*at)++;
    return read_value(&step, at, step_out);
}

/* "*", "a", "a-b", each but "a" with a step. */
static bool read_part(const Field *field, const char **at, uint64_t *bits) {
    int first = field->low;
    int last = field->high;
    int step = 1;
    bool is_range = **at == '*';
    if (is_range) {
        (*at)++;
        last = field == &fields[WEEKDAY] ? 6 : last;
    } else {
        if (!read_value(field, at, &first))
            return false;
        last = first;
        is_range = **at == '-';
    }
    if (is_range && **at == '-') {
        (*at)++;
        if (!read_value(field, at, &last))
            return false;
        last = range_end(field, first, last);
    }
    if ((is_range && !read_step(at, &step)) || last < first)
        return false;
    for (int value = first; value <= last; value += step)
        *bits |= UINT64_C(1) << value;
    return true;
}

static bool read_field(const Field *field, const char *text, uint64_t *bits_out, GError **error) {
    uint64_t bits = 0;
    const char *at = text;
    for (;;) {
        if (!read_part(field, &at, &bits))
            return refuse(field, error);
        if (*at == '\0')
            break;
        if (*at++ != ',')
            return refuse(field, error);
    }
    *bits_out = bits;
    return true;
}

static const char *expand(const char *text) {
    for (size_t i = 0; i < G_N_ELEMENTS(nicknames); i++)
        if (g_ascii_strcasecmp(text, nicknames[i].name) == 0)
            return nicknames[i].text;
    return text;
}

/* Five words; their array is the caller's to free. */
static char **split(const char *text, GError **error) {
    g_auto(GStrv) raw = NULL;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    if (strlen(text) <= CRON_TEXT_MAX) {
        raw = g_strsplit_set(text, " \t", -1);
        for (char **word = raw; *word; word++)
            if (**word != '\0')
                g_ptr_array_add(words, g_strdup(*word));
    }
    if (words->len != FIELDS) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "a cron expression has five fields: minute, hour, day of month, month, "
                            "day of week, such as \"0 6 * * 1-5\"; or it is @hourly, @daily, "
                            "@weekly, @monthly or @yearly");
        return NULL;
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&words), FALSE);
}

bool cron_parse(const char *text, Cron *cron_out, GError **error) {
    g_autofree char *trimmed = g_strstrip(g_strndup(text, CRON_TEXT_MAX + 1));
    g_auto(GStrv) words = split(expand(trimmed), error);
    uint64_t bits[FIELDS];
    if (!words)
        return false;
    for (int i = 0; i < FIELDS; i++)
        if (!read_field(&fields[i], words[i], &bits[i], error))
            return false;
    *cron_out = (Cron){
        .minutes = bits[MINUTE],
        .hours = (uint32_t)bits[HOUR],
        .days = (uint32_t)bits[DAY],
        .months = (uint16_t)bits[MONTH],
        .weekdays = (uint8_t)((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f),
        .any_hour = *words[HOUR] == '*',
        .any_day = *words[DAY] == '*',
        .any_weekday = *words[WEEKDAY] == '*',
    };
    return true;
}

/* --- time zones ------------------------------------------------------------------------------- */

/* The name becomes part of a path in GLib. */
static bool is_zone_name(const char *name) {
    return g_ascii_isalpha(*name) && strlen(name) < 64 && !strstr(name, "..") &&
           name[strspn(
               name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/")] == '\0';
}

GTimeZone *cron_zone(const char *name, GError **error) {
    GTimeZone *zone = is_zone_name(name) ? g_time_zone_new_identifier(name) : NULL;
    if (!zone)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "this time zone is not known here; give an IANA name such as "
                            "Europe/Berlin or UTC");
    return zone;
}

/* Seconds that the zone is ahead of UTC at a moment. */
static int64_t offset_at(GTimeZone *zone, int64_t utc_s) {
    int interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, utc_s);
    return g_time_zone_get_offset(zone, interval);
}

/* The moment, behind low and not behind high, from which on the zone has another offset. */
static int64_t change_between(GTimeZone *zone, int64_t low, int64_t high) {
    int64_t before = offset_at(zone, low);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (offset_at(zone, middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* The moments at which the clock on the wall shows a local time: one, two, or none (then first is
 * the moment at which it was set forward, and skipped is true). */
typedef struct {
    int64_t first;
    int64_t second;
    bool skipped;
} Moments;

static Moments moments_of(GTimeZone *zone, int64_t local_s) {
    int64_t early = offset_at(zone, local_s - 2 * DAY_S);
    int64_t late = offset_at(zone, local_s + 2 * DAY_S);
    int64_t a = local_s - MAX(early, late);
    int64_t b = local_s - MIN(early, late);
    bool shows_a = offset_at(zone, a) == local_s - a;
    bool shows_b = offset_at(zone, b) == local_s - b;
    if (shows_a || shows_b)
        return (Moments){.first = shows_a ? a : b, .second = shows_b ? b : a};
    int64_t change = change_between(zone, a, b);
    return (Moments){.first = change, .second = change, .skipped = true};
}

/* --- the next time ---------------------------------------------------------------------------- */

typedef struct {
    int month; /* 1-12 */
    int day;
    int weekday; /* 0: Sunday */
} Date;

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar: the algorithm of
 * https://howardhinnant.github.io/date_algorithms.html#civil_from_days for days that are not
 * negative. */
static Date date_of(int64_t days) {
    int64_t shifted = days + 719468;
    int64_t of_era = shifted % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t shifted_month = (5 * of_year + 2) / 153;
    return (Date){.day = (int)(of_year - (153 * shifted_month + 2) / 5 + 1),
                  .month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9),
                  .weekday = (int)((days + 4) % 7)};
}

static bool has_bit(uint64_t bits, int bit) {
    return bits >> bit & 1;
}

static bool day_matches(const Cron *cron, int64_t days) {
    Date date = date_of(days);
    bool day = has_bit(cron->days, date.day);
    bool weekday = has_bit(cron->weekdays, date.weekday);
    if (!has_bit(cron->months, date.month))
        return false;
    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* Lowers *best to a moment of this local time that is behind after. */
static void consider(const Cron *cron, Moments moments, int64_t after, int64_t *best) {
    if (cron->any_hour && moments.skipped)
        return;
    if (moments.first > after)
        *best = MIN(*best, moments.first);
    else if (cron->any_hour && moments.second > after)
        *best = MIN(*best, moments.second);
}

/* Whether the zone keeps its offset on this day and those around it, which nearly all days do. */
static bool is_steady(GTimeZone *zone, int64_t days) {
    return offset_at(zone, (days - 2) * DAY_S) == offset_at(zone, (days + 3) * DAY_S);
}

/* The first moment behind after on one local day; INT64_MAX when there is none. */
static int64_t next_on_day(const Cron *cron, GTimeZone *zone, int64_t days, int64_t after) {
    bool steady = is_steady(zone, days);
    int64_t offset = offset_at(zone, days * DAY_S);
    int64_t best = INT64_MAX;
    for (int minute = 0; minute < DAY_S / 60; minute++) {
        int64_t local = days * DAY_S + minute * 60;
        if (!has_bit(cron->hours, minute / 60) || !has_bit(cron->minutes, minute % 60))
            continue;
        consider(cron,
                 steady ? (Moments){.first = local - offset, .second = local - offset}
                        : moments_of(zone, local),
                 after, &best);
        /* Times of the second round of a repeated hour come behind all of the first. */
        if (best != INT64_MAX && (steady || !cron->any_hour))
            break;
    }
    return best;
}

bool cron_next(const Cron *cron, GTimeZone *zone, int64_t after_ms, int64_t *next_ms_out) {
    int64_t after = after_ms / 1000;
    /* A day that is set back over midnight has times of the day before. */
    int64_t today = (after + offset_at(zone, after)) / DAY_S - 1;
    for (int64_t days = MAX(today, 0); days < today + DAYS_MAX; days++) {
        if (!day_matches(cron, days))
            continue;
        int64_t next = next_on_day(cron, zone, days, after);
        if (next == INT64_MAX)
            continue;
        *next_ms_out = next * 1000;
        return true;
    }
    return false;
}

int64_t cron_day_begin(GTimeZone *zone, int64_t now_ms) {
    int64_t now = now_ms / 1000;
    int64_t local = now + offset_at(zone, now);
    return moments_of(zone, local - local % DAY_S).first * 1000;
}

/* The smallest distance between two bits of a circle of this size; the size when there is one. */
static int64_t least_gap(uint64_t bits, int size) {
    int64_t least = size;
    int before = -1;
    int first = -1;
    for (int bit = 0; bit < size; bit++) {
        if (!has_bit(bits, bit))
            continue;
        if (before >= 0)
            least = MIN(least, bit - before);
        first = first < 0 ? bit : first;
        before = bit;
    }
    return first == before ? least : MIN(least, size - before + first);
}

int64_t cron_least_gap_ms(const Cron *cron) {
    int64_t minutes = least_gap(cron->minutes, 60);
    if (minutes == 60)
        minutes = 60 * least_gap(cron->hours, 24);
    return minutes * 60 * 1000;
}
