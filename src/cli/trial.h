/* trial.h - a credential that is tried before it is stored: by a worker of this machine, or by a
 * server. Says so on the terminal while it lasts. For cli/connect.h and cli/reconnect.h.
 */
#pragma once

#include "cli/output.h"
#include "cli/remote.h"
#include "cli/session.h"
#include "connect/connection.h"

/* The wish has everything but the account, which this asks for. */
bool trial_here(Session *session, const Output *output, const NewConnection *wish,
                Json **account_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    const char *path;    /* of the API */
    const char *service; /* for people */
    const Json *body;    /* without the credentials */
    const Credentials *credentials;
} TrialRequest;

/* Sends it, and waits when the test takes so long that it goes on as a job. What the server
 * answers; the caller owns it. */
Json *trial_there(Remote *remote, const Output *output, const TrialRequest *request,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
