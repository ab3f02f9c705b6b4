/* store_support.h - tests of the store on a migrated temporary SQLite database.
 *
 * Every test has a database of its own with two organizations, each with one integration named
 * "acme", and a frozen clock. A test is a sequence of steps; each step is one unit of work in a
 * scope, and is run twice with the first run rolled back, so that a store function that cannot be
 * run again is found. A step therefore never moves the clock; the test does, between steps.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define ORG_A "org-a"
#define ORG_B "org-b"
#define INTEGRATION_A "integration-a"
#define INTEGRATION_B "integration-b"

/* The frozen time at which a test begins. */
#define START_MS 1760000000000

typedef void (*StoreStep)(DbUnit *unit);

typedef struct {
    const char *name; /* a sentence about behaviour */
    void (*run)(void);
} StoreTest;

/* Registers the tests under /store/NOUN/ and runs them; the result of main. */
int store_main(int argc, char **argv, const char *noun, const StoreTest *tests, size_t count);

/* Runs one step as an organization, or as the system. */
void store_in(const char *organization, StoreStep step);
void store_system(StoreStep step);

/* Runs a step as the system in which a statement fails, so that the unit fails as well. */
void store_system_fails(StoreStep step);

/* The expression uses &error as its last argument and must succeed. */
#define store_ok(expression)                                                                       \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        bool store_succeeded = (expression);                                                       \
        g_assert_no_error(error);                                                                  \
        g_assert_true(store_succeeded);                                                            \
    } while (0)

/* ... and must fail with this code. */
#define store_fails(expected, expression)                                                          \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        bool store_succeeded = (expression);                                                       \
        g_assert_false(store_succeeded);                                                           \
        g_assert_error(error, ASSAY_ERROR, (int)(expected));                                       \
        g_error_free(error);                                                                       \
    } while (0)

/* The database of the running test, for tests with threads of their own. */
Db *store_database(void);

/* Adds another integration of this id and name to the organization of the unit. */
void store_add_integration(DbUnit *unit, const char *integration_id);

/* Adds a pending job with this id to the integration. */
void store_add_job(DbUnit *unit, const char *integration_id, const char *job_id);

/* Stores a document of one chunk with this text. */
void store_add_document(DbUnit *unit, const char *id, const char *text);

/* Steps: there is a pending job "job-1" of INTEGRATION_A; a worker claims the next one for a
 * minute. */
void store_adds_job(DbUnit *unit);
void store_claims_job(DbUnit *unit);

/* Steps: the users "ada" and "eve" of example.com, and that ada is disabled. */
void store_adds_ada(DbUnit *unit);
void store_adds_ada_and_eve(DbUnit *unit);
void store_disables_ada(DbUnit *unit);
