/* control_status.h - where each control of a framework stands. */
#pragma once

#include "store/record.h"

typedef struct {
    const char *framework;
    const char *control_id;
    const char *status;         /* compliant, partial, stale ... (comply/ knows the words) */
    const char *verdict_beside; /* what stale and exception keep beside them, or NULL */
    const char *reason;         /* one sentence, or NULL */
    double confidence;          /* 0..1 */
    const char *detail;         /* JSON object */
    int64_t updated_at;
} ControlStatus;

void control_status_free(ControlStatus *status); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ControlStatus, control_status_free)

/* Stores the status; *changed_out, which may be NULL, tells whether status or verdict_beside are
 * other than before (a first one is a change). updated_at 0 is the clock's now. */
bool control_status_upsert(DbUnit *unit, const ControlStatus *status, bool *changed_out,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* *status_out is NULL when the control was never evaluated. */
bool control_status_get(DbUnit *unit, const char *framework, const char *control_id,
                        ControlStatus **status_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    const char *framework;
    const char *status;           /* NULL: any */
    const char *after_control_id; /* cursor; NULL: from the first */
    int64_t limit;
} ControlStatusFilter;

/* ControlStatus* by the bytes of their control ids. The array frees its rows. */
bool control_status_list(DbUnit *unit, const ControlStatusFilter *filter, GPtrArray **statuses_out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
