/* xml_plain.h - the XML that services write, read without expat.
 *
 * Making and taking down an expat parser costs more than reading a short answer. Here is a reader
 * for the plain part of the language: one root of elements with ASCII names, attributes, text and
 * the five entities; no document type, comments, instructions, CDATA sections or carriage returns.
 * It takes well-formed documents only, and says of all else that it is not plain: then expat
 * decides. So both must agree on every document that is taken here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Elements nested deeper are not plain. */
#define XML_PLAIN_MAX_DEPTH 64

/* Texts are borrowed from the document; they end nowhere but at their length. */
typedef struct {
    const char *name;
    size_t length;
    const char *type; /* the attribute xsi:type; NULL: none */
    size_t type_length;
} XmlTag;

/* Called in the order of the document. False ends the reading. An element's text may come in
 * pieces. */
typedef struct {
    bool (*begin)(void *data, const XmlTag *tag);
    bool (*text)(void *data, const char *text, size_t length);
    bool (*end)(void *data);
} XmlTaker;

/* Whether the document was plain and taken to its end. */
bool xml_plain_read(const char *bytes, size_t size, const XmlTaker *taker, void *data);
