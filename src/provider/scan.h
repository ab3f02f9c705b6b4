/* scan.h - one pass over a body's bytes before anything parses them.
 *
 * A parsed body takes several times its size, as a value of libjq many times (1 MiB of "{},"
 * becomes 142 MB), and little of it is wanted, so every body goes through here first. A ScanPlan
 * says what is secret and what is wanted; scan_body() then checks the JSON grammar (RFC 8259),
 * size, depth and number of values, mends what could do harm, and writes up to two outputs:
 *
 *   recorded   the whole body, mended and redacted: what is kept as the provider's answer. When
 *              nothing had to be changed it equals the input byte for byte.
 *   kept       the projection: only the members named by the plan's keep paths, ready for
 *              value_parse. Without keep paths it is the same as recorded.
 *
 * Mended: lone surrogate escapes, \u0000 and bad UTF-8 become U+FFFD; whole numbers beyond 2^53
 * become strings of the same digits; a byte order mark is dropped. Scanning what was recorded
 * gives the same bytes again, so a replay sees what the run saw.
 *
 * Paths are plain jq paths with `[]` for "every item or member": `.token`, `.[].full_name`,
 * `.items[].owner.login`. A redact path replaces the value (unless null) by "[redacted]". A keep
 * path keeps the whole value it ends at; `PATH | type` keeps only its kind ({} and [] empty,
 * scalars as they are). A value of another kind than a keep path expects is kept as scalar or as
 * {} or [], so that an expression fails on it in the same way as on the whole body. Redaction wins
 * over keeping. An index such as `[0]` in a keep path keeps that of every item.
 *
 * A plan is immutable and may be shared between threads.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "provider/value.h"

typedef struct {
    size_t max_bytes; /* of a body */
    size_t max_nodes; /* values of every kind */
    size_t max_depth; /* nesting of arrays and objects */
} ScanLimits;

/* 32 MiB, 2,000,000 values, 64 levels. */
extern const ScanLimits scan_default_limits;

typedef struct ScanPlan ScanPlan;

/* redact and keep are NULL-terminated lists of path texts and may be NULL (nothing secret, keep
 * everything); an empty keep list keeps only the kind of the body. limits NULL: the defaults.
 * ERROR_CONFIGURATION for a path that cannot be read. */
ScanPlan *scan_plan_new(const char *const *redact, const char *const *keep,
                        const ScanLimits *limits, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void scan_plan_free(ScanPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScanPlan, scan_plan_free)

/* Checks a body and appends to the outputs, either of which may be NULL. On failure the outputs
 * are as they were: ERROR_SERVICE_UNAVAILABLE when the body is malformed or cut short
 * (OUTCOME_BROKEN), ERROR_LIMIT when it passes a limit. Messages name the byte, never the text. */
bool scan_body(const ScanPlan *plan, const char *bytes, size_t size, GString *recorded_out,
               GString *kept_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Called with the bytes of one row, in order. Returning false stops the scan with the error that
 * the callback set. */
typedef bool (*ScanRowFunc)(const char *bytes, size_t size, void *data, GError **error);

typedef struct {
    const ValuePath *path; /* where the array of rows is; "." is the body itself */
    ScanRowFunc row;
    void *data;
    GString *rest; /* when not NULL: receives the body with that array empty, for page cursors */
} ScanRows;

/* Splits a scanned body (recorded or kept) into its rows without parsing it, so that the rows of
 * a large page can be parsed one at a time. *count_out (may be NULL) is the number of rows, -1
 * when there is no array at the path. Errors as scan_body; a body that names the array twice is
 * malformed. */
bool scan_rows(const ScanRows *rows, const char *bytes, size_t size, int64_t *count_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;
