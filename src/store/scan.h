/* scan.h - what is due for scanners, and which scanner has taken it.
 *
 * Scanners are programs of the customer that poll: they take what is due (scan_lease), look at it,
 * post assessments, and say that they are done. Their times are their own: what this program
 * collects by itself is in schedule.h. An integration that was never scanned is due; somebody may
 * ask for a scan at once (scan_call).
 *
 *   lease    the integration is that scanner's for a while and not given to another
 *   note     something was found: due again at the next time, the lease stays
 *   done     the same, and the lease is let go
 *
 * Noting and ending move the integration's last_checked_at, and next_check_at to the scanner's next
 * time, or that of its schedule when it comes first.
 */
#pragma once

#include "store/record.h"

#define SCAN_LEASE_MS (10 * 60 * 1000)

typedef struct {
    const char *integration_id;
    int64_t due_at;
    const char *scanner; /* NULL: nobody has it */
    int64_t leased_until;
    int64_t scanned_at; /* 0: never */
} Scan;

void scan_free(Scan *scan); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scan, scan_free)

/* *scan_out is NULL when nothing is known of it: never scanned, never asked for. */
bool scan_get(DbUnit *unit, const char *integration_id, Scan **scan_out,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes an integration that is due and that nobody has; *leased_out says whether it was. */
bool scan_lease(DbUnit *unit, const char *integration_id, const char *scanner, bool *leased_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes it due now, for any scanner. */
bool scan_call(DbUnit *unit, const char *integration_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A scanner was there; next_at is its next time. done: the lease is let go, whoever has it.
 * ERROR_NOT_FOUND when there is no such integration. */
typedef struct {
    const char *integration_id;
    int64_t next_at;
    bool done;
} ScanVisit;
bool scan_note(DbUnit *unit, const ScanVisit *visit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
