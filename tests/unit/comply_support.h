/* comply_support.h - a provider, stored evidence and a database for the tests of judging.
 *
 * The provider "alpha" has two evidence types:
 *
 *   branches   rows of repositories (node repo), each with its protection (node protection)
 *              fields: repository string, archived bool, protected bool, age int?
 *   alerts     rows of alerts (node alert, a list below each repo)
 *              fields: repository string, open bool
 *
 * Both lists may be unlicensed, which is "not applicable" for protection and alert. Every test has
 * a database of its own with one organization and a frozen clock.
 */
#pragma once

#include "comply/control.h"
#include "comply/framework.h"
#include "db/db.h"
#include "provider/definition.h"
#include "provider/registry.h"

#define ORGANIZATION "org-a"

/* The frozen time at which a test begins. */
#define START_MS INT64_C(1760000000000)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

typedef struct {
    const char *name; /* a sentence about behaviour */
    void (*run)(void);
} ComplyTest;

/* Registers the tests under /comply/NOUN/, each with a database, and runs them. */
int comply_main(int argc, char **argv, const char *noun, const ComplyTest *tests, size_t count);

/* As above without a database. */
int comply_main_pure(int argc, char **argv, const char *noun, const ComplyTest *tests,
                     size_t count);

/* The expression uses &error as its last argument and must succeed, or fail with this code. */
#define comply_ok(expression)                                                                      \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        bool comply_succeeded = (expression);                                                      \
        g_assert_no_error(error);                                                                  \
        g_assert_true(comply_succeeded);                                                           \
    } while (0)
#define comply_fails(expected, expression)                                                         \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        bool comply_succeeded = (expression);                                                      \
        g_assert_false(comply_succeeded);                                                          \
        g_assert_error(error, ASSAY_ERROR, (int)(expected));                                       \
        g_error_free(error);                                                                       \
    } while (0)

/* One check of branches that asks for .protected, and one of alerts that asks for `.open | not`. */
#define CHECK_PROTECTED                                                                            \
    "      protected: {title: The branch is protected, resource: .repository, pass: .protected,\n" \
    "        severity: high, remediation: Protect it., controls: {soc2: [CC1.1, 'CC 1.2'],\n"      \
    "        iso27001_2013: [5.1.1], nist_800_171: [3.4.3]}}\n"
#define CHECK_NO_ALERTS                                                                            \
    "      no_alerts: {title: No alert is open, resource: .repository, pass: '.open | not',\n"     \
    "        severity: medium, remediation: Fix it., controls: {soc2: [CC1.2, CC9.9]}}\n"

/* The provider with this id and these checks (lines as above; NULL: none). Caller frees. */
char *comply_definition_text(const char *id, const char *branch_checks, const char *alert_checks);
Definition *comply_definition(const char *branch_checks, const char *alert_checks);

/* A registry with the embedded definitions and these texts, two rows of (id, text) ... NULL. */
Registry *comply_registry(const char *const *ids_and_texts);

/* The framework with this id, which must be there. */
const Framework *comply_framework(const char *id);

/* --- the database ----------------------------------------------------------------------------- */

Db *comply_db(void);
const DbScope *comply_scope(void);

/* Runs a unit that must commit. */
void comply_run(DbWork work, void *data);

/* Adds a connected integration with this id, named the same. */
void comply_add_integration(const char *id, const char *provider);

/* Reads that were complete, for branches and for alerts. */
#define READS_BRANCHES                                                                             \
    "{\"node\":\"repo\",\"lists\":1,\"listsEnded\":1,\"outcomes\":{\"ok\":1}},"                    \
    "{\"node\":\"protection\",\"lists\":0,\"listsEnded\":0,\"outcomes\":{\"ok\":2}}"
#define READS_ALERTS                                                                               \
    "{\"node\":\"repo\",\"lists\":1,\"listsEnded\":1,\"outcomes\":{\"ok\":1}},"                    \
    "{\"node\":\"alert\",\"lists\":2,\"listsEnded\":2,\"outcomes\":{\"ok\":2}}"

typedef struct {
    const char *id; /* NULL: a new one */
    const char *integration_id;
    const char *type;
    const char *rows;     /* JSON objects with commas between; NULL: no document */
    const char *raw;      /* the whole document instead of rows */
    const char *reads;    /* entries of completeness.reads; NULL: complete ones */
    size_t chunk;         /* bytes in one chunk; 0: as many as may be */
    double completeness;  /* 0: 1.0 */
    int64_t collected_at; /* 0: now */
    int64_t valid_for;    /* 0: 30 days */
} ComplyEvidence;

/* Stores the evidence and returns its id. Caller frees. */
char *comply_add_evidence(const ComplyEvidence *evidence);
