#include "cli/answers.h"

#include "base/error.h"
#include "base/text.h"
#include "cli/secret_source.h"
#include "connect/aws_trust.h"
#include "connect/settings.h"

#include <string.h>

#define SETTING_NAME_MAX 64

void answers_clear(Answers *answers) {
    json_free(answers->settings);
    credentials_free(answers->credentials);
    *answers = (Answers){0};
}

/* --- names ------------------------------------------------------------------------------------ */

/* The field of this name in either spelling, in the methods that this version can connect with. */
static const DefinitionInput *find_field(const Questions *questions, const char *name) {
    g_autofree char *snake = text_snake(name);
    for (size_t i = 0; i < questions->definition->auth_count; i++) {
        const DefinitionAuth *auth = &questions->definition->auth[i];
        bool meant = questions->auth ? strcmp(auth->name, questions->auth) == 0 : auth->supported;
        const DefinitionInput *field = meant ? auth_field(auth, snake) : NULL;
        if (field)
            return field;
    }
    return NULL;
}

static bool is_setting(const Definition *definition, const char *name) {
    g_autofree char *snake = text_snake(name);
    return definition_setting(definition, name) || definition_setting(definition, snake);
}

static bool set_twice(const char *name, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s was given twice", name);
    return false;
}

/* --- what was given --------------------------------------------------------------------------- */

static bool put_secret(Answers *answers, const char *field, Secret *secret, GError **error) {
    if (!secret)
        return false;
    if (credentials_get(answers->credentials, field)) {
        secret_free(secret);
        return set_twice(field, error);
    }
    credentials_put(answers->credentials, field, secret);
    return true;
}

/* A field that is not secret, given like a setting. */
static bool put_plain_field(Answers *answers, const DefinitionInput *field, const char *value,
                            GError **error) {
    if (field->secret) {
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                    "%s is a secret and is not taken as an argument, where others can see it; "
                    "give --credential %s=@FILE, %s=env:VARIABLE or %s=- (standard input)",
                    field->name, field->name, field->name, field->name);
        return false;
    }
    return input_check(field, value, error) &&
           put_secret(answers, field->name, secret_new(value, strlen(value), error), error);
}

static bool take_setting(Answers *answers, const Questions *questions, const char *text,
                         GError **error) {
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    if (length == 0 || length > SETTING_NAME_MAX) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "--set wants KEY=VALUE");
        return false;
    }
    g_autofree char *name = g_strndup(text, length);
    const DefinitionInput *field = find_field(questions, name);
    if (field && !is_setting(questions->definition, name))
        return put_plain_field(answers, field, equals + 1, error);
    if (json_member(answers->settings, name))
        return set_twice(name, error);
    json_put_string(answers->settings, name, equals + 1);
    return true;
}

static bool set_unknown_field(const Questions *questions, const char *name, GError **error) {
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < questions->definition->auth_count; i++) {
        const DefinitionAuth *auth = &questions->definition->auth[i];
        for (size_t f = 0; auth->supported && f < auth->field_count; f++)
            g_string_append_printf(known, "%s%s", known->len > 0 ? ", " : "", auth->fields[f].name);
    }
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s has no credential field \"%s\"; it has: %s",
                questions->definition->name, name, known->str);
    return false;
}

static bool take_credential(Answers *answers, const Questions *questions, const char *text,
                            GError **error) {
    g_auto(SecretArgument) argument = {0};
    if (!secret_argument_init(&argument, text, error))
        return false;
    const DefinitionInput *field = find_field(questions, argument.name);
    if (!field)
        return set_unknown_field(questions, argument.name, error);
    if (!field->secret && !secret_source_is_safe(argument.source))
        return put_plain_field(answers, field, argument.source, error);
    return put_secret(answers, field->name,
                      secret_source_read(&argument, questions->prompt.input, error), error);
}

static bool reads_input_twice(const Questions *questions) {
    size_t count = 0;
    for (size_t i = 0; questions->credentials && questions->credentials[i]; i++)
        count += g_str_has_suffix(questions->credentials[i], "=-") ? 1 : 0;
    return count > 1;
}

static bool take_given(Answers *answers, const Questions *questions, GError **error) {
    if (reads_input_twice(questions)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "standard input holds one secret: give the others as NAME=@FILE or "
                            "NAME=env:VARIABLE");
        return false;
    }
    /* First what comes from the environment: it is to leave it soon, whatever else is wrong. */
    for (size_t i = 0; questions->credentials && questions->credentials[i]; i++)
        if (!take_credential(answers, questions, questions->credentials[i], error))
            return false;
    for (size_t i = 0; questions->set && questions->set[i]; i++)
        if (!take_setting(answers, questions, questions->set[i], error))
            return false;
    return true;
}

/* --- what is missing -------------------------------------------------------------------------- */

static bool has_all_given(const DefinitionAuth *auth, const Credentials *credentials) {
    for (size_t i = 0; i < credentials_count(credentials); i++)
        if (!auth_field(auth, credentials_field(credentials, i)))
            return false;
    return true;
}

/* The one method that the person can mean; NULL when there are none or several. */
static const DefinitionAuth *only_auth(const Questions *questions, const Answers *answers) {
    const DefinitionAuth *found = NULL;
    for (size_t i = 0; i < questions->definition->auth_count; i++) {
        const DefinitionAuth *auth = &questions->definition->auth[i];
        if (!auth->supported || !has_all_given(auth, answers->credentials) ||
            (questions->auth && strcmp(auth->name, questions->auth) != 0))
            continue;
        if (found)
            return NULL;
        found = auth;
    }
    return found;
}

static char *question_text(const Definition *definition, const DefinitionInput *input) {
    if (input->help)
        return g_strdup_printf("%s %s (%s): ", definition->name, input->label, input->help);
    return g_strdup_printf("%s %s: ", definition->name, input->label);
}

static bool ask_field(Answers *answers, const Questions *questions, const DefinitionInput *field,
                      GError **error) {
    g_autofree char *question = question_text(questions->definition, field);
    if (field->secret)
        return put_secret(answers, field->name, prompt_secret(&questions->prompt, question, error),
                          error);
    g_autofree char *answer = prompt_line(&questions->prompt, question, error);
    return answer && put_plain_field(answers, field, answer, error);
}

static bool set_missing_field(const DefinitionInput *field, GError **error) {
    if (field->secret)
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                    "the credential field %s is missing; give --credential %s=@FILE, "
                    "%s=env:VARIABLE or %s=- (standard input)",
                    field->name, field->name, field->name, field->name);
    else
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s is missing; give --set %s=VALUE",
                    field->name, field->name);
    return false;
}

static bool ask_fields(Answers *answers, const Questions *questions, const DefinitionAuth *auth,
                       GError **error) {
    for (size_t i = 0; i < auth->field_count; i++) {
        const DefinitionInput *field = &auth->fields[i];
        if (field->optional || credentials_get(answers->credentials, field->name))
            continue;
        if (!prompt_possible(&questions->prompt))
            return set_missing_field(field, error);
        if (!ask_field(answers, questions, field, error))
            return false;
    }
    return true;
}

static bool is_given(const Json *settings, const char *name) {
    g_autofree char *camel = text_camel(name);
    return json_member(settings, name) || json_member(settings, camel);
}

/* Without a terminal, settings_check() says what is missing. */
static bool ask_settings(Answers *answers, const Questions *questions, GError **error) {
    const Definition *definition = questions->definition;
    for (size_t i = 0; i < definition->setting_count && prompt_possible(&questions->prompt); i++) {
        const DefinitionInput *setting = &definition->settings[i];
        if (setting->optional || setting->engine || is_given(answers->settings, setting->name))
            continue;
        g_autofree char *question = question_text(definition, setting);
        g_autofree char *answer = prompt_line(&questions->prompt, question, error);
        if (!answer || !input_check(setting, answer, error))
            return false;
        json_put_string(answers->settings, setting->name, answer);
    }
    return true;
}

/* Never chosen by a person: see connect/aws_trust.h. */
static bool make_external_id(Answers *answers, const Questions *questions,
                             const DefinitionAuth *auth, GError **error) {
    if (auth->scheme != SCHEME_AWS_ROLE || questions->external_id_there ||
        credentials_get(answers->credentials, AWS_FIELD_EXTERNAL_ID))
        return true;
    g_autofree char *id = aws_trust_make_external_id();
    answers->external_id_made = true;
    return put_secret(answers, AWS_FIELD_EXTERNAL_ID, secret_new(id, strlen(id), error), error);
}

static bool choose_auth(Answers *answers, const Questions *questions, GError **error) {
    size_t count = credentials_count(answers->credentials);
    g_autofree const char **fields = g_new0(const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        fields[i] = credentials_field(answers->credentials, i);
    return settings_choose_auth(questions->definition, questions->auth, fields, count,
                                &answers->auth, error);
}

bool answers_init(Answers *answers, const Questions *questions, GError **error) {
    g_auto(Answers) made = {.settings = json_new_object(), .credentials = credentials_new()};
    if (!take_given(&made, questions, error) || !ask_settings(&made, questions, error))
        return false;
    const DefinitionAuth *auth = only_auth(questions, &made);
    if ((auth && (!make_external_id(&made, questions, auth, error) ||
                  !ask_fields(&made, questions, auth, error))) ||
        !choose_auth(&made, questions, error))
        return false;
    *answers = made;
    made = (Answers){0};
    return true;
}
