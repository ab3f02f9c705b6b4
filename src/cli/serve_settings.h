/* serve_settings.h - the settings of a running service: those that hold, and how they change.
 *
 * The first are those that the process was started with. serve_settings_reload() reads the file
 * again (SIGHUP; config_reload() says what may change), has the parts of the service take what is
 * another, and says in the log what came of it:
 *
 *     settings_changed   {settings}: these hold now
 *     settings_waiting   {settings, message}: these are another in the file, and need a restart
 *     settings_refused   {message}: the file is wrong; nothing has changed
 *
 * A ServeState never changes, and all that have ever held live as long as the ServeSettings: so
 * every part may keep what it has borrowed of one, and threads look at it without a lock. That is a
 * few kilobytes for each reload that changes something.
 */
#pragma once

#include "cli/config.h"
#include "sync/schedule.h"

typedef struct ServeSettings ServeSettings;

/* Settings as the parts of a service take them; the texts are the config's. */
typedef struct {
    const Config *config;
    ScheduleDefaults schedule;
    const Json *limits; /* provider -> "30/1m" */
} ServeState;

/* The config is borrowed, and its log level holds from now on. */
ServeSettings *serve_settings_new(const Config *config);
void serve_settings_free(ServeSettings *settings); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServeSettings, serve_settings_free)

/* What holds now. Any thread. */
const ServeState *serve_settings_now(const ServeSettings *settings);

/* Has the parts take a state; when one of them cannot, none has taken it. */
typedef bool (*ServeTake)(const ServeState *state, void *data, GError **error);

/* Whether other settings hold than before. One thread at a time. */
bool serve_settings_reload(ServeSettings *settings, ServeTake take, void *data);
