/* serve_api.h - the API as a part of `assay serve`. */
#pragma once

#include "api/api.h"
#include "cli/output.h"
#include "cli/serve_settings.h"
#include "cli/session.h"
#include "sync/station.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    Session *session;
    const ServeSettings *settings;
    const StationConfig *station;
    void (*queued)(void *data); /* a job was queued */
    void *data;
} ServeApi;

/* Starts the API as the settings say. Everything is borrowed until api_stop(). */
bool serve_api_start(const ServeApi *wish, ApiServer **server_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Has it take other settings. ERROR_CONFIGURATION, and then it has taken none. */
bool serve_api_take(ApiServer *server, const ServeState *state,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where it listens, such as "http://127.0.0.1:8080". Caller frees. */
char *serve_api_address(const ServeApi *wish, const ApiServer *server);

/* Shows the link by which the first user is made, as long as there is none: as a note, and for
 * --json as a member of the object that says that the service is ready. */
bool serve_api_show_setup(const ApiServer *server, const Output *output, Json *ready,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
