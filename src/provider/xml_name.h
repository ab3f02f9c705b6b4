/* xml_name.h - the names of an XML document: what a plan says about each, and which have come.
 *
 * XmlRules belong to a plan and are immutable once it is made. XmlNames belong to the reading of
 * one document: xml_names_init(), xml_names_intern() for every name that comes, xml_names_clear().
 * They stay where they were when they were made, and names stay where they are until they are
 * cleared. A document with few names takes no memory beyond the struct: texts are borrowed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define XML_RULE_SLOTS 64
#define XML_NAME_SLOTS 32 /* in the struct; a power of two */
#define XML_FEW_NAMES 48

/* What the plan says about elements of one name. */
typedef struct XmlRule XmlRule;
struct XmlRule {
    XmlRule *next; /* in its slot */
    guint hash;
    size_t length;
    char *name;
    bool list;
    bool map;
    GPtrArray *items; /* names of lists within it (char *), or NULL */
};

/* All zero: none. */
typedef struct {
    XmlRule *slots[XML_RULE_SLOTS];
} XmlRules;

/* The rule of this name, made when there is none yet. */
XmlRule *xml_rules_get(XmlRules *rules, const char *name, size_t length);
void xml_rules_clear(XmlRules *rules);

/* A name that has come in the document. */
typedef struct XmlName XmlName;
struct XmlName {
    XmlName *next;       /* in its slot */
    const XmlRule *rule; /* NULL: none */
    guint hash;
    guint seen; /* the reader's: 1 + index of its latest run in the open elements; 0: none */
    size_t length;
    const char *text; /* in the document or the plan, or in copy */
    char *copy;
};

typedef struct {
    const XmlRules *rules;
    XmlName **slots;
    guint room; /* a power of two */
    guint count;
    bool owns; /* memory beyond this struct and the slots */
    XmlName *first[XML_NAME_SLOTS];
    XmlName few[XML_FEW_NAMES];
} XmlNames;

void xml_names_init(XmlNames *names, const XmlRules *rules);
void xml_names_clear(XmlNames *names);

/* The name of this text, which is kept and must stay as it is. NULL: there are too many. */
XmlName *xml_names_intern(XmlNames *names, const char *text, size_t length);
/* The same for a text that will change. */
XmlName *xml_names_intern_copy(XmlNames *names, const char *text, size_t length);

static inline bool xml_name_is(const XmlName *name, const char *text) {
    size_t length = strlen(text);
    return name->length == length && memcmp(name->text, text, length) == 0;
}
