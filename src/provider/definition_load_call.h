/* definition_load_call.h - the calls of a definition; for definition_load.c. */
#pragma once

#include "provider/definition_read.h"

/* Reads `calls`, after `http` and `services`; `http` gives the paging of calls that have rows and
 * say nothing else. */
void definition_load_calls(Loading *loading, const YamlNode *calls, const YamlNode *http);
