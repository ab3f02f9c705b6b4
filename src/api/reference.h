/* reference.h - the routes as one page for people: plain HTML that asks for nothing else. */
#pragma once

#include "base/json.h"

/* Of the document that openapi_json() made. Caller frees. */
char *reference_page(const Json *document);

/* The Content-Security-Policy that lets the page's own style in and nothing else. Caller frees. */
char *reference_policy(void);
