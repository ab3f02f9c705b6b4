#include "sandbox/aws_catalog.h"

#include "base/error.h"
#include "sandbox/catalog.h"

#include <string.h>

#define TARGET_HEADER "X-Amz-Target"
#define ACCOUNT_HEADER "x-amz-account-id"
#define DEFAULT_SERVICE "s3"
#define CONTROL_SERVICE "s3control"
#define CONTROL_PATH "/v20180820/"

static const char *const needed_errors[] = {"ReportNotPresent", "ReportInProgress",
                                            "ValidationError"};

static void destroy_collection(gpointer data) {
    collection_free(data);
}

static void destroy_error(gpointer data) {
    aws_error_free(data);
}

static void destroy_service(gpointer data) {
    aws_service_free(data);
}

static void destroy_operation(gpointer data) {
    aws_operation_free(data);
}

static void merge(Json *into, const Json *from) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(from, &iterator, &key, &value)) {
        Json *member = json_member(into, key);
        if (member == NULL || json_kind(member) != JSON_KIND_OBJECT) {
            json_put(into, key, json_copy_deep(value));
        } else {
            merge(member, value);
        }
    }
}

static bool add_parts(Json *data, GError **error) {
    const Json *parts = json_member(data, "parts");
    for (size_t i = 0; i < json_count(parts); i++) {
        const char *name = json_text(json_item(parts, i));
        g_autoptr(Json) part = catalog_read(name == NULL ? "" : name, error);
        if (part == NULL) {
            return false;
        }
        merge(data, part);
    }
    return true;
}

static bool load_errors(AwsCatalog *catalog, const TemplateScope *scope, GError **error) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json_member(catalog->data, "errors"), &iterator, &key, &value)) {
        AwsError *loaded = aws_error_load(value, scope, error);
        if (loaded == NULL) {
            g_prefix_error(error, "Error %s: ", key);
            return false;
        }
        g_hash_table_insert(catalog->errors, g_strdup(key), loaded);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(needed_errors); i++) {
        if (aws_catalog_error(catalog, needed_errors[i]) == NULL) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "The error %s is missing.",
                        needed_errors[i]);
            return false;
        }
    }
    return true;
}

static bool load_services(AwsCatalog *catalog, const TemplateScope *scope, GError **error) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    const Json *protocols = json_member(catalog->data, "protocols");
    const char *partition = g_hash_table_lookup(catalog->constants, "partition");
    while (json_next(json_member(catalog->data, "services"), &iterator, &key, &value)) {
        AwsService *service = aws_service_load(key, value, protocols, scope, error);
        if (service == NULL) {
            return false;
        }
        const Json *global = json_member(value, "global");
        service->global = json_member_string(global, partition, NULL);
        service->operations =
            g_hash_table_new_full(g_str_hash, g_str_equal, NULL, destroy_operation);
        service->routes = g_ptr_array_new();
        g_hash_table_insert(catalog->services, service->name, service);
        g_ptr_array_add(catalog->order, service);
    }
    return g_hash_table_contains(catalog->services, DEFAULT_SERVICE);
}

static bool load_operations(AwsCatalog *catalog, const TemplateScope *templates, GError **error) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    const AwsLookupScope lookup = {.collections = catalog->collections,
                                   .descriptions = json_member(catalog->data, "collections"),
                                   .errors = catalog->errors};
    const AwsOperationScope scope = {.lookup = &lookup,
                                     .templates = templates,
                                     .region = catalog->region,
                                     .account = catalog->account};
    while (json_next(json_member(catalog->data, "operations"), &iterator, &key, &value)) {
        g_autofree char *name = g_strndup(key, strcspn(key, ":"));
        const AwsService *service = g_hash_table_lookup(catalog->services, name);
        if (service == NULL) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "The operation %s is of no service that is there.", key);
            return false;
        }
        AwsOperation *operation = aws_operation_load(key, value, service, &scope, error);
        if (operation == NULL) {
            return false;
        }
        g_hash_table_insert(service->operations, operation->name, operation);
        if (operation->method != NULL) {
            g_ptr_array_add(service->routes, operation);
        }
    }
    return true;
}

static bool load_roots(AwsCatalog *catalog, GError **error) {
    FieldRef name;
    Item item;
    catalog->region = g_hash_table_lookup(catalog->collections, "region");
    catalog->account = g_hash_table_lookup(catalog->collections, "account");
    if (catalog->region == NULL || catalog->account == NULL ||
        !field_find(catalog->region, "name", &name)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "The collections region (with a name) and account must be there.");
        return false;
    }
    for (uint64_t i = 0; i < catalog->region->count; i++) {
        item_init(&item, catalog->region, NULL, i);
        FieldValue value = item_value(&item, name);
        g_hash_table_insert(catalog->regions, g_strndup(value.text, value.length),
                            GUINT_TO_POINTER((guint)i + 1));
    }
    return true;
}

AwsCatalog *aws_catalog_load(Json *data, Constants *constants, uint64_t seed, GError **error) {
    g_autoptr(AwsCatalog) catalog = g_new0(AwsCatalog, 1);
    catalog->data = data;
    catalog->constants = constants;
    catalog->collections =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, destroy_collection);
    catalog->errors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, destroy_error);
    catalog->services = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, destroy_service);
    catalog->order = g_ptr_array_new();
    catalog->regions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!add_parts(data, error)) {
        return NULL;
    }
    catalog_add_constants(json_member(data, "constants"), constants);
    const TemplateScope scope = {.constants = constants,
                                 .collections = catalog->collections,
                                 .shared = json_member(data, "shared")};
    const Json *collections = json_member(data, "collections");
    if (!catalog_add_collections(collections, catalog->collections, constants, seed, error) ||
        !load_roots(catalog, error) || !load_errors(catalog, &scope, error) ||
        !load_services(catalog, &scope, error) || !load_operations(catalog, &scope, error)) {
        g_prefix_error(error, "AWS: ");
        return NULL;
    }
    return g_steal_pointer(&catalog);
}

void aws_catalog_free(AwsCatalog *catalog) {
    if (catalog != NULL) {
        g_ptr_array_unref(catalog->order);
        g_hash_table_unref(catalog->services);
        g_hash_table_unref(catalog->errors);
        g_hash_table_unref(catalog->collections);
        g_hash_table_unref(catalog->regions);
        g_hash_table_unref(catalog->constants);
        json_free(catalog->data);
        g_free(catalog);
    }
}

const AwsError *aws_catalog_error(const AwsCatalog *catalog, const char *name) {
    return g_hash_table_lookup(catalog->errors, name);
}

static bool targets(const AwsService *service, const char *target) {
    size_t length = service->target == NULL ? 0 : strlen(service->target);
    return length > 0 && strncmp(service->target, target, length) == 0 && target[length] == '.';
}

static const AwsService *find_s3(const AwsCatalog *catalog, const char *target) {
    bool control = g_str_has_prefix(target, CONTROL_PATH);
    return g_hash_table_lookup(catalog->services, control ? CONTROL_SERVICE : DEFAULT_SERVICE);
}

/* Without a signature: by what else a request of that service has. */
static const AwsService *guess_service(const AwsCatalog *catalog, const ServiceRequest *incoming) {
    const char *target = incoming->header(incoming->data, TARGET_HEADER);
    for (guint i = 0; i < catalog->order->len; i++) {
        const AwsService *service = g_ptr_array_index(catalog->order, i);
        g_autofree char *version =
            service->version == NULL ? NULL : g_strconcat("Version=", service->version, NULL);
        if ((target != NULL && targets(service, target)) ||
            (version != NULL && (strstr(incoming->body, version) != NULL ||
                                 strstr(incoming->target, version) != NULL))) {
            return service;
        }
    }
    return find_s3(catalog, incoming->target);
}

const AwsService *aws_catalog_service(const AwsCatalog *catalog, const AwsRequest *request,
                                      const ServiceRequest *incoming) {
    if (!request->sound) {
        return guess_service(catalog, incoming);
    }
    if (strcmp(request->scope.service, DEFAULT_SERVICE) == 0) {
        return find_s3(catalog, incoming->target);
    }
    for (guint i = 0; i < catalog->order->len; i++) {
        const AwsService *service = g_ptr_array_index(catalog->order, i);
        if (strcmp(service->signing, request->scope.service) == 0) {
            return service;
        }
    }
    return NULL;
}

static const AwsOperation *find_by_action(const AwsService *service, const AwsRequest *request) {
    const char *action = aws_request_parameter(request, "Action");
    const char *version = aws_request_parameter(request, "Version");
    bool fits = action != NULL && g_strcmp0(version, service->version) == 0;
    return fits ? g_hash_table_lookup(service->operations, action) : NULL;
}

static const AwsOperation *find_by_target(const AwsService *service,
                                          const ServiceRequest *incoming) {
    const char *target = incoming->header(incoming->data, TARGET_HEADER);
    const char *type = incoming->header(incoming->data, "Content-Type");
    if (target == NULL || type == NULL || !targets(service, target) ||
        !g_str_has_prefix(type, aws_protocol_media_type(AWS_JSON))) {
        return NULL;
    }
    return g_hash_table_lookup(service->operations, target + strlen(service->target) + 1);
}

static const AwsOperation *find_by_path(const AwsService *service, AwsRequest *request,
                                        const char *method) {
    for (guint i = 0; request->target_sound && i < service->routes->len; i++) {
        const AwsOperation *operation = g_ptr_array_index(service->routes, i);
        if (aws_operation_matches(operation, method, request)) {
            return operation;
        }
    }
    return NULL;
}

/* The account that S3 Control is asked about. */
static void read_account(AwsRequest *request, const ServiceRequest *incoming) {
    const char *account = incoming->header(incoming->data, ACCOUNT_HEADER);
    if (account != NULL) {
        aws_request_add(request, ACCOUNT_HEADER, account);
    }
}

bool aws_catalog_operation(const AwsService *service, AwsRequest *request,
                           const ServiceRequest *incoming, const AwsOperation **operation_out) {
    const char *body = incoming->body;
    size_t size = incoming->body_size;
    bool sound = true;
    switch (service->protocol) {
    case AWS_QUERY:
    case AWS_EC2:
        if (size > 0) {
            sound = aws_request_read_form(request, body, size);
        } else {
            const char *query = strchr(incoming->target, '?');
            query = query == NULL ? "" : query + 1;
            sound = aws_request_read_form(request, query, strlen(query));
        }
        *operation_out = find_by_action(service, request);
        break;
    case AWS_JSON:
        sound = aws_request_read_json(request, body, size);
        *operation_out = find_by_target(service, incoming);
        break;
    default:
        aws_request_read_query(request);
        read_account(request, incoming);
        sound = service->protocol != AWS_REST_JSON || aws_request_read_json(request, body, size);
        *operation_out = find_by_path(service, request, incoming->method);
    }
    return sound;
}
