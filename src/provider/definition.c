#include "provider/definition.h"

#include "provider/definition_grammar.h"
#include <stdatomic.h>

#define MAX_INPUT_SIZE (64 * 1024)

typedef struct {
    Definition model; /* first: a Definition is always one of these */
    atomic_uint references;
    Arena *arena;
} Holder;

Definition *definition_new(Arena *arena) {
    Holder *holder = g_new0(Holder, 1);
    atomic_init(&holder->references, 1);
    holder->arena = arena;
    return &holder->model;
}

Definition *definition_ref(const Definition *definition) {
    Holder *holder = (Holder *)(uintptr_t)definition;
    atomic_fetch_add_explicit(&holder->references, 1, memory_order_relaxed);
    return &holder->model;
}

void definition_free(Definition *definition) {
    Holder *holder = (Holder *)definition;
    if (holder == NULL ||
        atomic_fetch_sub_explicit(&holder->references, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(holder->arena);
    g_free(holder);
}

/* Every finder is the same walk over an array of structs whose first member is their name. */
static const void *find_named(const void *items, size_t count, size_t size, const char *name) {
    for (size_t i = 0; i < count && name != NULL; i++) {
        const char *item = (const char *)items + i * size;
        const char *item_name;
        memcpy(&item_name, item, sizeof(item_name));
        if (item_name != NULL && strcmp(item_name, name) == 0)
            return item;
    }
    return NULL;
}

#define FIND(items, count, name) find_named(items, count, sizeof(*(items)), name)

const DefinitionInput *definition_setting(const Definition *definition, const char *name) {
    return FIND(definition->settings, definition->setting_count, name);
}

const DefinitionAuth *definition_auth(const Definition *definition, const char *name) {
    return FIND(definition->auth, definition->auth_count, name);
}

const DefinitionCall *definition_call(const Definition *definition, const char *name) {
    return FIND(definition->calls, definition->call_count, name);
}

const EvidenceType *definition_type(const Definition *definition, const char *name) {
    return FIND(definition->types, definition->type_count, name);
}

const DefinitionInput *auth_field(const DefinitionAuth *auth, const char *name) {
    return FIND(auth->fields, auth->field_count, name);
}

const DefinitionCheck *evidence_type_check(const EvidenceType *type, const char *name) {
    return FIND(type->checks, type->check_count, name);
}

int evidence_type_node(const EvidenceType *type, const char *name) {
    const ReadNode *node = FIND(type->nodes, type->node_count, name);
    return node == NULL ? -1 : (int)(node - type->nodes);
}

const char *scheme_name(Scheme scheme) {
    return definition_scheme_words[scheme];
}

const char *severity_name(Severity severity) {
    return definition_severity_words[severity];
}

static void add_names(const DefinitionNeed *need, GPtrArray *names) {
    for (size_t i = 0; i < need->count; i++) {
        void *name = (void *)(uintptr_t)need->names[i];
        if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
            g_ptr_array_add(names, name);
    }
}

static void add_needs(const DefinitionCall *call, const char *vocabulary, GPtrArray *names) {
    for (size_t n = 0; call != NULL && n < call->need_count; n++) {
        if (vocabulary == NULL || strcmp(call->needs[n].vocabulary, vocabulary) == 0)
            add_names(&call->needs[n], names);
    }
}

void evidence_type_needs(const EvidenceType *type, const char *vocabulary, GPtrArray *names) {
    for (size_t i = 0; i < type->node_count; i++) {
        add_needs(type->nodes[i].call, vocabulary, names);
        for (size_t n = 0; n < type->nodes[i].first_count; n++)
            add_needs(type->nodes[i].first[n], vocabulary, names);
    }
}

/* --- what people fill in ---------------------------------------------------------------------- */

static bool is_url(const char *text) {
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    if (uri == NULL || g_uri_get_userinfo(uri) != NULL || g_uri_get_fragment(uri) != NULL ||
        g_uri_get_query(uri) != NULL)
        return false;
    const char *scheme = g_uri_get_scheme(uri);
    const char *host = g_uri_get_host(uri);
    return (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0) && host != NULL &&
           host[0] != '\0';
}

static bool is_host(const char *text) {
    return text[0] != '\0' && strlen(text) < 254 &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")] ==
               '\0';
}

static bool is_pem(const char *text) {
    return strstr(text, "-----BEGIN ") != NULL && strstr(text, "-----END ") != NULL;
}

static bool is_email(const char *text) {
    const char *at = strchr(text, '@');
    return at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
           strpbrk(text, " \t\r\n<>") == NULL;
}

static bool is_uuid(const char *text) {
    return g_uuid_string_is_valid(text);
}

static const struct {
    bool (*accepts)(const char *text); /* NULL: everything */
    const char *expected;
} formats[] = {
    [INPUT_FORMAT_NONE] = {NULL, "text"},
    [INPUT_FORMAT_URL] = {is_url, "a URL such as https://example.com, without query"},
    [INPUT_FORMAT_HOST] = {is_host, "a host name such as example.com"},
    [INPUT_FORMAT_PEM] = {is_pem, "a PEM block, with its BEGIN and END lines"},
    [INPUT_FORMAT_EMAIL] = {is_email, "an e-mail address"},
    [INPUT_FORMAT_UUID] = {is_uuid, "a UUID"},
};

static bool refuse(const DefinitionInput *input, const char *expected, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s (%s) is not valid: expected %s",
                input->label, input->name, expected);
    return false;
}

static bool check_type(const DefinitionInput *input, const char *text, GError **error) {
    if (input->type == INPUT_BOOL && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return refuse(input, "true or false", error);
    if (input->type == INPUT_INT &&
        !g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, NULL, NULL))
        return refuse(input, "a whole number", error);
    return true;
}

/* One value, or one item of a list. */
static bool check_item(const DefinitionInput *input, const char *text, GError **error) {
    if (formats[input->format].accepts != NULL && !formats[input->format].accepts(text))
        return refuse(input, formats[input->format].expected, error);
    if (input->pattern == NULL)
        return true;
    g_autofree char *whole = g_strdup_printf("\\A(?:%s)\\z", input->pattern);
    if (g_regex_match_simple(whole, text, G_REGEX_DOLLAR_ENDONLY, 0))
        return true;
    g_autofree char *expected = g_strdup_printf("text of the form %s", input->pattern);
    return refuse(input, expected, error);
}

bool input_check(const DefinitionInput *input, const char *text, GError **error) {
    if (strlen(text) > MAX_INPUT_SIZE || !g_utf8_validate(text, -1, NULL))
        return refuse(input, "text of at most 64 KiB in UTF-8", error);
    if (text[0] == '\0')
        return input->optional || refuse(input, "a value", error);
    if (!check_type(input, text, error))
        return false;
    if (input->type != INPUT_LIST)
        return check_item(input, text, error);
    g_auto(GStrv) items = g_strsplit(text, ",", -1);
    for (size_t i = 0; items[i] != NULL; i++) {
        if (!check_item(input, g_strstrip(items[i]), error))
            return false;
    }
    return true;
}
