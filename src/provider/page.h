/* page.h - one list, page by page: what to ask next, when it ends, and when it must be stopped.
 *
 * A Page is begun per list, given to render_call() for each request, and told of each answer with
 * page_next(). Every list is guarded: the same cursor twice, too many pages, rows or bytes stop it
 * (PAGE_STOPPED, OUTCOME_ENDLESS). A list is complete only when its end was seen.
 */
#pragma once

#include "provider/definition.h"
#include "provider/value.h"

/* The compiled expressions of paging: one per run and thread. Cheap until they are needed. */
typedef struct Pager Pager;
typedef struct Page Page;

typedef enum {
    PAGE_MORE,    /* render the next request */
    PAGE_END,     /* the end of the list was seen */
    PAGE_STOPPED, /* a guard stopped it: OUTCOME_ENDLESS, see page_reason() */
    PAGE_BROKEN   /* the answer does not say how to go on: OUTCOME_BROKEN */
} PageStep;

typedef struct {
    const char *(*header)(void *data, const char *name);
    void *header_data;
    Value body; /* borrowed; for token, next_url and `until`; VALUE_NONE when page_needs_body() is
                   false */
    const char *url; /* of the request that was answered */
    size_t rows;     /* rows in this answer, before any filter */
    size_t bytes;    /* size of the body */
} PageAnswer;

/* Keeps a reference on the definition. now_ms is the run's time. */
Pager *pager_new(const Definition *definition, int64_t now_ms);
void pager_free(Pager *pager);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pager, pager_free)

/* A list of this call; a call without paging has one page. The pager must outlive it. */
Page *page_new(Pager *pager, const DefinitionCall *call);
void page_free(Page *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Page, page_free)

/* Whether page_next() looks at the body. */
bool page_needs_body(const Page *page);

PageStep page_next(Page *page, const PageAnswer *answer);

/* Counters, and whether the end was seen. */
size_t page_count(const Page *page);
size_t page_rows(const Page *page);
bool page_complete(const Page *page);
/* Why the list was stopped or broken, a sentence; NULL otherwise. Borrowed. */
const char *page_reason(const Page *page);

/* For render: the URL to ask verbatim, or NULL; the parameter to send, its value and place. */
const char *page_url(const Page *page);
const char *page_parameter(const Page *page, PageSend *send_out, const char **value_out);
/* number, offset: the size parameter and its value; NULL when none. */
const char *page_size_parameter(const Page *page, int64_t *size_out);

/* Finds the target of rel="next" in a Link header (RFC 8288), resolved against base. Caller frees;
 * NULL when there is none. */
char *page_link_next(const char *link, const char *base);
