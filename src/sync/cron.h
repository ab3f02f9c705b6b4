/* cron.h - five fields, a time zone, and the next time that they mean.
 *
 *   minute 0-59, hour 0-23, day of month 1-31, month 1-12 or jan-dec, day of week 0-7 or sun-sat
 *   each field: "*", a number, "a-b", a list "a,b-c", a step "A/n" behind "*" or a range
 *   @hourly @daily @midnight @weekly @monthly @yearly @annually
 *
 * As in Vixie cron: a day must match both day fields, or either of them when neither begins with
 * "*"; 0 and 7 are Sunday; names are three letters in any case and also stand in lists and ranges.
 *
 * Summer time. An hour that the clock skips: what was meant within it runs once, at the moment of
 * the change. An hour that comes twice: what is meant within it runs the first time only.
 * Expressions whose hour begins with "*" follow the clock on the wall instead: what it does not
 * show does not run, and what it shows twice runs twice, so that "0 * * * *" comes every hour.
 *
 * Pure: no clock is asked. Time zones are those of the system (IANA names), read by GLib.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* No text of an expression is longer. */
#define CRON_TEXT_MAX 200

typedef struct {
    uint64_t minutes;
    uint32_t hours;
    uint32_t days;
    uint16_t months;
    uint8_t weekdays;
    bool any_hour;    /* the hour begins with "*": follows the clock on the wall */
    bool any_day;     /* the day of month begins with "*" */
    bool any_weekday; /* the day of week begins with "*" */
} Cron;

/* ERROR_USAGE says which field is wrong. */
bool cron_parse(const char *text, Cron *cron_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A time zone by its IANA name ("Europe/Berlin", "UTC"); NULL with ERROR_USAGE when the system has
 * none of this name. Release with g_time_zone_unref(). */
GTimeZone *cron_zone(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The first time behind after_ms that the expression means; false when there is none within eight
 * years ("0 0 30 2 *"). */
bool cron_next(const Cron *cron, GTimeZone *zone, int64_t after_ms, int64_t *next_ms_out);

/* The moment at which the day began on the wall at which now_ms is. */
int64_t cron_day_begin(GTimeZone *zone, int64_t now_ms);

/* The shortest time between two times of one day; a day when there is one only. */
int64_t cron_least_gap_ms(const Cron *cron);
