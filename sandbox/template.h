/* template.h - reply bodies and headers as data, compiled once at start.
 *
 * A body is written as JSON; in its texts ${name} stands for a constant, a field of the item at
 * hand (or of its parents) or a variable of the request. A text that is nothing but "${name}"
 * takes the type of what it stands for: "id": "${id}" becomes "id": 17. A text "${>name}" is
 * replaced by the shared template of that name; a first member ">": "name" stands for that
 * object's members. A member written "name?field" is there only when
 * that field is true, and may not be the first of its object.
 *
 * Compiling makes a list of literals and references; rendering is copying.
 *
 * More forms:
 *   "name?field=a,b" "name?field!=a"   there when the field has (not) one of these values
 *   [{"?": "field=a", ...members}]     such an item of an array; {"?": "field=a", "=": "text"}
 *   {"*key": {...}, "when": {...}}     an array: one item for each of the collection "key" inside
 *                                      the item at hand (or of a collection at the top)
 *   {"%json": {...}} {"$json": {...}}  JSON as a text; with % also percent-encoded,
 *                                      and then without conditions
 *
 * In XML (TEMPLATE_XML) members are elements, and the items of an array stand in elements named by
 * the scope ("member"). "Outer/Inner" names both, "/Inner" has no outer element. What follows a
 * blank in a name are attributes.
 */
#pragma once

#include "base/json.h"
#include "sandbox/condition.h"
#include "sandbox/field.h"

#include <glib.h>

typedef struct Template Template;

/* What a request brings along. */
typedef enum {
    VARIABLE_LIMIT,     /* ${rate.limit} and so on: the limit of the token */
    VARIABLE_REMAINING, /* ${rate.remaining} */
    VARIABLE_USED,      /* ${rate.used} */
    VARIABLE_RESET,     /* ${rate.reset}, seconds since 1970 */
    VARIABLE_WAIT,      /* ${wait}: seconds until a limit allows the next call */
    VARIABLE_REQUEST,   /* ${request}: the number of the request in hexadecimal */
    VARIABLE_NEEDED,    /* ${needed}: the permission that the route asks for */
    VARIABLE_SCOPES,    /* ${scopes}: what the token may do */
    VARIABLE_LINK,      /* ${link}: the Link header */
    VARIABLE_NEXT,      /* ${next}: the cursor of the next page, null at the end */
    VARIABLE_ROWS,      /* ${rows}: the rows of a page, as a JSON array */
    VARIABLE_SUBJECT,   /* ${call.subject}: the name of what was asked for and is not there */
    VARIABLE_CALLER,    /* ${call.caller}: who asks */
    VARIABLE_CALLER_ID, /* ${call.caller_id} */
    VARIABLE_HERE,      /* ${call.region}: the region that was asked */
    VARIABLE_HOME,      /* ${call.home}: the region where the thing is */
    VARIABLE_OPERATION, /* ${call.operation} */
    VARIABLE_SENT,      /* ${call.sent}: the time of the request, as the caller says */
    VARIABLE_STATE,     /* ${call.state}: of a report in the making */
    VARIABLE_NOW,       /* ${call.now}: the sandbox's time in the same form */
    VARIABLES
} Variable;

typedef struct {
    const char *text[VARIABLES]; /* NULL is shown as null */
    size_t length[VARIABLES];
} Variables;

void variables_set(Variables *variables, Variable which, const char *text);

typedef enum { TEMPLATE_JSON, TEMPLATE_XML } TemplateFormat;

typedef struct {
    const Collection *collection; /* of the item at hand; NULL when there is none */
    Constants *constants;
    const Json *shared;      /* object: templates by name */
    GHashTable *collections; /* by name, for "*name"; may be NULL */
    TemplateFormat format;
    const char *item; /* XML: the element of an array's item */
} TemplateScope;

/* Compiles a body written as JSON. ERROR_CONFIGURATION names what is wrong. */
Template *template_compile(const Json *body, const TemplateScope *scope,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Compiles plain text (a header's value). */
Template *template_compile_text(const char *text, const TemplateScope *scope,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

void template_free(Template *compiled);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Template, template_free)

/* Appends text to out as XML character data (with quotes escaped, fit for attributes too). */
void template_append_xml(GString *out, const char *text, size_t length);

/* Appends the text to out. item may be NULL when the template's scope had no collection. */
void template_render(const Template *compiled, Item *item, const Variables *variables,
                     GString *out);
