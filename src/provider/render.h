/* render.h - from a call and what it may see to a request; pure, no I/O.
 *
 * A Render is made once per run: it evaluates the base URL, the headers that depend on settings
 * only, and the set of hosts that may be called (the definition's, widened by settings of format
 * host or url and by the engine's endpoint_url). A request for any other host or scheme is refused
 * with ERROR_CONFIGURATION, also when the URL came from the provider (paging links, redirects).
 * http is allowed only with the engine's setting allow_private.
 *
 * A call of an AWS service goes to the host that its service has in the partition (the setting
 * `partition`, aws without it) and region, or to the engine's endpoint_url when that is set; the
 * request then says which service and region it must be signed for. Buckets of S3 stand in the host
 * (`BUCKET.s3.REGION...`) unless endpoint_url is set or their name has dots.
 */
#pragma once

#include "provider/definition.h"
#include "provider/page.h"
#include "provider/value.h"

#define RENDER_MAX_URL (16 * 1024)

typedef struct Render Render;

typedef struct {
    char *name;
    char *value;
} RenderedHeader;

/* A request. All of it belongs to it, so it may outlive the Render. */
typedef struct {
    const char *method; /* "GET", "POST"; static */
    char *url;
    RenderedHeader *headers;
    size_t header_count;
    char *body; /* NULL when none */
    size_t body_size;
    const DefinitionService *service; /* to be signed for; NULL when not an AWS call */
    char *region;                     /* signing region; NULL when not an AWS call */
} RenderedRequest;

/* Prepares for one set of settings (an object) and the run's time. Keeps a reference on the
 * definition. A Render belongs to one thread: it holds the compiled expressions of the calls. */
Render *render_new(const Definition *definition, Value settings, int64_t now_ms,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
void render_free(Render *render);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Render, render_free)

/* Fills request_out (which may be uninitialized) for one call. env is {settings, range, NODE: row};
 * page is NULL for calls without paging and tells otherwise which page is wanted. */
bool render_call(Render *render, const DefinitionCall *call, Value env, const Page *page,
                 RenderedRequest *request_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rendered_request_clear(RenderedRequest *request);

/* Whether a URL given by the provider may be called: an allowed host, TLS unless allow_private. */
bool render_allows(const Render *render, const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The base URL; NULL for a definition of AWS services without endpoint_url. Borrowed. */
const char *render_base_url(const Render *render);
