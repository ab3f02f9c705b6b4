/* assessment.h - what scanners have found: one check of one resource each, never changed.
 *
 * They are no evidence, and nothing is judged by them (docs/judging.md).
 */
#pragma once

#include "store/record.h"

#define ASSESSMENT_RESOURCE_MAX 1024
#define ASSESSMENT_DETAILS_MAX (64 * 1024)

typedef struct {
    const char *id; /* the caller's (base/id.h): they are listed in the order of ids */
    const char *integration_id;
    const char *check_name;
    const char *resource;
    const char *result;       /* "pass", "fail", "could_not_read", "not_applicable" */
    const char *details;      /* JSON, or NULL */
    const char *scanner;      /* id of the token or user */
    const char *scanner_name; /* or NULL */
    int64_t assessed_at;      /* set from the clock */
} Assessment;

typedef struct {
    const char *integration_id; /* NULL: any */
    const char *check_name;     /* NULL: any */
    const char *result;         /* NULL: any */
    const char *before_id;      /* cursor: those older than this one; NULL: from the newest */
    int64_t limit;
} AssessmentFilter;

void assessment_free(Assessment *assessment); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Assessment, assessment_free)

/* ERROR_NOT_FOUND when the integration is not the organization's. */
bool assessment_insert(DbUnit *unit, const Assessment *assessment,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Assessment*, the newest first. The array frees its rows. */
bool assessment_list(DbUnit *unit, const AssessmentFilter *filter, GPtrArray **assessments_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
