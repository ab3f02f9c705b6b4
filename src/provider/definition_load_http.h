/* definition_load_http.h - limits, response rules and paging of a definition; for
 * definition_load.c and the loaders of calls and services. */
#pragma once

#include "provider/definition_read.h"

/* `http`: the base URL and what belongs to all calls. */
void definition_load_http(Loading *loading, const YamlNode *http);

/* Lists; NULL when there is none. *count_out is written only when there is one. */
const DefinitionLimit *definition_load_limits(Loading *loading, const YamlNode *node,
                                              size_t *count_out);
const ResponseRule *definition_load_rules(Loading *loading, const YamlNode *node,
                                          size_t *count_out);

/* NULL without paging. */
const PageSpec *definition_load_page(Loading *loading, const YamlNode *node);
