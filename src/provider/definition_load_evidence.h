/* definition_load_evidence.h - evidence types as read from a definition. */
#pragma once

#include "provider/definition_read.h"

/* Reads `evidence`. Calls must have been read before. */
void definition_load_evidence(Loading *loading, const YamlNode *evidence);
