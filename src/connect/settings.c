#include "connect/settings.h"

#include "base/error.h"
#include "base/text.h"

#include <string.h>

#define LIST_MAX 1000

static bool fail(GError **error, const char *name, const char *what) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s: %s", name, what);
    return false;
}

/* --- names ------------------------------------------------------------------------------------ */

static const DefinitionInput *find_setting(const Definition *definition, const char *given) {
    const DefinitionInput *setting = definition_setting(definition, given);
    if (setting)
        return setting;
    g_autofree char *snake = text_snake(given);
    return definition_setting(definition, snake);
}

static bool unknown_setting(const Definition *definition, const char *given, GError **error) {
    g_autofree char *shown = text_name(given);
    g_autofree char *snake = text_snake(shown);
    const char *nearest = NULL;
    unsigned best = 4;
    for (size_t i = 0; i < definition->setting_count; i++) {
        unsigned distance = text_distance(snake, definition->settings[i].name, best);
        if (distance < best) {
            best = distance;
            nearest = definition->settings[i].name;
        }
    }
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s has no setting \"%s\"%s%s%s",
                definition->name, shown, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                nearest ? "\"?" : "");
    return false;
}

/* --- one value -------------------------------------------------------------------------------- */

static bool check_list(const DefinitionInput *input, const char *text, Json **value_out,
                       GError **error) {
    g_autoptr(Json) list = json_new_array();
    g_auto(GStrv) parts = g_strsplit(text, ",", LIST_MAX + 1);
    if (g_strv_length(parts) > LIST_MAX)
        return fail(error, input->name, "the list has more than 1,000 entries");
    for (char **part = parts; *part; part++) {
        const char *item = g_strstrip(*part);
        if (*item == '\0')
            continue;
        if (!input_check(input, item, error))
            return false;
        json_add_string(list, item);
    }
    *value_out = g_steal_pointer(&list);
    return true;
}

static bool parse_bool(const DefinitionInput *input, const char *text, Json **value_out,
                       GError **error) {
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
    bool no = strcmp(text, "false") == 0 || strcmp(text, "no") == 0;
    if (!yes && !no)
        return fail(error, input->name, "give true or false");
    *value_out = json_new_bool(yes);
    return true;
}

static bool parse_int(const DefinitionInput *input, const char *text, Json **value_out,
                      GError **error) {
    gint64 number;
    if (!g_ascii_string_to_signed(text, 10, G_MININT32, G_MAXINT32, &number, NULL))
        return fail(error, input->name, "give a whole number");
    *value_out = json_new_int(number);
    return true;
}

static bool check_text(const DefinitionInput *input, const char *text, Json **value_out,
                       GError **error) {
    switch (input->type) {
    case INPUT_LIST:
        return check_list(input, text, value_out, error);
    case INPUT_BOOL:
        return parse_bool(input, text, value_out, error);
    case INPUT_INT:
        return parse_int(input, text, value_out, error);
    case INPUT_TEXT:
        break;
    }
    if (!input_check(input, text, error))
        return false;
    *value_out = json_new_string(text);
    return true;
}

/* Any JSON form of a value as the text that a person would have typed. NULL for other kinds. */
static char *as_text(const Json *value) {
    switch (json_kind(value)) {
    case JSON_KIND_STRING:
        return g_strdup(json_text(value));
    case JSON_KIND_BOOL:
        return g_strdup(json_truth(value) ? "true" : "false");
    case JSON_KIND_INT:
        return g_strdup_printf("%" G_GINT64_FORMAT, json_integer_or(value, 0));
    case JSON_KIND_ARRAY: {
        g_autoptr(GString) joined = g_string_new(NULL);
        for (size_t i = 0; i < json_count(value); i++) {
            const char *item = json_text(json_item(value, i));
            if (!item)
                return NULL;
            g_string_append_printf(joined, "%s%s", i > 0 ? "," : "", item);
        }
        return g_strdup(joined->str);
    }
    default:
        return NULL;
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool changes_host(const DefinitionInput *input, const char *text) {
    if (input->engine)
        return input->type != INPUT_BOOL || strcmp(text, "false") != 0;
    if (input->format != INPUT_FORMAT_URL && input->format != INPUT_FORMAT_HOST)
        return false;
    return g_strcmp0(text, input->fallback) != 0;
}

/* An empty text is what a form sends for a field that was left alone: not given. */
static bool accept(const SettingsRules *rules, const DefinitionInput *input, const Json *given,
                   Json *settings, GError **error) {
    g_autofree char *text = as_text(given);
    if (!text)
        return fail(error, input->name, "give text, a number, true, false or a list of texts");
    if (!text_is_utf8(text, strlen(text)))
        return fail(error, input->name, "the text is not UTF-8");
    if (*text == '\0')
        return true;
    if (changes_host(input, text) && !rules->operator_allowed) {
        g_set_error(error, ASSAY_ERROR, ERROR_PERMISSION_DENIED,
                    "%s: only the operator of this installation may change it", input->name);
        return false;
    }
    Json *value = NULL;
    if (!check_text(input, text, &value, error))
        return false;
    json_put(settings, input->name, value);
    return true;
}

static bool fill_missing(const Definition *definition, Json *settings, GError **error) {
    for (size_t i = 0; i < definition->setting_count; i++) {
        const DefinitionInput *input = &definition->settings[i];
        if (json_member(settings, input->name))
            continue;
        if (input->fallback) {
            Json *value = NULL;
            if (!check_text(input, input->fallback, &value, error))
                return false;
            json_put(settings, input->name, value);
        } else if (!input->optional) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "the setting \"%s\" is missing (%s)", input->name,
                        input->label ? input->label : definition->name);
            return false;
        } else if (input->type == INPUT_LIST) {
            json_put(settings, input->name, json_new_array());
        } else if (input->type == INPUT_BOOL) {
            json_put_bool(settings, input->name, false);
        }
    }
    return true;
}

bool settings_check(const SettingsRules *rules, const Json *given, Json **settings_out,
                    GError **error) {
    if (given && json_kind(given) != JSON_KIND_OBJECT)
        return fail(error, "settings", "give an object of names and values");
    g_autoptr(Json) settings = json_new_object();
    void *iterator = NULL;
    const char *name;
    Json *value;
    while (json_next(given, &iterator, &name, &value)) {
        const DefinitionInput *input = find_setting(rules->definition, name);
        if (!input)
            return unknown_setting(rules->definition, name, error);
        if (json_member(settings, input->name))
            return fail(error, input->name, "given twice");
        if (!accept(rules, input, value, settings, error))
            return false;
    }
    if (!fill_missing(rules->definition, settings, error))
        return false;
    *settings_out = g_steal_pointer(&settings);
    return true;
}

bool settings_allow_private(const Json *settings) {
    return json_member_bool(settings, "allow_private", false);
}

bool settings_value(const Json *settings, Value *value_out, GError **error) {
    g_autofree char *text = json_print(settings, JSON_COMPACT);
    return value_parse(text, strlen(text), value_out, error);
}

/* --- the auth method -------------------------------------------------------------------------- */

static bool has_field(const char *const *fields, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        g_autofree char *snake = text_snake(fields[i]);
        if (strcmp(snake, name) == 0)
            return true;
    }
    return false;
}

/* Every field given belongs to the method, and every required one of the method is given. */
static bool fits(const DefinitionAuth *auth, const char *const *fields, size_t count) {
    size_t known = 0;
    for (size_t i = 0; i < auth->field_count; i++) {
        bool given = has_field(fields, count, auth->fields[i].name);
        known += given;
        if (!given && !auth->fields[i].optional)
            return false;
    }
    return known == count;
}

static bool refuse_auth(const Definition *definition, const char *problem, GError **error) {
    g_autoptr(GString) offered = g_string_new(NULL);
    for (size_t i = 0; i < definition->auth_count; i++) {
        const DefinitionAuth *auth = &definition->auth[i];
        if (!auth->supported)
            continue;
        g_string_append_printf(offered, "%s%s (", offered->len > 0 ? "; " : "", auth->name);
        for (size_t f = 0; f < auth->field_count; f++)
            g_string_append_printf(offered, "%s%s", f > 0 ? ", " : "", auth->fields[f].name);
        g_string_append_c(offered, ')');
    }
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s; %s can be connected with: %s",
                problem, definition->name, offered->str);
    return false;
}

/* The offered method of this name; NULL with the error set when there is none. */
static const DefinitionAuth *offered_auth(const Definition *definition, const char *name,
                                          GError **error) {
    const DefinitionAuth *auth = definition_auth(definition, name);
    if (auth && auth->supported)
        return auth;
    g_autofree char *shown = text_name(name);
    g_autofree char *problem =
        g_strdup_printf(auth ? "the auth method \"%s\" is not available in this version"
                             : "there is no auth method \"%s\"",
                        shown);
    (void)refuse_auth(definition, problem, error);
    return NULL;
}

bool settings_choose_auth(const Definition *definition, const char *auth_name,
                          const char *const *fields, size_t field_count,
                          const DefinitionAuth **auth_out, GError **error) {
    const DefinitionAuth *found = NULL;
    if (auth_name) {
        found = offered_auth(definition, auth_name, error);
        if (!found)
            return false;
        if (!fits(found, fields, field_count))
            return refuse_auth(definition, "the credential fields do not fit", error);
        *auth_out = found;
        return true;
    }
    for (size_t i = 0; i < definition->auth_count; i++) {
        const DefinitionAuth *auth = &definition->auth[i];
        if (!auth->supported || !fits(auth, fields, field_count))
            continue;
        if (found)
            return refuse_auth(definition, "the credential fits several auth methods, name one",
                               error);
        found = auth;
    }
    if (!found)
        return refuse_auth(definition, "the credential fields do not fit", error);
    *auth_out = found;
    return true;
}
