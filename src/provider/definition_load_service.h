/* definition_load_service.h - AWS services, and what is special about calls of them; for
 * definition_load.c and the loader of calls. */
#pragma once

#include "provider/definition_read.h"

/* Reads `services`, before `calls`. */
void definition_load_services(Loading *loading, const YamlNode *services);

/* Reads `aws` and what belongs to it: service, operation, parameters, region, permissions that
 * follow from the operation. A call without `aws` must not have them. */
void definition_load_operation(Loading *loading, const YamlNode *node, DefinitionCall *call);

/* The paging of the call with its token where the protocol has it; NULL stays NULL. */
const PageSpec *definition_page_of_service(Loading *loading, const DefinitionCall *call);

/* Whether a call's region is the one that needs no word: that of the read `region`, if any. */
bool definition_region_is_implied(const Expr *region);

/* Says of each call that answers in XML which elements are arrays: those of `lists`, the rows, and
 * the lists that any expression of the definition reads as `.NAME.member` or `.NAME.item`. After
 * everything else. */
void definition_load_xml(Loading *loading, const YamlNode *calls);
