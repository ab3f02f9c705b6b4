/* integrations.h - what is connected, without any credential. */
#pragma once

#include "cli/command.h"
#include "cli/session.h"
#include "store/integration.h"

extern const Command integrations_command;

/* All integrations of the organization (Integration*), by the order of their making. */
bool integrations_read(const Session *session, GPtrArray **integrations_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* By id or name. ERROR_NOT_FOUND with what to do. */
bool integrations_find(const Session *session, const char *id_or_name,
                       Integration **integration_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What tables and hints say of all integrations, from here or from a server: an array of {id, name,
 * lastSyncAt} and perhaps more. The caller owns it. */
Json *integrations_here(const Session *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;
Json *integrations_there(Remote *remote, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The name of the integration with this id in such an array; the id when it is not there. */
const char *integrations_called(const Json *integrations, const char *id);
