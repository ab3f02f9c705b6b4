/* aws_catalog.h - the data of AWS, compiled: collections, errors, services and their operations.
 *
 * Members of the data: constants, collections (field.h), shared (template.h), errors (by name),
 * protocols and services (aws_service.h), operations (aws_operation.h), and "parts": the names of
 * further data whose members are added to these.
 *
 * A collection "region" has one item for each region that is on, with its name in the field "name";
 * "account" has one item. They are what operations without an item are about.
 */
#pragma once

#include "base/json.h"
#include "sandbox/aws_operation.h"
#include "sandbox/aws_request.h"
#include "sandbox/aws_service.h"

#include <glib.h>
#include <stdint.h>

typedef struct {
    Json *data;
    Constants *constants;
    GHashTable *collections; /* Collection by name */
    GHashTable *errors;      /* AwsError by name */
    GHashTable *services;    /* AwsService by name */
    GPtrArray *order;        /* AwsService, as in the data */
    GHashTable *regions;     /* number of the region, from 1 on, by name */
    const Collection *region;
    const Collection *account;
} AwsCatalog;

/* Takes data and constants. */
AwsCatalog *aws_catalog_load(Json *data, Constants *constants, uint64_t seed,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void aws_catalog_free(AwsCatalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsCatalog, aws_catalog_free)

/* The service that a request is for, and NULL when its scope names none. */
const AwsService *aws_catalog_service(const AwsCatalog *catalog, const AwsRequest *request,
                                      const ServiceRequest *incoming);

/* Reads the request's parameters as the service's protocol has them, and finds the operation (or
 * NULL). False when the body is malformed. */
bool aws_catalog_operation(const AwsService *service, AwsRequest *request,
                           const ServiceRequest *incoming, const AwsOperation **operation_out);

/* An error by name, which must be in the data. */
const AwsError *aws_catalog_error(const AwsCatalog *catalog, const char *name);
