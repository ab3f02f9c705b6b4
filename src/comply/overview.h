/* overview.h - controls and findings as the API's JSON objects.
 *
 * Members are camelCase, times RFC 3339. Both only read.
 */
#pragma once

#include "base/json.h"
#include "comply/framework.h"
#include "db/db.h"
#include "provider/registry.h"
#include "store/finding.h"

/* {"framework", "name", "edition", "score": {...} (score.h), "unserved": n, "controls": [{"id",
 * "title", "level"?, "weight", "status", "verdict", "reason", "confidence", "confidenceParts",
 * "checks":
 * [{"check", "title", "severity", "evidenceType", "integrationId", "integration", "verdict",
 * "evidenceId", "reason", "collectedAt", "validUntil"}]}]}, as of now_ms. "verdict" is what stale
 * and exception keep beside them, else null. status NULL: all controls; the score is always over
 * all. */
typedef struct {
    const Framework *framework;
    const char *status;
    int64_t now_ms;
} OverviewControls;

Json *overview_controls(Db *db, const DbScope *scope, Registry *registry,
                        const OverviewControls *wish, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [{"provider", "evidenceType", "check", "title", "severity", "origin", "setAside", "by", "reason",
 * "changedAt"}]: the checks of all known providers that support a control, connected or not, and
 * those that the organization has set aside. "origin" is "definition", "framework" or
 * "organization" (mapping.h); "by", "reason" and "changedAt" are of the organization's change, else
 * null. */
Json *overview_mapping(Db *db, const DbScope *scope, Registry *registry, const ControlRef *ref,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* {"findings": [{"check", "evidenceType", "title", "severity", "resource", "state",
 * "integrationId", "integration", "provider", "evidenceId", "openedAt", "lastSeenAt",
 * "resolvedAt", "remediation", "controls": {framework: [ids]}}], "nextCursor": text or null}.
 * The filter's own cursor is not looked at; cursor is a nextCursor or NULL, ERROR_USAGE when it is
 * no such text. controls are what the check supports by the organization's mapping (mapping.h), ids
 * as the framework writes them; remediation and controls are null and {} when no definition has the
 * check. */
Json *overview_findings(Db *db, const DbScope *scope, Registry *registry,
                        const FindingFilter *filter, const char *cursor,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
