/* service_call.h - how many requests jobs have sent to services, by provider and outcome.
 *
 * Sums of the whole installation since it began, whichever process or machine has sent them: a
 * worker adds what it has sent in the unit that ends its part of a job, so that nothing is counted
 * twice; what a killed worker had sent since is lost. Nothing says whose requests they were.
 */
#pragma once

#include "store/record.h"

typedef struct {
    const char *provider;
    const char *outcome; /* outcome_name() */
    int64_t calls;
} ServiceCall;

/* Adds so many (any scope). Units that add several do so in the order of the outcomes, and last:
 * the rows are everybody's. */
bool service_call_add(DbUnit *unit, const ServiceCall *call,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ServiceCall* of all, by provider and outcome, at most STORE_LIST_MAX (any scope). The array frees
 * them. */
bool service_call_list(DbUnit *unit, GPtrArray **calls_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
