/* openapi.h - the OpenAPI 3.1 document of the routes, and a page that shows it to people.
 *
 * Both are made of the route tables when the server starts and do not change afterwards.
 */
#pragma once

#include "api/route.h"

/* The document. The caller owns it. */
Json *openapi_json(const Route *const *tables, const char *public_url);
