/* integration_row.h - the integration that a request names, with its credential's plaintext facts.
 */
#pragma once

#include "api/call.h"
#include "base/id.h"
#include "store/credential.h"
#include "store/integration.h"

#define INTEGRATION_ROW_GONE                                                                       \
    "This integration is disconnected; connect it again: POST /api/integrations/{id}/reconnect."

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

/* The id of the one that the query's integrationId means, for filters: a name as well, and an id as
 * it is, whether there is one or not. NULL when it is absent; the caller frees it. */
bool integration_row_filter(Call *call, char **id_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* By id or name within a unit of work, without looking at roles. */
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

/* An integration that is to be changed or run, for a revision (revision.h). What there is to do
 * stands behind it, in a struct that begins with it. */
typedef struct {
    char id[ID_SIZE];
    const Definition *definition; /* borrowed from the call's thread; NULL: not asked for */
    IntegrationRow found;         /* as it was read last */
} IntegrationTarget;

/* Finds the one that the path names, with its definition; without: what needs none also works when
 * the definition is gone or wrong. */
bool integration_target_init(IntegrationTarget *target, Call *call,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool integration_target_init_bare(IntegrationTarget *target, Call *call,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of one that was found. */
bool integration_target_init_row(IntegrationTarget *target, Call *call, const Integration *row,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
void integration_target_clear(IntegrationTarget *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(IntegrationTarget, integration_target_clear)

/* Of its revision. */
bool integration_target_read(DbUnit *unit, void *target, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool integration_target_may(Call *call, const void *target,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
Json *integration_target_show(const Call *call, const void *target);

/* Writes an entry of the audit log about it. */
bool integration_row_audit(DbUnit *unit, const Call *call, AuditAction action,
                           const Integration *row, const Json *details,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
