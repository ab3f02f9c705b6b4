/* settings.h - what a person gave for a connection, held against the definition.
 *
 * settings_check() turns loose input (names in snake_case or camelCase, text values) into the
 * object that is stored and that expressions see as .settings: defaults filled in, lists split at
 * commas, patterns held; a text or number that is optional and was not given (or given as an empty
 * text) stays away, a list is then empty and a bool false. The engine's own settings
 * allow_private and endpoint_url belong to the installation operator, and so does every setting
 * that changes a host (format host or url) when its value differs from the default.
 */
#pragma once

#include "base/json.h"
#include "provider/definition.h"
#include "provider/value.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const Definition *definition;
    const DefinitionAuth *auth;
    bool operator_allowed; /* the caller is the installation operator */
} SettingsRules;

/* ERROR_CONFIGURATION names the setting, what is wrong and, for an unknown name, what was likely
 * meant. *settings_out is owned by the caller. */
bool settings_check(const SettingsRules *rules, const Json *given, Json **settings_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Chooses the auth method: by name when given, else the only offered one whose fields are exactly
 * those given (names in either case). Borrowed from the definition. */
bool settings_choose_auth(const Definition *definition, const char *auth_name,
                          const char *const *fields, size_t field_count,
                          const DefinitionAuth **auth_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether connections with these settings may reach private addresses and plain http. */
bool settings_allow_private(const Json *settings);

/* The settings as expressions see them. *value_out is owned by the caller. */
bool settings_value(const Json *settings, Value *value_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
