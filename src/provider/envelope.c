#include "provider/envelope.h"

#include "base/error.h"
#include "provider/csv.h"
#include "provider/scanner.h"
#include "provider/xml.h"

#include <string.h>

bool envelope_has(const DefinitionCall *call) {
    return call->xml != NULL || call->decode == DECODE_CSV;
}

/* --- what XML protocols wrap around answers ----------------------------------------------------
 */

typedef struct {
    const char *text;
    size_t size;
} Span;

static bool refuse(const DefinitionCall *call, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                "the answer is not that of %s; ask again later",
                call->operation == NULL ? call->name : call->operation);
    return false;
}

/* Whether a key, with its quotes, is the operation's name and an ending. */
static bool is_named(const char *key, size_t size, const DefinitionCall *call, const char *ending) {
    if (call->operation == NULL)
        return false;
    size_t name = strlen(call->operation), rest = strlen(ending);
    return size == name + rest + 2 && memcmp(key + 1, call->operation, name) == 0 &&
           memcmp(key + 1 + name, ending, rest) == 0;
}

/* The only member of what xml_to_json() made, whose name is that of an element and has no quotes.
 * NULL text when it has not the name of the operation and the ending (NULL: any name). */
static Span root_of(const Span *json, const DefinitionCall *call, const char *ending) {
    const char *key = json->text + 1, *end = memmem(json->text, json->size, "\":", 2);
    g_assert(end != NULL);
    if (ending != NULL && !is_named(key, (size_t)(end + 1 - key), call, ending))
        return (Span){NULL, 0};
    return (Span){end + 2, json->size - 1 - (size_t)(end + 2 - json->text)};
}

/* Finds the member of an object with the operation's name and an ending; NULL text when there is
 * none. */
static bool find_member(const Span *object, const DefinitionCall *call, const char *ending,
                        Span *value_out, GError **error) {
    Scanner scanner;
    scanner_init(&scanner, object->text, object->size);
    scanner.nodes = SIZE_MAX;
    scanner.max_depth = SCANNER_MAX_DEPTH;
    *value_out = (Span){NULL, 0};
    if (object->size == 0 || object->text[0] != '{')
        return true;
    bool more = false;
    bool ok = scanner_begin(&scanner) && scanner_enter(&scanner, 0) &&
              scanner_next(&scanner, '}', true, &more);
    while (ok && more && value_out->text == NULL) {
        const char *key = (const char *)scanner.p;
        const Byte *end;
        ok = scanner_key(&scanner, &end);
        const char *value = (const char *)scanner.p;
        bool found = ok && is_named(key, (size_t)((const char *)end - key), call, ending);
        ok = ok && scanner_skip(&scanner, 1);
        if (ok && found)
            *value_out = (Span){value, (size_t)((const char *)scanner.p - value)};
        ok = ok && (found || scanner_next(&scanner, '}', false, &more));
    }
    return ok || scanner_report(&scanner, error);
}

/* Leaves nothing but the answer of what stands in out from a place on. An empty element is "" in
 * JSON; as a whole answer it is an object without members. */
static void keep_answer(const Span *span, GString *out, size_t from) {
    bool empty = span->text == NULL || (span->size == 2 && span->text[0] == '"');
    if (!empty)
        memmove(out->str + from, span->text, span->size);
    g_string_truncate(out, from + (empty ? 0 : span->size));
    if (empty)
        g_string_append(out, "{}");
}

/* What a query operation calls its result, nearly always the first that is in its answer. */
static bool find_result(const DefinitionCall *call, const GString *out, const XmlMember *first,
                        const Span *root, Span *result_out, GError **error) {
    size_t key = first->value - first->key;
    if (key > 0 && is_named(out->str + first->key, key - 1, call, "Result")) {
        *result_out = (Span){out->str + first->value, first->end - first->value};
        return true;
    }
    return find_member(root, call, "Result", result_out, error);
}

/* out holds the whole of the XML as JSON from a place on. */
static bool unwrap(const DefinitionCall *call, const XmlMember *first, GString *out, size_t from,
                   GError **error) {
    AwsProtocol protocol = call->service == NULL ? PROTOCOL_NONE : call->service->protocol;
    Span span = {out->str + from, out->len - from};
    if (protocol == PROTOCOL_NONE) {
        keep_answer(&span, out, from);
        return true;
    }
    bool named = protocol == PROTOCOL_QUERY || protocol == PROTOCOL_EC2;
    Span root = root_of(&span, call, named ? "Response" : NULL);
    if (root.text == NULL)
        return refuse(call, error);
    Span result = root;
    if (protocol == PROTOCOL_QUERY && !find_result(call, out, first, &root, &result, error))
        return false;
    keep_answer(&result, out, from);
    return true;
}

static bool open_xml(const DefinitionCall *call, const char *bytes, size_t size, GString *out,
                     GError **error) {
    size_t from = out->len;
    XmlMember first;
    return xml_to_json_telling(call->xml, bytes, size, out, &first, error) &&
           unwrap(call, &first, out, from, error);
}

/* --- tables ----------------------------------------------------------------------------------- */

/* The text that carries a table in base64. */
static bool find_content(const DefinitionCall *call, const GString *json, Value *content_out,
                         GError **error) {
    const char *keep[] = {value_path_text(call->decode_from), NULL};
    g_autoptr(ScanPlan) plan = scan_plan_new(NULL, keep, NULL, error);
    g_autoptr(GString) kept = g_string_new(NULL);
    g_auto(Value) body = VALUE_NONE;
    if (plan == NULL || !scan_body(plan, json->str, json->len, NULL, kept, error) ||
        !value_parse(kept->str, kept->len, &body, error))
        return false;
    *content_out = value_path_find(call->decode_from, body);
    if (value_text(*content_out) != NULL)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                "the answer has no table at %s; ask again later",
                value_path_text(call->decode_from));
    return false;
}

static bool open_table(const DefinitionCall *call, const char *bytes, size_t size, GString *out,
                       GError **error) {
    if (call->decode_from == NULL)
        return csv_to_json(NULL, bytes, size, out, error);
    g_autoptr(GString) json = g_string_new(NULL);
    if (call->xml == NULL)
        g_string_append_len(json, bytes, (gssize)size);
    else if (!open_xml(call, bytes, size, json, error))
        return false;
    g_auto(Value) content = VALUE_NONE;
    return find_content(call, json, &content, error) &&
           csv_base64_to_json(NULL, value_text(content), value_length(content), out, error);
}

bool envelope_open(const DefinitionCall *call, const char *bytes, size_t size, GString *json_out,
                   GError **error) {
    if (size == 0)
        return true;
    size_t before = json_out->len;
    bool done = true;
    if (call->decode == DECODE_CSV)
        done = open_table(call, bytes, size, json_out, error);
    else if (call->xml != NULL)
        done = open_xml(call, bytes, size, json_out, error);
    else
        g_string_append_len(json_out, bytes, (gssize)size);
    if (!done)
        g_string_truncate(json_out, before);
    return done;
}

bool envelope_open_error(const DefinitionCall *call, const char *bytes, size_t size,
                         GString *json_out, GError **error) {
    if (size > 0 && call->xml != NULL)
        return xml_to_json(call->xml, bytes, size, json_out, error);
    g_string_append_len(json_out, bytes, (gssize)size);
    return true;
}
