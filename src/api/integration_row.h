/* integration_row.h - the integration that a request names, with its credential's plaintext facts.
 */
#pragma once

#include "api/call.h"
#include "store/credential.h"
#include "store/integration.h"

typedef struct {
    Integration *row;
    Credential *credential; /* NULL: none */
} IntegrationRow;

void integration_row_clear(IntegrationRow *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(IntegrationRow, integration_row_clear)

/* By the path's {id}, which may be its name. What the caller's role does not see is not there:
 * ERROR_NOT_FOUND. */
bool integration_row_find(Call *call, IntegrationRow *found_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for one that the body names. */
bool integration_row_find_by(Call *call, const char *id_or_name, IntegrationRow *found_out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same within a unit of work, without looking at roles. */
bool integration_row_read(DbUnit *unit, const char *id_or_name, IntegrationRow *found_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The API's object. The caller owns it. */
Json *integration_row_object(const Call *call, const IntegrationRow *found);

/* Whether the caller may do what the route is for to this integration. */
bool integration_row_may(const Call *call, const Integration *row);
/* ... and fails with PROBLEM_FORBIDDEN. */
bool integration_row_require(Call *call, const Integration *row,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The definition of its provider, borrowed from the call's thread; NULL with the error. */
const Definition *integration_row_definition(Call *call, const Integration *row, GError **error);

/* Writes an entry of the audit log about it. */
bool integration_row_audit(DbUnit *unit, const Call *call, AuditAction action,
                           const Integration *row, const Json *details,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
