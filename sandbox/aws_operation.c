#include "sandbox/aws_operation.h"

#include "base/error.h"

#include <string.h>

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static const char *const native_names[AWS_NATIVES] = {
    [AWS_PLAIN] = "",
    [AWS_ASSUME_ROLE] = "assume_role",
    [AWS_GENERATE_REPORT] = "generate_report",
    [AWS_GET_REPORT] = "get_report",
};

static void clear_case(gpointer data) {
    AwsCase *one = data;
    condition_free(one->when);
    template_free(one->body);
    template_free(one->text);
    aws_list_free(one->list);
    g_clear_pointer(&one->given, g_ptr_array_unref);
}

static void destroy_template(gpointer data) {
    template_free(data);
}

static bool refuse(GError **error, const char *what, const char *name) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "There is no %s \"%s\".", what, name);
    return false;
}

static bool load_lookups(AwsOperation *operation, const Json *json, const AwsOperationScope *scope,
                         GError **error) {
    bool many = json_kind(json) == JSON_KIND_ARRAY;
    size_t count = json == NULL ? 0 : many ? json_count(json) : 1;
    if (count > OPERATION_LOOKUPS) {
        return refuse(error, "room for so many lookups:", operation->id);
    }
    for (size_t i = 0; i < count; i++) {
        const Json *one = many ? json_item(json, i) : json;
        if (!aws_lookup_load(one, scope->lookup, &operation->lookups[i], error)) {
            return false;
        }
        operation->lookup_count++;
    }
    return true;
}

static const Collection *scope_of(const AwsOperation *operation) {
    return operation->lookup_count == 0 ? operation->root
                                        : operation->lookups[operation->lookup_count - 1].of;
}

static bool load_answer(AwsCase *one, const Json *json, const AwsService *service,
                        const TemplateScope *scope, GError **error) {
    const Json *body = json_member(json, "body");
    const Json *text = json_member(json, "text");
    TemplateScope plain = *scope;
    plain.format = TEMPLATE_JSON;
    if (text != NULL) {
        one->text = template_compile(text, &plain, error);
        return one->text != NULL;
    }
    if (body != NULL) {
        one->body = template_compile(body, scope, error);
        return one->body != NULL;
    }
    one->list = aws_list_load(json, service, scope, error);
    return one->list != NULL;
}

static void load_given(AwsCase *one, const Json *given) {
    if (given != NULL) {
        one->given = g_ptr_array_new();
    }
    for (size_t i = 0; i < json_count(given); i++) {
        const char *name = json_text(json_item(given, i));
        g_ptr_array_add(one->given, (char *)(uintptr_t)(name == NULL ? "" : name));
    }
}

static bool add_case(AwsOperation *operation, const Json *json, const AwsOperationScope *scope,
                     GError **error) {
    AwsCase one = {0};
    const char *named = json_member_string(json, "error", NULL);
    TemplateScope templates = *scope->templates;
    templates.collection = scope_of(operation);
    templates.format =
        aws_protocol_is_xml(operation->service->protocol) ? TEMPLATE_XML : TEMPLATE_JSON;
    templates.item = operation->service->item;
    load_given(&one, json_member(json, "given"));
    one.when = condition_compile(json_member(json, "when"), templates.collection, error);
    bool loaded = one.when != NULL;
    if (loaded && named != NULL) {
        one.error = g_hash_table_lookup(scope->lookup->errors, named);
        loaded = one.error != NULL || refuse(error, "error", named);
    } else if (loaded) {
        loaded = load_answer(&one, json, operation->service, &templates, error);
    }
    g_array_append_val(operation->cases, one);
    return loaded;
}

static bool load_cases(AwsOperation *operation, const Json *json, const AwsOperationScope *scope,
                       GError **error) {
    const Json *cases = json_member(json, "cases");
    if (cases == NULL) {
        return operation->native == AWS_ASSUME_ROLE || add_case(operation, json, scope, error);
    }
    for (size_t i = 0; i < json_count(cases); i++) {
        if (!add_case(operation, json_item(cases, i), scope, error)) {
            return false;
        }
    }
    return true;
}

/* "GET /{Bucket}?encryption" */
static void load_route(AwsOperation *operation, const char *http) {
    g_auto(GStrv) words = g_strsplit(http, " ", 2);
    g_auto(GStrv) parts = g_strsplit(words[1] == NULL ? "/" : words[1], "?", 2);
    g_auto(GStrv) segments = g_strsplit(parts[0] + 1, "/", OPERATION_SEGMENTS);
    operation->method = g_strdup(words[0]);
    operation->flag = g_strdup(parts[1]);
    for (char **segment = segments; *segment != NULL && **segment != '\0'; segment++) {
        size_t length = strlen(*segment);
        if (**segment == '{') { /* kept as "{Name" */
            operation->greedy = (*segment)[length - 2] == '+';
            (*segment)[length - (operation->greedy ? 2 : 1)] = '\0';
        }
        operation->segments[operation->segment_count++] = g_strdup(*segment);
    }
}

static bool load_headers(AwsOperation *operation, const Json *headers, const TemplateScope *outer,
                         GError **error) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    TemplateScope scope = *outer;
    scope.collection = scope_of(operation);
    while (json_next(headers, &iterator, &key, &value)) {
        Template *text =
            template_compile_text(json_text(value) == NULL ? "" : json_text(value), &scope, error);
        if (text == NULL) {
            return false;
        }
        g_ptr_array_add(operation->header_names, g_strdup(key));
        g_ptr_array_add(operation->header_values, text);
    }
    return true;
}

/* "@" stands for the operation's name, "#" for the namespace, "~" for the root element. */
static char *fill(const char *form, const AwsOperation *operation, const char *root) {
    GString *text = g_string_new(NULL);
    for (; form != NULL && *form != '\0'; form++) {
        switch (*form) {
        case '@':
            g_string_append(text, operation->name);
            break;
        case '#':
            g_string_append(text, operation->service->name_space);
            break;
        case '~':
            g_string_append(text, root);
            break;
        default:
            g_string_append_c(text, *form);
        }
    }
    return g_string_free(text, FALSE);
}

static bool load_envelope(AwsOperation *operation, const Json *json, const TemplateScope *scope,
                          GError **error) {
    static const char *const opens[AWS_PROTOCOLS] = {
        [AWS_QUERY] = "<@Response xmlns=\"#\"><@Result>",
        [AWS_EC2] = XML "<@Response xmlns=\"#\"><requestId>"
                        "${request}"
                        "</requestId>",
        [AWS_REST_XML] = XML "<~ xmlns=\"#\">",
    };
    static const char *const closes[AWS_PROTOCOLS] = {
        [AWS_QUERY] = "</@Result><ResponseMetadata><RequestId>"
                      "${request}"
                      "</RequestId></ResponseMetadata></@Response>",
        [AWS_EC2] = "</@Response>",
        [AWS_REST_XML] = "</~>",
    };
    const char *root = json_member_string(json, "root", operation->name);
    g_autofree char *open = fill(opens[operation->service->protocol], operation, root);
    g_autofree char *close = fill(closes[operation->service->protocol], operation, root);
    operation->open = template_compile_text(open, scope, error);
    operation->close = operation->open == NULL ? NULL : template_compile_text(close, scope, error);
    return operation->close != NULL;
}

static AwsNative find_native(const char *name) {
    AwsNative native = AWS_PLAIN;
    while (native < AWS_NATIVES && strcmp(native_names[native], name) != 0) {
        native++;
    }
    return native;
}

static bool load_report(AwsOperation *operation, const Json *report, const AwsOperationScope *scope,
                        GError **error) {
    TemplateScope templates = *scope->templates;
    templates.collection = operation->root;
    operation->report = report == NULL ? NULL : aws_report_load(report, &templates, error);
    return report == NULL || operation->report != NULL;
}

AwsOperation *aws_operation_load(const char *id, const Json *json, const AwsService *service,
                                 const AwsOperationScope *scope, GError **error) {
    g_autoptr(AwsOperation) operation = g_new0(AwsOperation, 1);
    const char *colon = strchr(id, ':');
    const char *native = json_member_string(json, "native", "");
    const char *http = json_member_string(json, "http", NULL);
    operation->id = g_strdup(id);
    operation->name = g_strdup(colon == NULL ? id : colon + 1);
    operation->action = json_member_string(json, "action", operation->id);
    operation->rate = json_member_int(json, "rate", 0);
    operation->service = service;
    operation->root = service->regional_root ? scope->region : scope->account;
    operation->native = find_native(native);
    operation->cases = g_array_new(FALSE, TRUE, sizeof(AwsCase));
    g_array_set_clear_func(operation->cases, clear_case);
    operation->header_names = g_ptr_array_new_with_free_func(g_free);
    operation->header_values = g_ptr_array_new_with_free_func(destroy_template);
    if (http != NULL) {
        load_route(operation, http);
    }
    if ((operation->native == AWS_NATIVES && !refuse(error, "native", native)) ||
        !load_lookups(operation, json_member(json, "item"), scope, error) ||
        !load_report(operation, json_member(json, "report"), scope, error) ||
        !load_headers(operation, json_member(json, "headers"), scope->templates, error) ||
        !load_cases(operation, json, scope, error) ||
        !load_envelope(operation, json, scope->templates, error)) {
        g_prefix_error(error, "Operation %s: ", id);
        return NULL;
    }
    return g_steal_pointer(&operation);
}

void aws_operation_free(AwsOperation *operation) {
    if (operation == NULL) {
        return;
    }
    for (size_t i = 0; i < operation->segment_count; i++) {
        g_free(operation->segments[i]);
    }
    g_array_unref(operation->cases);
    g_ptr_array_unref(operation->header_names);
    g_ptr_array_unref(operation->header_values);
    aws_report_free(operation->report);
    g_free(operation->id);
    g_free(operation->name);
    template_free(operation->open);
    template_free(operation->close);
    g_free(operation->method);
    g_free(operation->flag);
    g_free(operation);
}

static bool has_flag(const AwsOperation *operation, const Target *target) {
    return operation->flag == NULL || target_parameter(target, operation->flag) != NULL;
}

bool aws_operation_matches(const AwsOperation *operation, const char *method, AwsRequest *request) {
    const Target *target = &request->target;
    bool long_enough = operation->greedy ? operation->segment_count <= target->segment_count
                                         : operation->segment_count == target->segment_count;
    if (strcmp(operation->method, method) != 0 || !long_enough || !has_flag(operation, target)) {
        return false;
    }
    for (size_t i = 0; i < operation->segment_count; i++) {
        const char *segment = operation->segments[i];
        if (segment[0] != '{' && strcmp(segment, target->segments[i]) != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < operation->segment_count; i++) {
        if (operation->segments[i][0] == '{') {
            bool rest = operation->greedy && i + 1 == operation->segment_count;
            aws_request_add(request, operation->segments[i] + 1,
                            rest ? aws_request_rest(request, i) : target->segments[i]);
        }
    }
    return true;
}

static bool is_given(const GPtrArray *given, const AwsRequest *request) {
    for (guint i = 0; given != NULL && i < given->len; i++) {
        if (aws_request_parameter(request, g_ptr_array_index(given, i)) != NULL) {
            return true;
        }
    }
    return given == NULL;
}

const AwsCase *aws_operation_choose(const AwsOperation *operation, Item *item,
                                    const AwsRequest *request) {
    for (guint i = 0; i < operation->cases->len; i++) {
        const AwsCase *one = &g_array_index(operation->cases, AwsCase, i);
        if (is_given(one->given, request) && condition_holds(one->when, item)) {
            return one;
        }
    }
    return NULL;
}
