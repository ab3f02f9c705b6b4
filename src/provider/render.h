/* render.h - from a call and what it may see to a request; pure, no I/O.
 *
 * A Render is made once per run: it evaluates the base URL, the headers that depend on settings
 * only, and the set of hosts that may be called (the definition's, widened by settings of format
 * host or url and by the engine's endpoint_url). A request for any other host or scheme is refused
 * with ERROR_CONFIGURATION, also when the URL came from the provider (paging links, redirects).
 * http is allowed only with the engine's setting allow_private.
 */
#pragma once

#include "provider/definition.h"
#include "provider/page.h"
#include "provider/value.h"

#define RENDER_MAX_URL (16 * 1024)

typedef struct Render Render;

typedef struct {
    const char *name;
    const char *value;
} RenderedHeader;

/* A request. Texts are owned by it. */
typedef struct {
    const char *method; /* "GET", "POST"; static */
    char *url;
    GArray *headers; /* RenderedHeader; strings owned by the Render or by strings */
    char *body;      /* NULL when none */
    size_t body_size;
    GPtrArray *strings;
} RenderedRequest;

/* Prepares for one set of settings (an object). Keeps a reference on the definition. */
Render *render_new(const Definition *definition, const Value *settings,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
void render_free(Render *render);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Render, render_free)

/* Fills request_out (which may be uninitialized) for one call. env is {settings, range, NODE: row};
 * page is NULL for calls without paging and tells otherwise which page is wanted. */
bool render_call(const Render *render, const DefinitionCall *call, const Value *env,
                 const Page *page, RenderedRequest *request_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rendered_request_clear(RenderedRequest *request);

/* Whether a URL given by the provider may be called: an allowed host, TLS unless allow_private. */
bool render_allows(const Render *render, const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The base URL. Borrowed. */
const char *render_base_url(const Render *render);
