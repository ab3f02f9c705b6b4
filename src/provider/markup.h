/* markup.h - XML text as tags and pieces of text, one after another.
 *
 * markup_init(), then markup_next() until it says MARKUP_OVER, MARKUP_DOCTYPE or MARKUP_BROKEN,
 * then markup_clear(). The bytes are borrowed for as long; names and pieces of text point into
 * them, so nothing of a document is copied and nothing of it is left behind.
 *
 * Read is XML 1.0 in UTF-8, whatever a declaration says, well-formed to the letter: tags that
 * match, attributes that come once, the five entities of XML and references to characters. There is
 * no document type: MARKUP_DOCTYPE stops before one, so nothing can be declared. Namespaces are not
 * looked at. Comments and instructions are checked and passed over. Memory grows with the depth and
 * with the attributes of one tag; both are the caller's to bound, by the size of the document.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    MARKUP_START, /* an element begins: its name */
    MARKUP_END,   /* the innermost element ends: its name */
    MARKUP_TEXT,  /* a piece of the text in the innermost element, never empty */
    MARKUP_OVER,  /* the document is whole */
    MARKUP_DOCTYPE,
    MARKUP_BROKEN, /* no well-formed XML, or cut off */
} MarkupKind;

/* A place in the document. */
typedef struct {
    const char *text;
    size_t length;
} MarkupSpan;

/* Places in a row; the first ones need no memory of their own. */
typedef struct {
    MarkupSpan *items;
    size_t count;
    size_t room;
    MarkupSpan few[16];
} MarkupSpans;

/* text, length and event are for the caller to read, the rest is markup.c's. It stays where it was
 * when it was made. */
typedef struct {
    const char *text; /* of the last event; until the next one */
    size_t length;
    size_t event; /* byte where it begins */
    const char *begin;
    const char *at;
    const char *end;
    char character[6]; /* what a reference stands for, as UTF-8 */
    bool empty;        /* the last start was an end as well */
    bool rooted;
    bool cdata;
    MarkupSpans open;       /* names of open elements */
    MarkupSpans attributes; /* names and values, in turn, of the last start */
} Markup;

void markup_init(Markup *markup, const char *bytes, size_t size);
void markup_clear(Markup *markup);

MarkupKind markup_next(Markup *markup);

/* Appends the value of an attribute of the last start; false when it has none of that name.
 * value_out may be NULL. */
bool markup_attribute(const Markup *markup, const char *name, GString *value_out);
