#include "cli/serve_settings.h"

#include "base/log.h"

#include <stdatomic.h>

typedef struct {
    ServeState state; /* first: it is what is handed out */
    Config *config;   /* NULL: borrowed */
    Json *limits;
} Kept;

struct ServeSettings {
    GPtrArray *kept; /* Kept: all that have held */
    _Atomic(const ServeState *) now;
};

/* --- states ----------------------------------------------------------------------------------- */

static void add_limit(const char *provider, const char *limit, void *data) {
    json_put_string(data, provider, limit);
}

static Kept *kept_new(const Config *config) {
    Kept *kept = g_new0(Kept, 1);
    kept->limits = json_new_object();
    config_each_limit(config, add_limit, kept->limits);
    kept->state =
        (ServeState){.config = config,
                     .schedule = {.daily_sync = config_text(config, "schedule.daily_sync"),
                                  .weekly_renewal = config_text(config, "schedule.weekly_renewal"),
                                  .time_zone = config_text(config, "timezone")},
                     .limits = kept->limits};
    return kept;
}

static void kept_free(void *data) {
    Kept *kept = data;
    config_free(kept->config);
    json_free(kept->limits);
    g_free(kept);
}

static void hold(ServeSettings *settings, Kept *take_kept) {
    g_ptr_array_add(settings->kept, take_kept);
    atomic_store(&settings->now, &take_kept->state);
}

static LogLevel level_of(const Config *config) {
    return log_level_from_name(config_text(config, "log_level"));
}

ServeSettings *serve_settings_new(const Config *config) {
    ServeSettings *settings = g_new0(ServeSettings, 1);
    settings->kept = g_ptr_array_new_with_free_func(kept_free);
    hold(settings, kept_new(config));
    log_set_level(level_of(config));
    return settings;
}

void serve_settings_free(ServeSettings *settings) {
    if (!settings)
        return;
    g_ptr_array_unref(settings->kept);
    g_free(settings);
}

const ServeState *serve_settings_now(const ServeSettings *settings) {
    return atomic_load(&((ServeSettings *)(uintptr_t)settings)->now);
}

/* --- reading again ---------------------------------------------------------------------------- */

/* "limits.api, log_level"; NULL when there are none. Caller frees. */
static char *list_names(const Json *names) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < json_count(names); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", json_text(json_item(names, i)));
    return text->len > 0 ? g_strdup(text->str) : NULL;
}

/* At the level that says more, of the one before and the one from now on. */
static void tell(const ConfigReload *reload, LogLevel before, LogLevel level) {
    g_autofree char *changed = list_names(reload->changed);
    g_autofree char *waiting = list_names(reload->waiting);
    g_autofree char *message = g_strdup_printf("needs a restart: %s", waiting ? waiting : "");
    log_set_level(MIN(before, level));
    if (changed)
        log_line(LOG_INFO, "settings_changed", LOG_TEXT("settings", changed));
    if (waiting)
        log_line(LOG_WARN, "settings_waiting", LOG_TEXT("settings", waiting),
                 LOG_TEXT("message", message));
    log_set_level(level);
}

/* Whether there is nothing to take, or all is taken. */
static bool take_over(const ConfigReload *reload, Kept *kept, ServeTake take, void *data,
                      GError **error) {
    return json_count(reload->changed) == 0 || take(&kept->state, data, error);
}

static bool refuse(const GError *error) {
    log_line(LOG_ERROR, "settings_refused", LOG_TEXT("message", error->message));
    return false;
}

bool serve_settings_reload(ServeSettings *settings, ServeTake take, void *data) {
    g_auto(ConfigReload) reload = {0};
    g_autoptr(GError) error = NULL;
    const Config *running = serve_settings_now(settings)->config;
    if (!config_reload(running, &reload, &error))
        return refuse(error);
    Kept *kept = kept_new(reload.config);
    kept->config = g_steal_pointer(&reload.config);
    bool changes = json_count(reload.changed) > 0;
    LogLevel level = level_of(kept->config);
    bool taken = take_over(&reload, kept, take, data, &error);
    if (taken)
        tell(&reload, level_of(running), level);
    if (taken && changes)
        hold(settings, kept);
    else
        kept_free(kept);
    return taken ? changes : refuse(error);
}
