/* definition_load_auth.h - settings and ways to sign in, as read from a definition. */
#pragma once

#include "provider/definition_read.h"

/* Reads `settings` and adds the engine's own. Calls must have been read before. */
void definition_load_settings(Loading *loading, const YamlNode *settings);

/* Reads `auth`. Settings must have been read before: both share one namespace. */
void definition_load_auth(Loading *loading, const YamlNode *auth);
