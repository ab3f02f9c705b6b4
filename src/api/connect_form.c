#include "api/connect_form.h"

#include "base/text.h"
#include "connect/aws_trust.h"
#include "connect/settings.h"
#include "store/record.h"

#include <string.h>

#define TYPE "type" /* among credentials: the auth method */

void connect_form_clear(ConnectForm *form) {
    json_free(form->settings);
    credentials_free(form->credentials);
    *form = (ConnectForm){0};
}

/* --- names ------------------------------------------------------------------------------------ */

/* What a name may stand for, in the methods that are meant. */
typedef struct {
    ConnectForm *form;
    Call *call;
    const char *auth_name; /* as given, or NULL */
    Json *settings;        /* as given */
    const Json *present;   /* settings that there are; NULL: a new connection */
} Filling;

/* `auth` names a method, or the scheme of the only one that has it. */
static bool is_named(const DefinitionAuth *auth, const char *name) {
    return strcmp(auth->name, name) == 0 || strcmp(scheme_name(auth->scheme), name) == 0;
}

static bool is_meant(const Filling *filling, const DefinitionAuth *auth) {
    return filling->auth_name ? is_named(auth, filling->auth_name) : auth->supported;
}

static const DefinitionAuth *named_auth(const Filling *filling) {
    const Definition *definition = filling->form->definition;
    for (size_t i = 0; filling->auth_name && i < definition->auth_count; i++)
        if (is_named(&definition->auth[i], filling->auth_name))
            return &definition->auth[i];
    return NULL;
}

static const DefinitionInput *find_field(const Filling *filling, const char *snake) {
    const Definition *definition = filling->form->definition;
    for (size_t i = 0; i < definition->auth_count; i++) {
        const DefinitionAuth *auth = &definition->auth[i];
        const DefinitionInput *field = is_meant(filling, auth) ? auth_field(auth, snake) : NULL;
        if (field)
            return field;
    }
    return NULL;
}

/* A setting by its name, or the list that a single one is an entry of: region -> regions. */
static const DefinitionInput *find_setting(const Definition *definition, const char *snake) {
    const DefinitionInput *setting = definition_setting(definition, snake);
    if (setting)
        return setting;
    g_autofree char *plural = g_strconcat(snake, "s", NULL);
    setting = definition_setting(definition, plural);
    return setting && setting->type == INPUT_LIST ? setting : NULL;
}

/* --- values ----------------------------------------------------------------------------------- */

/* Numbers are taken for fields such as an app id. */
static char *text_of(const Json *value) {
    const char *text = json_text(value);
    if (text)
        return g_strdup(text);
    return json_kind(value) == JSON_KIND_INT
               ? g_strdup_printf("%" G_GINT64_FORMAT, json_integer_or(value, 0))
               : NULL;
}

static char *pointer_of(const char *parent, const char *name) {
    g_autofree char *shown = text_name(name);
    return g_strconcat(parent, "/", shown, NULL);
}

static bool put_field(Filling *filling, const char *pointer, const DefinitionInput *field,
                      const Json *value, GError **error) {
    Credentials *credentials = filling->form->credentials;
    g_autoptr(GError) wrong = NULL;
    char *text = text_of(value);
    bool ok = false;
    if (!text)
        (void)call_wrong(filling->call, error, pointer, "must be a string");
    else if (credentials_get(credentials, field->name))
        (void)call_wrong(filling->call, error, pointer, "was given twice");
    else if (!input_check(field, text, &wrong))
        (void)call_wrong(filling->call, error, pointer, "%s", wrong->message);
    else
        ok = true;
    Secret *secret = ok ? secret_new(text, strlen(text), error) : NULL;
    secmem_free_text(text);
    if (!secret)
        return false;
    credentials_put(credentials, field->name, secret);
    return true;
}

static bool put_setting(Filling *filling, const char *pointer, const DefinitionInput *setting,
                        const Json *value, GError **error) {
    if (json_member(filling->settings, setting->name))
        return call_wrong(filling->call, error, pointer, "was given twice");
    json_put(filling->settings, setting->name, json_copy_deep(value));
    return true;
}

/* One member of credentials or settings, which share their names. */
static bool put_member(Filling *filling, const char *parent, const char *name, const Json *value,
                       GError **error) {
    const Definition *definition = filling->form->definition;
    g_autofree char *snake = text_snake(name);
    g_autofree char *pointer = pointer_of(parent, name);
    const DefinitionInput *field = find_field(filling, snake);
    const DefinitionInput *setting = find_setting(definition, snake);
    bool secret = strcmp(parent, "/credentials") == 0;
    if (json_kind(value) == JSON_KIND_NULL)
        return true;
    if (field && (secret || !field->secret) && (secret || !setting))
        return put_field(filling, pointer, field, value, error);
    if (setting)
        return put_setting(filling, pointer, setting, value, error);
    if (field)
        return call_wrong(filling->call, error, pointer,
                          "is a secret and belongs into credentials");
    return call_wrong(filling->call, error, pointer, "%s has no such %s", definition->name,
                      secret ? "credential field" : "setting");
}

static bool put_members(Filling *filling, const char *parent, const Json *members, GError **error) {
    void *iterator = NULL;
    const char *name;
    Json *value;
    bool credentials = strcmp(parent, "/credentials") == 0;
    bool ok = true;
    while (json_next(members, &iterator, &name, &value)) {
        if (credentials && strcmp(name, TYPE) == 0)
            continue;
        ok = put_member(filling, parent, name, value, error) && ok;
    }
    return ok;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Where the request names the way to connect. */
static const char *auth_pointer(const Filling *filling) {
    if (!filling->auth_name)
        return "/credentials";
    return json_member(filling->call->body, "auth") ? "/auth" : "/credentials/" TYPE;
}

static bool choose_auth(Filling *filling, GError **error) {
    ConnectForm *form = filling->form;
    const DefinitionAuth *named = named_auth(filling);
    g_autoptr(GError) wrong = NULL;
    size_t count = credentials_count(form->credentials);
    g_autofree const char **fields = g_new0(const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        fields[i] = credentials_field(form->credentials, i);
    const char *name = named ? named->name : filling->auth_name;
    return settings_choose_auth(form->definition, name, fields, count, &form->auth, &wrong) ||
           call_wrong(filling->call, error, auth_pointer(filling), "%s", wrong->message);
}

/* Of two ways that are named one would be passed over; of none that there is, no field fits. */
static bool check_auth(Filling *filling, GError **error) {
    const Json *type = json_member(json_member(filling->call->body, "credentials"), TYPE);
    const DefinitionAuth *named = named_auth(filling);
    if (type && json_kind(type) != JSON_KIND_NULL && !json_text(type))
        return call_wrong(filling->call, error, "/credentials/" TYPE, "must be a string");
    if (named && json_text(type) && !is_named(named, json_text(type)))
        return call_wrong(filling->call, error, "/credentials/" TYPE, "contradicts auth");
    return named || !filling->auth_name || choose_auth(filling, error);
}

static bool check_fields(const Filling *filling, GError **error) {
    const ConnectForm *form = filling->form;
    bool ok = true;
    for (size_t i = 0; i < form->auth->field_count; i++) {
        const DefinitionInput *field = &form->auth->fields[i];
        if (field->optional || credentials_get(form->credentials, field->name))
            continue;
        g_autofree char *camel = text_camel(field->name);
        g_autofree char *pointer = g_strconcat("/credentials/", camel, NULL);
        ok = call_wrong(filling->call, error, pointer, "is missing");
    }
    return ok;
}

/* Never chosen by a person: see connect/aws_trust.h. */
static bool make_external_id(ConnectForm *form, GError **error) {
    if (form->auth->scheme != SCHEME_AWS_ROLE ||
        credentials_get(form->credentials, AWS_FIELD_EXTERNAL_ID))
        return true;
    g_autofree char *id = aws_trust_make_external_id();
    Secret *secret = secret_new(id, strlen(id), error);
    if (!secret)
        return false;
    credentials_put(form->credentials, AWS_FIELD_EXTERNAL_ID, secret);
    form->external_id_made = true;
    return true;
}

/* What the operator has set may stay: whoever connects again does not choose it. */
static bool keeps_hosts(const Filling *filling, const Json *settings) {
    const Definition *definition = filling->form->definition;
    for (size_t i = 0; i < definition->setting_count; i++) {
        const DefinitionInput *setting = &definition->settings[i];
        const Json *now = json_member(settings, setting->name);
        const Json *before = json_member(filling->present, setting->name);
        g_autofree char *text = now ? json_print(now, JSON_SORTED) : NULL;
        g_autofree char *text_before = before ? json_print(before, JSON_SORTED) : NULL;
        bool host = setting->engine || setting->format == INPUT_FORMAT_URL ||
                    setting->format == INPUT_FORMAT_HOST;
        if (host && g_strcmp0(text, text_before) != 0)
            return false;
    }
    return true;
}

static bool refuse_settings(const Filling *filling, const GError *wrong, GError **error) {
    if (error_code_of(wrong) == ERROR_PERMISSION_DENIED)
        return call_refuse(filling->call, PROBLEM_FORBIDDEN, error, "%s", wrong->message);
    return call_wrong(filling->call, error, "/settings", "%s", wrong->message);
}

static bool check_settings(const Filling *filling, GError **error) {
    ConnectForm *form = filling->form;
    const RoleSubject *subject = &filling->call->caller->subject;
    SettingsRules rules = {.definition = form->definition,
                           .auth = form->auth,
                           .operator_allowed = role_allows(subject, ACTION_HOST_SETTING, NULL)};
    g_autoptr(GError) wrong = NULL;
    g_autoptr(Json) settings = NULL;
    if (!rules.operator_allowed && filling->present) {
        SettingsRules loose = rules;
        loose.operator_allowed = true;
        if (!settings_check(&loose, filling->settings, &settings, &wrong))
            return refuse_settings(filling, wrong, error);
        rules.operator_allowed = keeps_hosts(filling, settings);
    }
    return settings_check(&rules, filling->settings, &form->settings, &wrong) ||
           refuse_settings(filling, wrong, error);
}

/* A setting that is given as null is taken away. */
static bool is_given(const Filling *filling, const char *name) {
    static const char *const parents[] = {"settings", "credentials"};
    g_autofree char *camel = text_camel(name);
    for (size_t i = 0; i < G_N_ELEMENTS(parents); i++) {
        const Json *given = json_member(filling->call->body, parents[i]);
        if (json_member(given, name) || json_member(given, camel))
            return true;
    }
    return json_member(filling->settings, name) != NULL;
}

static void add_present(const Filling *filling) {
    void *iterator = NULL;
    const char *name;
    Json *value;
    while (filling->present && json_next(filling->present, &iterator, &name, &value))
        if (!is_given(filling, name))
            json_put(filling->settings, name, json_copy_deep(value));
}

static bool put_all(Filling *filling, GError **error) {
    const Json *body = filling->call->body;
    bool ok = put_members(filling, "/credentials", json_member(body, "credentials"), error) &&
              put_members(filling, "/settings", json_member(body, "settings"), error);
    add_present(filling);
    return ok;
}

static bool fill(Filling *filling, GError **error) {
    return check_auth(filling, error) && put_all(filling, error) && choose_auth(filling, error) &&
           make_external_id(filling->form, error) && check_fields(filling, error) &&
           check_settings(filling, error);
}

static bool init(ConnectForm *form, Call *call, const Json *present, GError **error) {
    const Json *body = call->body;
    form->credentials = credentials_new();
    g_autoptr(Json) settings = json_new_object();
    const Json *credentials = json_member(body, "credentials");
    Filling filling = {
        .form = form,
        .call = call,
        .auth_name = json_member_string(body, "auth", json_member_string(credentials, TYPE, NULL)),
        .settings = settings,
        .present = present};
    if (fill(&filling, error))
        return true;
    connect_form_clear(form);
    return false;
}

bool connect_form_init(ConnectForm *form, Call *call, GError **error) {
    g_autoptr(GError) wrong = NULL;
    Registry *registry = call_registry(call, error);
    const char *type = json_member_string(call->body, "integrationType", "");
    *form = (ConnectForm){0};
    if (!registry)
        return false;
    form->definition = registry_find(registry, type, &wrong);
    if (!form->definition)
        return call_wrong(call, error, "/integrationType", "%s", wrong->message);
    return init(form, call, NULL, error);
}

bool connect_form_init_again(ConnectForm *form, Call *call, const Definition *definition,
                             const char *settings, GError **error) {
    g_autoptr(Json) present = json_parse(settings, strlen(settings), STORE_JSON_MAX, error);
    *form = (ConnectForm){.definition = definition};
    return present && init(form, call, present, error);
}
