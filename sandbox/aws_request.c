#include "sandbox/aws_request.h"

#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define NAME_CHUNK 1024
#define NAME_MAX_LENGTH 256

/* The value of "Name=value," in an Authorization header, cut off in place. */
static const char *cut_part(char *text, const char *name) {
    char *start = strstr(text, name);
    if (start == NULL) {
        return NULL;
    }
    start += strlen(name);
    start[strcspn(start, ", ")] = '\0';
    return start;
}

static void read_scope(AwsRequest *request, char *credential) {
    const char *parts[5] = {NULL};
    size_t count = 0;
    char *rest = credential;
    while (rest != NULL && count < G_N_ELEMENTS(parts)) {
        char *slash = strchr(rest, '/');
        if (slash != NULL) {
            *slash++ = '\0';
        }
        parts[count++] = rest;
        rest = slash;
    }
    if (count == G_N_ELEMENTS(parts) && rest == NULL && strcmp(parts[4], TERMINATOR) == 0) {
        request->access_key = parts[0];
        request->scope = (AwsScope){.date = parts[1], .region = parts[2], .service = parts[3]};
    }
}

/* Parts are looked for from the last to the first, because each is cut off where it ends. The
 * buffer has room for the credential twice: whole, and taken apart. */
static void read_authorization(AwsRequest *request, const char *header) {
    size_t length = strlen(header);
    request->authorized = true;
    if (!g_str_has_prefix(header, ALGORITHM " ")) {
        return;
    }
    request->authorization = g_malloc(2 * (length + 1));
    memcpy(request->authorization, header, length + 1);
    request->signature = cut_part(request->authorization, "Signature=");
    char *text = request->authorization;
    char *headers = strstr(text, "SignedHeaders=");
    char *credential = strstr(text, "Credential=");
    if (request->signature == NULL || headers == NULL || credential == NULL) {
        return;
    }
    request->signed_headers = cut_part(headers, "SignedHeaders=");
    request->credential = cut_part(credential, "Credential=");
    char *apart = request->authorization + length + 1;
    memcpy(apart, request->credential, strlen(request->credential) + 1);
    read_scope(request, apart);
    request->sound = request->access_key != NULL;
}

AwsRequest *aws_request_new(const ServiceRequest *incoming) {
    AwsRequest *request = g_new(AwsRequest, 1);
    memset(request, 0, offsetof(AwsRequest, parameters)); /* the table itself is filled as needed */
    request->authorization = NULL;
    request->form = NULL;
    request->json = NULL;
    request->names = NULL;
    request->target_sound = target_init(&request->target, incoming->target);
    const char *header = incoming->header(incoming->data, "Authorization");
    if (header != NULL) {
        read_authorization(request, header);
    }
    return request;
}

void aws_request_free(AwsRequest *request) {
    if (request != NULL) {
        target_clear(&request->target);
        g_free(request->authorization);
        g_free(request->form);
        json_free(request->json);
        g_clear_pointer(&request->names, g_string_chunk_free);
        g_free(request);
    }
}

void aws_request_add(AwsRequest *request, const char *name, const char *value) {
    if (request->count < AWS_PARAMETERS_MAX) {
        request->parameters[request->count++] = (AwsParameter){name, value};
    }
}

const char *aws_request_parameter(const AwsRequest *request, const char *name) {
    for (size_t i = 0; i < request->count; i++) {
        if (strcmp(request->parameters[i].name, name) == 0) {
            return request->parameters[i].value;
        }
    }
    return NULL;
}

void aws_request_read_query(AwsRequest *request) {
    for (size_t i = 0; i < request->target.parameter_count; i++) {
        aws_request_add(request, request->target.parameters[i].name,
                        request->target.parameters[i].value);
    }
}

static const char *keep_name(AwsRequest *request, const char *name) {
    if (request->names == NULL) {
        request->names = g_string_chunk_new(NAME_CHUNK);
    }
    return g_string_chunk_insert(request->names, name);
}

/* Where a protocol has names of filters in one field and their values in others. */
typedef struct {
    const char *prefix; /* of the name's field */
    const char *suffix;
    const char *values; /* instead of the suffix: what the values' fields begin with */
} FilterForm;

static const FilterForm ec2_filter = {"Filter.", ".Name", ".Value."};
static const FilterForm event_filter = {"LookupAttributes.", ".AttributeKey", ".AttributeValue"};

static void add_filter(AwsRequest *request, const AwsParameter *name, const FilterForm *form) {
    size_t count = request->count;
    size_t length = strlen(name->name) - strlen(form->suffix);
    g_autofree char *values = g_strdup_printf("%.*s%s", (int)length, name->name, form->values);
    g_autofree char *filter = g_strconcat("filter:", name->value, NULL);
    for (size_t i = 0; i < count; i++) {
        if (g_str_has_prefix(request->parameters[i].name, values)) {
            aws_request_add(request, keep_name(request, filter), request->parameters[i].value);
        }
    }
}

static void add_filters(AwsRequest *request, const FilterForm *form) {
    size_t count = request->count;
    for (size_t i = 0; i < count; i++) {
        const AwsParameter *name = &request->parameters[i];
        if (g_str_has_prefix(name->name, form->prefix) &&
            g_str_has_suffix(name->name, form->suffix)) {
            add_filter(request, name, form);
        }
    }
}

static bool decode(char *text) {
    char *out = text;
    for (; *text != '\0'; text++, out++) {
        if (*text == '+') {
            *out = ' ';
        } else if (*text != '%') {
            *out = *text;
        } else if (g_ascii_isxdigit(text[1]) && g_ascii_isxdigit(text[2])) {
            *out = (char)(g_ascii_xdigit_value(text[1]) * 16 + g_ascii_xdigit_value(text[2]));
            text += 2;
        } else {
            return false;
        }
    }
    *out = '\0';
    return true;
}

bool aws_request_read_form(AwsRequest *request, const char *body, size_t size) {
    g_free(request->form);
    request->form = g_strndup(body, size);
    char *next = request->form;
    while (next != NULL && *next != '\0') {
        char *name = next;
        next = strchr(name, '&');
        if (next != NULL) {
            *next++ = '\0';
        }
        char *value = strchr(name, '=');
        if (value == NULL || request->count == AWS_PARAMETERS_MAX) {
            return false;
        }
        *value++ = '\0';
        if (!decode(name) || !decode(value)) {
            return false;
        }
        aws_request_add(request, name, value);
    }
    add_filters(request, &ec2_filter);
    return true;
}

static void flatten(AwsRequest *request, const Json *json, GString *name);

static void flatten_member(AwsRequest *request, const Json *value, const char *key, GString *name) {
    gsize length = name->len;
    g_string_append_printf(name, "%s%s", length == 0 ? "" : ".", key);
    if (name->len < NAME_MAX_LENGTH) {
        flatten(request, value, name);
    }
    g_string_truncate(name, length);
}

static void flatten(AwsRequest *request, const Json *json, GString *name) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    if (json_kind(json) == JSON_KIND_OBJECT) {
        while (json_next(json, &iterator, &key, &value)) {
            flatten_member(request, value, key, name);
        }
    } else if (json_kind(json) == JSON_KIND_ARRAY) {
        for (size_t i = 0; i < json_count(json); i++) {
            g_autofree char *number = g_strdup_printf("%zu", i + 1);
            flatten_member(request, json_item(json, i), number, name);
        }
    } else if (json_kind(json) != JSON_KIND_NULL) {
        g_autofree char *text = json_text(json) == NULL ? json_print(json, JSON_COMPACT) : NULL;
        const char *kept = keep_name(request, name->str);
        aws_request_add(request, kept, text == NULL ? json_text(json) : keep_name(request, text));
    }
}

bool aws_request_read_json(AwsRequest *request, const char *body, size_t size) {
    if (size == 0) {
        return true;
    }
    g_autoptr(GString) name = g_string_new(NULL);
    json_free(request->json);
    request->json = json_parse(body, size, AWS_BODY_MAX, NULL);
    if (request->json == NULL || json_kind(request->json) != JSON_KIND_OBJECT) {
        return false;
    }
    flatten(request, request->json, name);
    add_filters(request, &event_filter);
    return request->count < AWS_PARAMETERS_MAX;
}

const char *aws_request_rest(AwsRequest *request, size_t segment) {
    g_autoptr(GString) rest = g_string_new(NULL);
    for (size_t i = segment; i < request->target.segment_count; i++) {
        g_string_append_printf(rest, "%s%s", i == segment ? "" : "/", request->target.segments[i]);
    }
    return keep_name(request, rest->str);
}
