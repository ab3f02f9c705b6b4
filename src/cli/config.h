/* config.h - the settings of an installation: flag, environment, file, default, in this order.
 *
 * The settings are one table (config.c): name, environment variable, what a value may be, default.
 * In the file (YAML) a dotted name is a key in a section:
 *
 *     database_url: postgres://db.internal/assay
 *     timezone: Europe/Berlin
 *     schedule: {daily_sync: '0 6 * * *'}
 *     limits: {api: 2000/1m, slack: 30/1m}
 *
 * limits.PROVIDER lowers what a definition declares (net/budget.h). Everything is checked when it
 * is read; a message names file, line and key, or the variable. A Config never changes. SIGHUP has
 * a service read its file again (config_reload()): what the table calls live is exchanged, the rest
 * waits for a restart.
 *
 * A secret is read from its variable, which is overwritten and unset, or from the file. So is a URL
 * that holds a password; a process that reads its settings again still has it.
 * The key-encryption key is no setting: vault/keyring takes it from the environment itself.
 */
#pragma once

#include "base/json.h"
#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_FILE_MAX (256 * 1024)

typedef enum { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_FLAG } ConfigOrigin;

typedef struct Config Config;

/* Reads file (NULL: ASSAY_CONFIG, else none) and the environment. ERROR_CONFIGURATION. */
Config *config_read(const char *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void config_free(Config *config); /* NULL allowed */
/* For a process whose environment becomes another: what was taken out of it is forgotten. */
void config_forget_environment(void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* What was given on the command line; a NULL text was not. ERROR_USAGE. */
bool config_set_flag(Config *config, const char *name, const char *text,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether it may be given, before anything is opened. */
bool config_check_flag(const char *name, const char *text,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the file says now, against a Config that is in use. */
typedef struct {
    Config *config; /* is to hold: what is live as the file says, the rest as it was */
    Json *changed;  /* names of what is another in it; limits.PROVIDER as well */
    Json *waiting;  /* names of what is another in the file, and needs a restart */
} ConfigReload;

/* Reads the file again that this Config was read from; what came by flag or environment stays.
 * ERROR_CONFIGURATION when the file is wrong or gone. */
bool config_reload(const Config *running, ConfigReload *reload_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
void config_reload_clear(ConfigReload *reload);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ConfigReload, config_reload_clear)

/* The effective value by a name of the table, or limits.PROVIDER; NULL when there is neither a
 * value nor a default. Borrowed. */
const char *config_text(const Config *config, const char *name);
/* Of settings that are numbers or durations (milliseconds). */
int64_t config_number(const Config *config, const char *name);
/* Of settings that are lists (by comma or as a YAML list); ends in NULL. Borrowed. */
const char *const *config_list(const Config *config, const char *name);
/* Of settings that are secret, which have no text; NULL when it was not set. Borrowed. */
Secret *config_secret(const Config *config, const char *name);
bool config_is_yes(const Config *config, const char *name);
ConfigOrigin config_origin(const Config *config, const char *name);

/* Calls for each limits.PROVIDER that was set. */
typedef void (*ConfigLimit)(const char *provider, const char *limit, void *data);
void config_each_limit(const Config *config, ConfigLimit function, void *data);

/* A row of the table. */
typedef struct {
    const char *name;
    const char *environment;
    const char *expected; /* what a value may be */
    const char *fallback; /* NULL: none */
    const char *about;
    bool live; /* another value of the file holds with SIGHUP, not with a restart only */
} ConfigSetting;

/* What there is to set, in order; false behind the last one. */
bool config_setting(size_t index, ConfigSetting *setting_out);

/* What limits.PROVIDER does. */
#define CONFIG_LIMIT_ABOUT "lowers what the definition of the service declares"

/* [{"name", "value", "origin", "environment", "about", "live"}], secrets and
 * passwords within URLs as "[secret]". */
Json *config_describe(const Config *config);

/* {name: HMAC-SHA-256 under the salt, hexadecimal} of every effective value, secrets as well: says
 * whether one is another than before, and not what it is. */
Json *config_hashes(const Config *config, const void *salt, size_t size);
