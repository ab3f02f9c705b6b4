/* route.h - what is answered: method, path, who may, what goes in, what comes out.
 *
 * The table of a resource is a static array of Routes that ends in one without a method; routes.h
 * lists the tables. Dispatch, checks of bodies, roles, the OpenAPI document and the reference page
 * are all made from it, so that what is in the table is what there is.
 *
 * A path is literal segments and parameters: "/api/integrations/{id}/sync". Of several that fit,
 * the one with the fewest parameters is meant, so that "/api/integrations/list" is never an id.
 */
#pragma once

#include "api/shape.h"
#include "store/role.h"

#include <stdbool.h>
#include <stddef.h>

#define ROUTE_PARAMETERS_MAX 4

typedef struct Call Call;

/* Answers a call through call.h, or fails. */
typedef bool (*RouteHandler)(Call *call, GError **error);

typedef enum {
    ACCESS_PUBLIC,    /* nobody is asked who he is */
    ACCESS_SIGNED_IN, /* anybody with a token or session; no organization */
    ACCESS_OPERATOR,  /* the installation operator's, by `action` */
    ACCESS_ROLE       /* a role in an organization, by `action` */
} RouteAccess;

enum {
    ROUTE_AT_ONCE = 1 << 0, /* needs no database: answered where it was read */
    ROUTE_LIST = 1 << 1,    /* takes limit and cursor */
    ROUTE_OBJECT = 1 << 2,  /* has an ETag, heeds If-None-Match; a PATCH heeds If-Match */
    ROUTE_WAITS = 1 << 3,   /* may answer 202 {jobId, events} when it takes too long */
    ROUTE_STREAM = 1 << 4,  /* server-sent events */
    ROUTE_LATER = 1 << 5,   /* may answer 202 with the same object: it will be so within seconds */
    ROUTE_SECRET = 1 << 6,  /* answers with a secret: never kept for an Idempotency-Key */
    ROUTE_BRIEF = 1 << 7,   /* a GET that reads some rows by their keys, and needs no definitions:
                               answered where it was read when the database needs no waiting */
    ROUTE_FOREIGN = 1 << 8, /* somebody else wrote the query: what is not known is passed over */
    ROUTE_LASTING = 1 << 9  /* a GET whose answer stays the same until something is committed: see
                               lasting.h for what it may not look at */
};

typedef struct {
    const char *method; /* upper case */
    const char *path;
    const char *id;      /* of the operation, such as "listIntegrations" */
    const char *tag;     /* "Integrations" */
    const char *summary; /* one line */
    RouteAccess access;
    RoleAction action;
    unsigned flags;
    RouteHandler handle;
    const Shape *query; /* NULL: none beyond limit, cursor and the organization */
    const Shape *body;  /* NULL: none */
    bool body_optional;
    unsigned status; /* of success; 0: 200 */
    const Shape *reply;
    const char *media; /* of the reply; NULL: application/json */
} Route;

/* Whether a path (decoded segments) fits a pattern; the values of its parameters, in order. */
bool route_fits(const char *pattern, char *const *segments,
                const char *values_out[ROUTE_PARAMETERS_MAX]);

/* How many parameters a pattern has. */
size_t route_parameters(const char *pattern);

/* The index of a parameter by name ("id"), -1 when the pattern has none such. */
int route_parameter(const char *pattern, const char *name);

/* The names of a pattern's parameters, ends in NULL. Caller frees with g_strfreev(). */
char **route_parameter_names(const char *pattern);

typedef struct {
    const Route *route; /* NULL: none, or not for this method */
    const char *values[ROUTE_PARAMETERS_MAX];
    char *allow; /* methods of this path, for Allow; NULL: no such path. Caller frees */
} RouteMatch;

/* Looks through tables (an array that ends in NULL). HEAD is GET. allow is set only when the method
 * is not one of the path's, or is OPTIONS. */
void route_find(const Route *const *tables, const char *method, char *const *segments,
                RouteMatch *match_out);
