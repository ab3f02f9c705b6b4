/* integration_object.h - an integration as the API's JSON object; never with a credential.
 *
 * {id, organizationId, ownerUserId, integrationType, name, auth, status, statusReason,
 *  errorMessage, config: {settings, account, scopes, expiresAt}, enabledChecks, evidenceTypes,
 *  scanSchedule, lastSyncAt, lastCheckedAt, nextCheckAt, lastSyncResult, rotationDueAt, createdAt,
 *  updatedAt}. Names of settings are camelCase.
 */
#pragma once

#include "base/json.h"
#include "store/credential.h"
#include "store/integration.h"

#include <glib.h>
#include <stdbool.h>

/* credential: its credential, of which the plaintext facts are taken; NULL: there is none. The
 * caller owns the object. */
Json *integration_object(const Integration *row, const char *organization_id,
                         const Credential *credential);

/* Whether a status is meant by a filter: a status, "active" (connected or degraded) or "error"
 * (reconnect_needed or degraded). */
bool integration_status_fits(const char *filter, const char *status);

/* The filters, ends in NULL. Static. */
extern const char *const integration_status_filters[];
