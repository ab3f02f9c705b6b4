/* finding.h - what a check holds against a resource: current state and transitions.
 *
 *   (none) --fail--> open --resolve--> resolved --fail--> open
 *           opened         resolved              regressed
 *
 * A fail of an open finding only refreshes last_seen_at, evidence, severity and title; a resolve of
 * a resolved one changes nothing. Each arrow is one row of finding_transition.
 */
#pragma once

#include "store/record.h"

#define FINDING_RESOURCE_MAX 1024 /* bytes */

/* Values of Finding.state and, with FINDING_REGRESSED, of FindingTransition.kind. */
#define FINDING_OPEN "open"
#define FINDING_OPENED "opened"
#define FINDING_RESOLVED "resolved"
#define FINDING_REGRESSED "regressed"

typedef struct {
    const char *integration_id;
    const char *check_id;
    const char *resource;
    const char *state;
    const char *severity;
    const char *title;
    const char *evidence_id; /* the record that says so, or NULL */
    int64_t opened_at;       /* of the current opening */
    int64_t last_seen_at;
    int64_t resolved_at; /* 0 while open */
} Finding;

typedef struct {
    const char *id;
    const char *integration_id;
    const char *check_id;
    const char *resource;
    const char *kind; /* opened, resolved, regressed */
    const char *evidence_id;
    int64_t at;
} FindingTransition;

/* What a call did. */
typedef enum {
    FINDING_UNCHANGED,  /* resolve: there was none that is open */
    FINDING_REFRESHED,  /* fail: it was open already */
    FINDING_NOW_OPEN,   /* fail: opened */
    FINDING_NOW_REOPEN, /* fail: regressed */
    FINDING_NOW_RESOLVED
} FindingChange;

typedef struct {
    const char *integration_id;
    const char *check_id;
    const char *resource;
} FindingKey;

/* A failing resource. */
typedef struct {
    FindingKey key;
    const char *severity;
    const char *title;
    const char *evidence_id; /* or NULL */
    int64_t at;              /* when it was seen: the evidence's collected_at */
    bool likely_new;         /* nobody has seen it: what to try first, and no more than that */
} FindingFailure;

typedef struct {
    const char *state;          /* NULL: any */
    const char *severity;       /* NULL: any */
    const char *check_id;       /* NULL: any */
    const char *integration_id; /* NULL: any */
    FindingKey after;           /* cursor: findings behind this one; all NULL: from the first */
    int64_t limit;
} FindingFilter;

void finding_free(Finding *finding); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Finding, finding_free)

/* Opens, reopens or refreshes; *change_out may be NULL. ERROR_LIMIT when the resource is longer
 * than FINDING_RESOURCE_MAX, ERROR_NOT_FOUND when there is no such integration. */
bool finding_fail(DbUnit *unit, const FindingFailure *failure, FindingChange *change_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Resolves an open finding; evidence_id may be NULL, *change_out may be NULL. */
bool finding_resolve(DbUnit *unit, const FindingKey *key, const char *evidence_id, int64_t at,
                     FindingChange *change_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Resources (char *) of one check that are open, by their bytes, behind key->resource (NULL: from
 * the first): ask again with the last one until fewer than limit come. The array frees them. */
bool finding_open_keys(DbUnit *unit, const FindingKey *key, int64_t limit,
                       GPtrArray **resources_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Finding* by integration, check and resource. The array frees its rows. */
bool finding_list(DbUnit *unit, const FindingFilter *filter, GPtrArray **findings_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* FindingTransition* of one finding, the oldest first. The array frees its rows. */
bool finding_transitions(DbUnit *unit, const FindingKey *key, int64_t limit,
                         GPtrArray **transitions_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
