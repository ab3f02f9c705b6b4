/* standing.h - what an organization has: its integrations, check results and evidence.
 *
 * Read in short units of work, page by page; everything else of evaluating is computed from it.
 * Integrations that were disconnected are left out.
 */
#pragma once

#include "db/db.h"
#include "provider/definition.h"
#include "provider/registry.h"
#include "store/check_result.h"
#include "store/integration.h"

#include <glib.h>

/* One integration with what was collected from it. */
typedef struct {
    Integration *row;
    const Definition *definition; /* NULL: the provider's definition cannot be loaded */
    GHashTable *types;            /* enabled evidence types; NULL: all */
    GHashTable *results;          /* check id -> CheckResult */
} StandingIntegration;

typedef struct Standing Standing;

/* The registry and its definitions must outlive the result. */
Standing *standing_new(Db *db, const DbScope *scope, Registry *registry,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
void standing_free(Standing *standing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Standing, standing_free)

/* In the order of their making. Borrowed. */
size_t standing_count(const Standing *standing);
const StandingIntegration *standing_integration(const Standing *standing, size_t index);

/* The latest result of a check on an integration, or NULL. Borrowed. */
const CheckResult *standing_result(const StandingIntegration *integration, const char *check_id);

/* Whether the integration is asked for this evidence type. */
bool standing_wants(const StandingIntegration *integration, const char *evidence_type);

/* Share of the reads behind a record that were complete; 0 when there is no such record. */
double standing_completeness(const Standing *standing, const char *evidence_id);
