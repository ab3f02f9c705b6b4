/* definition_load_call.h - the HTTP side of a definition: calls, paging, limits, response rules. */
#pragma once

#include "provider/definition_read.h"

/* Reads `http`. */
void definition_load_http(Loading *loading, const YamlNode *http);

/* Reads `calls`; `http` gives the paging of calls that have rows and say nothing else. */
void definition_load_calls(Loading *loading, const YamlNode *calls, const YamlNode *http);
