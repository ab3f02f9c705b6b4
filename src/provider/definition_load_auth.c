#include "provider/definition_load_auth.h"

#include "provider/definition_grammar.h"

/* Settings that every provider has; only the installation operator may set them. */
static const DefinitionInput engine_inputs[] = {
    {.name = "allow_private",
     .label = "Allow private addresses",
     .help = "Permits plain http and addresses of private networks. For the operator only.",
     .fallback = "false",
     .type = INPUT_BOOL,
     .optional = true,
     .advanced = true,
     .engine = true,
     .discover_call = -1},
    {.name = "endpoint_url",
     .label = "Endpoint URL",
     .help = "Sends every call to this URL in place of the provider's. For the operator only.",
     .format = INPUT_FORMAT_URL,
     .optional = true,
     .advanced = true,
     .engine = true,
     .discover_call = -1},
};

static void check_pattern(Loading *loading, const YamlNode *node, const char *pattern) {
    g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);
    if (regex == NULL)
        read_error(loading, node, "the pattern is not a regular expression");
}

static void load_input(Loading *loading, const YamlNode *name, const YamlNode *node,
                       DefinitionInput *input) {
    input->name = arena_text(loading->arena, name->text);
    input->label = read_text(loading, node, "label");
    if (input->label == NULL)
        input->label = input->name;
    input->help = read_text(loading, node, "help");
    input->pattern = read_text(loading, node, "pattern");
    input->fallback = read_text(loading, node, "default");
    input->type = (InputType)read_word(yaml_member(node, "type"), definition_input_words, 0);
    input->format = (InputFormat)read_word(yaml_member(node, "format"), definition_format_words, 0);
    input->secret = read_bool(node, "secret", false);
    input->advanced = read_bool(node, "advanced", false);
    input->optional = read_bool(node, "optional", false) || input->fallback != NULL;
    input->discover_call = -1;
    if (input->pattern != NULL)
        check_pattern(loading, yaml_member(node, "pattern"), input->pattern);
}

static void check_fallback(Loading *loading, const YamlNode *node, const DefinitionInput *input) {
    g_autoptr(GError) error = NULL;
    if (input->fallback != NULL && !input_check(input, input->fallback, &error))
        read_error(loading, yaml_member(node, "default"), "the default does not fit: %s",
                   error->message);
}

static void load_discover(Loading *loading, const YamlNode *node, DefinitionInput *input) {
    const YamlNode *call_node = yaml_member(node, "call");
    if (call_node == NULL || call_node->text == NULL)
        return;
    const DefinitionCall *call = definition_call(loading->definition, call_node->text);
    if (call == NULL)
        read_error(loading, call_node, "there is no call '%s'", call_node->text);
    else if (call->rows == NULL)
        read_error(loading, call_node, "the call '%s' has no rows to choose from", call->name);
    else
        input->discover_call = (int)call->index;
    input->discover_value = read_expr(loading, yaml_member(node, "value"), &read_slot_body);
    input->discover_label = read_expr(loading, yaml_member(node, "label"), &read_slot_body);
}

static void refuse_engine_names(Loading *loading, const YamlNode *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(engine_inputs); i++) {
        if (strcmp(engine_inputs[i].name, name->text) == 0)
            read_error(loading, name, "'%s' is a setting of Assay itself", name->text);
    }
}

void definition_load_settings(Loading *loading, const YamlNode *settings) {
    size_t own = settings != NULL && settings->kind == YAML_KIND_MAP ? settings->count : 0;
    DefinitionInput *inputs =
        arena_alloc(loading->arena, own + G_N_ELEMENTS(engine_inputs), sizeof(*inputs));
    for (size_t i = 0; i < own; i++) {
        const YamlNode *node = settings->items[i];
        refuse_engine_names(loading, settings->keys[i]);
        load_input(loading, settings->keys[i], node, &inputs[i]);
        check_fallback(loading, node, &inputs[i]);
        load_discover(loading, yaml_member(node, "discover"), &inputs[i]);
    }
    memcpy(inputs + own, engine_inputs, sizeof(engine_inputs));
    loading->definition->settings = inputs;
    loading->definition->setting_count = own + G_N_ELEMENTS(engine_inputs);
}

/* --- ways to sign in -------------------------------------------------------------------------- */

static void load_fields(Loading *loading, const YamlNode *fields, DefinitionAuth *auth) {
    DefinitionInput *inputs = read_members(loading, fields, sizeof(*inputs), &auth->field_count);
    for (size_t i = 0; i < auth->field_count; i++) {
        const YamlNode *name = fields->keys[i];
        load_input(loading, name, fields->items[i], &inputs[i]);
        if (definition_setting(loading->definition, name->text) != NULL)
            read_error(loading, name, "'%s' is also the name of a setting", name->text);
    }
    auth->fields = inputs;
}

static void load_scopes(Loading *loading, const YamlNode *scopes, DefinitionAuth *auth) {
    DefinitionScopes *sets = read_members(loading, scopes, sizeof(*sets), &auth->scope_count);
    for (size_t i = 0; i < auth->scope_count; i++) {
        sets[i].name = arena_text(loading->arena, scopes->keys[i]->text);
        sets[i].scopes = read_texts(loading, scopes->items[i], &sets[i].count);
    }
    auth->scopes = sets;
}

static size_t count_secrets(const DefinitionAuth *auth) {
    size_t secrets = 0;
    for (size_t i = 0; i < auth->field_count; i++)
        secrets += auth->fields[i].secret ? 1 : 0;
    return secrets;
}

/* What each scheme cannot do without. */
static void check_method(Loading *loading, const YamlNode *node, const DefinitionAuth *auth) {
    static const struct {
        Scheme scheme;
        const char *key;
    } needed[] = {{SCHEME_HEADER, "header"},
                  {SCHEME_QUERY, "parameter"},
                  {SCHEME_OAUTH2, "authorize_url"},
                  {SCHEME_OAUTH2, "token_url"},
                  {SCHEME_CLIENT_CREDENTIALS, "token_url"}};
    for (size_t i = 0; i < G_N_ELEMENTS(needed); i++) {
        if (auth->scheme == needed[i].scheme && yaml_member(node, needed[i].key) == NULL)
            read_error(loading, node, "the scheme %s needs the key '%s'", scheme_name(auth->scheme),
                       needed[i].key);
    }
    static const struct {
        Scheme scheme;
        const char *field;
    } fields[] = {{SCHEME_AWS_KEYS, "access_key_id"},
                  {SCHEME_AWS_KEYS, "secret_access_key"},
                  {SCHEME_AWS_ROLE, "role_arn"},
                  {SCHEME_AWS_ROLE, "external_id"}};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (auth->scheme == fields[i].scheme && auth_field(auth, fields[i].field) == NULL)
            read_error(loading, node, "the scheme %s needs the field '%s'",
                       scheme_name(auth->scheme), fields[i].field);
    }
    bool one_secret = auth->scheme == SCHEME_BEARER || auth->scheme == SCHEME_HEADER ||
                      auth->scheme == SCHEME_QUERY;
    if (one_secret && count_secrets(auth) != 1)
        read_error(loading, node, "the scheme %s needs exactly one field with 'secret: true'",
                   scheme_name(auth->scheme));
}

static void load_method(Loading *loading, const YamlNode *name, const YamlNode *node,
                        DefinitionAuth *auth) {
    const YamlNode *granted = yaml_member(node, "granted");
    auth->name = arena_text(loading->arena, name->text);
    auth->label = read_text(loading, node, "label");
    auth->help = read_text(loading, node, "help");
    auth->scheme = (Scheme)read_word(yaml_member(node, "scheme"), definition_scheme_words, 0);
    auth->supported = auth->scheme == SCHEME_BEARER || auth->scheme == SCHEME_AWS_KEYS ||
                      auth->scheme == SCHEME_AWS_ROLE;
    auth->granted_header = read_text(loading, granted, "header");
    auth->granted_separator = read_text(loading, granted, "separator");
    auth->header = read_text(loading, node, "header");
    auth->prefix = read_text(loading, node, "prefix");
    auth->parameter = read_text(loading, node, "parameter");
    auth->authorize_url = read_text(loading, node, "authorize_url");
    auth->token_url = read_text(loading, node, "token_url");
    auth->revoke_url = read_text(loading, node, "revoke_url");
    auth->pkce = read_bool(node, "pkce", false);
    auth->rotation = read_text(loading, node, "rotation");
    load_fields(loading, yaml_member(node, "fields"), auth);
    load_scopes(loading, yaml_member(node, "scopes"), auth);
    check_method(loading, node, auth);
}

void definition_load_auth(Loading *loading, const YamlNode *auth) {
    if (auth == NULL || auth->kind != YAML_KIND_MAP)
        return;
    DefinitionAuth *methods =
        read_members(loading, auth, sizeof(*methods), &loading->definition->auth_count);
    for (size_t i = 0; i < auth->count; i++)
        load_method(loading, auth->keys[i], auth->items[i], &methods[i]);
    loading->definition->auth = methods;
}
