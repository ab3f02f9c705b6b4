/* aws_request.h - a request to AWS taken apart: who signed it, for what, and its parameters.
 *
 * Parameters of every protocol come out under one kind of name: form fields as they are, members
 * of a JSON body by their path ("Filters.SeverityLabel.1.Value", counted from 1 as in forms), query
 * parameters as they are, and what a path holds under the name that the operation gives it. Filters
 * of EC2 (Filter.1.Name=vpc-id, Filter.1.Value.1=...) also come as "filter:vpc-id", and attributes
 * of LookupEvents as "filter:EventName".
 *
 * Life: aws_request_new() copies what it needs; the authorization and the query are read at once,
 * bodies by aws_request_read_form() or _json() when the protocol is known.
 */
#pragma once

#include "base/json.h"
#include "sandbox/aws_signature.h"
#include "sandbox/request.h"
#include "sandbox/target.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define AWS_PARAMETERS_MAX 128
#define AWS_BODY_MAX (1024 * 1024)

typedef struct {
    const char *name;
    const char *value;
} AwsParameter;

typedef struct {
    bool authorized;        /* there is an Authorization header */
    bool sound;             /* and all its parts are there */
    const char *credential; /* whole: KEY/date/region/service/aws4_request */
    const char *access_key;
    AwsScope scope;
    const char *signed_headers;
    const char *signature;
    Target target; /* path and query, decoded */
    bool target_sound;
    size_t count;
    AwsParameter parameters[AWS_PARAMETERS_MAX];
    char *authorization; /* cut into the parts above */
    char *form;
    Json *json;
    GStringChunk *names; /* of parameters that were put together; NULL until there are some */
} AwsRequest;

AwsRequest *aws_request_new(const ServiceRequest *incoming);
void aws_request_free(AwsRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsRequest, aws_request_free)

/* Reads a body of fields, or of JSON (none counts as {}); false when it is malformed or has too
 * many parameters. */
bool aws_request_read_form(AwsRequest *request, const char *body, size_t size);
bool aws_request_read_json(AwsRequest *request, const char *body, size_t size);

/* Takes the query's parameters over. */
void aws_request_read_query(AwsRequest *request);

/* Adds a parameter; both texts are borrowed. */
void aws_request_add(AwsRequest *request, const char *name, const char *value);

/* The first parameter of that name, or NULL. */
const char *aws_request_parameter(const AwsRequest *request, const char *name);

/* The path from that segment on, decoded; lives as long as the request. */
const char *aws_request_rest(AwsRequest *request, size_t segment);
