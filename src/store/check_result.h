/* check_result.h - the latest result of each check on each integration. */
#pragma once

#include "store/record.h"

typedef struct {
    const char *integration_id;
    const char *check_id; /* "type.check" */
    const char *evidence_type;
    const char *evidence_id; /* the record that was judged, or NULL */
    const char *verdict;     /* verdict_name() */
    const char *reason;      /* one sentence, or NULL */
    int64_t judged;          /* rows; judged = passed + failed */
    int64_t passed;
    int64_t failed;
    int64_t could_not_read;
    int64_t not_applicable;
    const char *severity;
    const char *definition_sha256;
    int64_t checked_at;
    int64_t valid_until; /* of the evidence */
} CheckResult;

typedef struct {
    const char *integration_id; /* NULL: any */
    /* Cursor: results behind this one; NULL: from the first. */
    const char *after_integration_id;
    const char *after_check_id;
    int64_t limit;
} CheckResultFilter;

void check_result_free(CheckResult *result); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckResult, check_result_free)

/* Stores the result in place of the earlier one, unless that one is of a later checked_at.
 * ERROR_NOT_FOUND when there is no such integration. */
bool check_result_upsert(DbUnit *unit, const CheckResult *result,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* CheckResult* by integration and check. The array frees its rows. */
bool check_result_list(DbUnit *unit, const CheckResultFilter *filter, GPtrArray **results_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
