#include "sandbox/aws_service.h"

#include "base/error.h"

#include <string.h>

#define SKEW_SECONDS 300

typedef struct {
    const char *name;
    const char *media_type;
    bool xml;
} Protocol;

static const Protocol protocols[AWS_PROTOCOLS] = {
    [AWS_QUERY] = {"query", "text/xml", true},
    [AWS_EC2] = {"ec2", "text/xml;charset=UTF-8", true},
    [AWS_REST_XML] = {"rest_xml", "application/xml", true},
    [AWS_REST_JSON] = {"rest_json", "application/json", false},
    [AWS_JSON] = {"json", "application/x-amz-json-1.1", false},
};

static const char *const error_names[AWS_ERROR_KINDS] = {
    [AWS_NO_ERROR] = NULL,
    [AWS_MISSING_AUTHENTICATION] = "missing_authentication",
    [AWS_INCOMPLETE_SIGNATURE] = "incomplete_signature",
    [AWS_UNKNOWN_KEY] = "unknown_key",
    [AWS_BAD_TOKEN] = "bad_token",
    [AWS_BAD_SIGNATURE] = "bad_signature",
    [AWS_UNSIGNED_HEADER] = "unsigned_header",
    [AWS_EXPIRED] = "expired",
    [AWS_SKEWED_LATE] = "skewed_late",
    [AWS_SKEWED_EARLY] = "skewed_early",
    [AWS_WRONG_SCOPE] = "wrong_scope",
    [AWS_REGION_OFF] = "region_off",
    [AWS_DENIED] = "denied",
    [AWS_THROTTLED] = "throttled",
    [AWS_INTERNAL] = "internal",
    [AWS_MALFORMED] = "malformed",
    [AWS_UNKNOWN_OPERATION] = "unknown_operation",
    [AWS_MISSING_PARAMETER] = "missing_parameter",
    [AWS_INVALID_PARAMETER] = "invalid_parameter",
    [AWS_INVALID_TOKEN] = "invalid_token",
};

bool aws_protocol_is_xml(AwsProtocol protocol) {
    return protocols[protocol].xml;
}

const char *aws_protocol_media_type(AwsProtocol protocol) {
    return protocols[protocol].media_type;
}

AwsError *aws_error_load(const Json *json, const TemplateScope *scope, GError **error) {
    const char *code = json_member_string(json, "code", NULL);
    if (code == NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "An error needs a code.");
        return NULL;
    }
    Template *message =
        template_compile_text(json_member_string(json, "message", ""), scope, error);
    if (message == NULL) {
        return NULL;
    }
    AwsError *loaded = g_new0(AwsError, 1);
    loaded->status = (unsigned)json_member_int(json, "status", 400);
    loaded->code = code;
    loaded->message = message;
    return loaded;
}

void aws_error_free(AwsError *error) {
    if (error != NULL) {
        template_free(error->message);
        g_free(error);
    }
}

static bool find_protocol(const char *name, AwsProtocol *out) {
    for (AwsProtocol i = 0; i < AWS_PROTOCOLS; i++) {
        if (strcmp(protocols[i].name, name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool load_errors(AwsService *service, const Json *own, const Json *shared,
                        const TemplateScope *scope, GError **error) {
    for (AwsErrorKind i = AWS_NO_ERROR + 1; i < AWS_ERROR_KINDS; i++) {
        const Json *json = json_member(own, error_names[i]);
        json = json == NULL ? json_member(shared, error_names[i]) : json;
        service->errors[i] = aws_error_load(json, scope, error);
        if (service->errors[i] == NULL) {
            g_prefix_error(error, "Error %s: ", error_names[i]);
            return false;
        }
    }
    return true;
}

AwsService *aws_service_load(const char *name, const Json *json, const Json *protocol_data,
                             const TemplateScope *scope, GError **error) {
    g_autoptr(AwsService) service = g_new0(AwsService, 1);
    const char *protocol = json_member_string(json, "protocol", "");
    service->name = g_strdup(name);
    service->version = json_member_string(json, "version", NULL);
    service->name_space = json_member_string(json, "namespace", "");
    service->signing = json_member_string(json, "signing", name);
    service->target = json_member_string(json, "target", NULL);
    service->global = json_member_string(json, "global", NULL);
    service->item = json_member_string(json, "item", "member");
    service->error_prefix = json_member_string(json, "error_prefix", "");
    service->error_text = json_member_string(json, "error_text", "message");
    service->regional_root = strcmp(json_member_string(json, "root", "region"), "region") == 0;
    service->skew_ms = json_member_int(json, "skew", SKEW_SECONDS) * 1000;
    service->page = json_member(json, "page");
    if (!find_protocol(protocol, &service->protocol)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "The service %s has no known protocol.", name);
        return NULL;
    }
    const Json *shared = json_path(json_member(protocol_data, protocol), "errors");
    if (!load_errors(service, json_member(json, "errors"), shared, scope, error)) {
        g_prefix_error(error, "Service %s: ", name);
        return NULL;
    }
    return g_steal_pointer(&service);
}

void aws_service_free(AwsService *service) {
    if (service == NULL) {
        return;
    }
    for (AwsErrorKind i = 0; i < AWS_ERROR_KINDS; i++) {
        aws_error_free(service->errors[i]);
    }
    g_clear_pointer(&service->operations, g_hash_table_unref);
    g_clear_pointer(&service->routes, g_ptr_array_unref);
    g_free(service->name);
    g_free(service);
}

void aws_paging_load(const Json *json, AwsPaging *paging_out) {
    *paging_out = (AwsPaging){.token = json_member_string(json, "token", NULL),
                              .next = json_member_string(json, "next", NULL),
                              .more = json_member_string(json, "more", NULL),
                              .size = json_member_string(json, "size", NULL),
                              .fallback = (uint64_t)MAX(json_member_int(json, "default", 100), 1),
                              .min = (uint64_t)MAX(json_member_int(json, "min", 1), 0),
                              .max = (uint64_t)MAX(json_member_int(json, "max", 1000), 1)};
}
