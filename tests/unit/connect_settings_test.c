/* What a person gave for a connection: names, types, who may change what, and auth methods. */
#include "unit/connect_support.h"
#include "unit/provider_support.h"

#include "base/error.h"
#include "connect/settings.h"

#include <string.h>

static const char settings_part[] =
    "settings:\n"
    "  team_name: {label: Team, pattern: '[a-z]+'}\n"
    "  projects: {label: Projects, type: list, optional: true, pattern: '[a-z0-9-]+'}\n"
    "  regions: {label: Regions, type: list, default: 'eu, us'}\n"
    "  archived: {label: Archived, type: bool, default: 'false'}\n"
    "  deep: {label: Deep, type: bool, optional: true}\n"
    "  max_age: {label: Age, type: int, default: '90'}\n"
    "  floor: {label: Floor, type: int, optional: true}\n"
    "  note: {label: Note, optional: true}\n"
    "  domain: {label: Domain, format: host, optional: true}\n"
    "  api_url: {label: API URL, default: 'https://api.demo.test', format: url}\n";

static const char auth_part[] =
    "auth:\n"
    "  app:\n"
    "    label: App\n"
    "    scheme: github_app\n"
    "    fields: {app_id: {label: Id}, private_key: {label: Key, secret: true}}\n"
    "  token:\n"
    "    label: Token\n"
    "    scheme: bearer\n"
    "    fields: {access_token: {label: Token, secret: true}}\n"
    "  named_token:\n"
    "    label: Named token\n"
    "    scheme: bearer\n"
    "    fields: {access_token: {label: Token, secret: true}, token_owner: {label: Owner}}\n"
    "  keyed:\n"
    "    label: Keyed\n"
    "    scheme: bearer\n"
    "    fields: {api_key: {label: Key, secret: true}, key_hint: {label: Hint, optional: true}}\n"
    "  keyed_too:\n"
    "    label: Keyed, too\n"
    "    scheme: bearer\n"
    "    fields: {api_key: {label: Key, secret: true}, zone: {label: Zone}}\n"
    "  keyed_twin:\n"
    "    label: The same\n"
    "    scheme: bearer\n"
    "    fields: {api_key: {label: Key, secret: true}, zone: {label: Zone}}\n";

static Definition *definition;

static Json *check(const char *given, bool operator_allowed) {
    SettingsRules rules = {definition, &definition->auth[1], operator_allowed};
    g_autoptr(Json) json = json_of(given);
    Json *settings = NULL;
    must(settings_check(&rules, json, &settings, &error));
    return settings;
}

static void refuse(const char *given, ErrorCode code, const char *part) {
    SettingsRules rules = {definition, &definition->auth[1], false};
    g_autoptr(Json) json = json_of(given);
    Json *settings = NULL;
    must_fail(code, part, settings_check(&rules, json, &settings, &error));
    g_assert_null(settings);
}

static void assert_json(const Json *json, const char *expected) {
    g_autofree char *text = json_print(json, JSON_SORTED);
    g_assert_cmpstr(text, ==, expected);
}

/* --- names ------------------------------------------------------------------------------------ */

static void defaults_are_filled_in_and_optional_texts_stay_away(void) {
    g_autoptr(Json) settings = check("{\"team_name\": \"acme\"}", false);
    assert_json(settings, "{\"allow_private\":false,\"api_url\":\"https://api.demo.test\","
                          "\"archived\":false,\"deep\":false,\"max_age\":90,\"projects\":[],"
                          "\"regions\":[\"eu\",\"us\"],\"team_name\":\"acme\"}");
}

static void names_are_accepted_in_camel_case(void) {
    g_autoptr(Json) settings = check("{\"teamName\": \"acme\", \"maxAge\": 30}", false);
    g_assert_cmpstr(json_member_string(settings, "team_name", NULL), ==, "acme");
    g_assert_cmpint(json_member_int(settings, "max_age", 0), ==, 30);
    g_assert_null(json_member(settings, "teamName"));
}

static void a_name_given_in_both_cases_is_refused(void) {
    refuse("{\"teamName\": \"a\", \"team_name\": \"b\"}", ERROR_CONFIGURATION,
           "team_name: given twice");
}

static void an_unknown_name_gets_the_nearest_one(void) {
    refuse("{\"teamname\": \"a\"}", ERROR_CONFIGURATION,
           "Demo has no setting \"teamname\"; did you mean \"team_name\"?");
    refuse("{\"maxAges\": \"a\"}", ERROR_CONFIGURATION, "did you mean \"max_age\"?");
    refuse("{\"allowPrivat\": true}", ERROR_CONFIGURATION, "did you mean \"allow_private\"?");
}

static void a_far_name_gets_no_suggestion_and_shows_no_value(void) {
    GError *error = NULL;
    SettingsRules rules = {definition, &definition->auth[1], false};
    g_autoptr(Json) json = json_of("{\"accessTokenValue\": \"" PLANTED "\"}");
    Json *settings = NULL;
    g_assert_false(settings_check(&rules, json, &settings, &error));
    g_assert_cmpstr(error->message, ==, "Demo has no setting \"accessTokenValue\"");
    g_error_free(error);
}

static void a_hostile_name_is_shown_short_and_on_one_line(void) {
    g_autofree char *name = g_strnfill(5000, 'x');
    g_autofree char *given = g_strdup_printf("{\"\\u001b[2J\\n%s\": 1}", name);
    SettingsRules rules = {definition, &definition->auth[1], false};
    g_autoptr(Json) json = json_of(given);
    Json *settings = NULL;
    GError *error = NULL;
    g_assert_false(settings_check(&rules, json, &settings, &error));
    g_assert_cmpuint(strlen(error->message), <, 200);
    g_assert_null(strpbrk(error->message, "\n\x1b"));
    g_error_free(error);
}

static void a_missing_setting_is_named_with_its_label(void) {
    refuse("{}", ERROR_CONFIGURATION, "the setting \"team_name\" is missing (Team)");
    SettingsRules rules = {definition, &definition->auth[1], false};
    Json *settings = NULL;
    must_fail(ERROR_CONFIGURATION, "team_name", settings_check(&rules, NULL, &settings, &error));
}

static void an_empty_text_is_as_if_it_were_not_given(void) {
    refuse("{\"team_name\": \"\"}", ERROR_CONFIGURATION, "\"team_name\" is missing");
    g_autoptr(Json) settings =
        check("{\"team_name\": \"a\", \"api_url\": \"\", \"note\": \"\", \"regions\": \"\","
              " \"allow_private\": \"\", \"endpoint_url\": \"\", \"max_age\": \"\"}",
              false);
    assert_json(settings, "{\"allow_private\":false,\"api_url\":\"https://api.demo.test\","
                          "\"archived\":false,\"deep\":false,\"max_age\":90,\"projects\":[],"
                          "\"regions\":[\"eu\",\"us\"],\"team_name\":\"a\"}");
}

static void settings_must_be_an_object(void) {
    refuse("[\"team_name\"]", ERROR_CONFIGURATION, "settings: give an object");
    refuse("\"team_name\"", ERROR_CONFIGURATION, "settings: give an object");
}

/* --- values ----------------------------------------------------------------------------------- */

static void lists_are_split_at_commas_or_taken_as_arrays(void) {
    g_autoptr(Json) text =
        check("{\"team_name\": \"a\", \"projects\": \" one, two ,,three,\"}", false);
    g_autoptr(Json) array =
        check("{\"team_name\": \"a\", \"projects\": [\"one\", \"two\", \"three\"]}", false);
    assert_json(json_member(text, "projects"), "[\"one\",\"two\",\"three\"]");
    assert_json(json_member(array, "projects"), "[\"one\",\"two\",\"three\"]");
}

static void every_item_of_a_list_must_fit_the_pattern(void) {
    refuse("{\"team_name\": \"a\", \"projects\": \"one,TWO\"}", ERROR_CONFIGURATION, "projects");
    refuse("{\"team_name\": \"a\", \"projects\": [\"one\", 2]}", ERROR_CONFIGURATION, "projects");
    refuse("{\"team_name\": \"a\", \"projects\": [[\"one\"]]}", ERROR_CONFIGURATION, "projects");
}

static void a_list_has_at_most_a_thousand_entries(void) {
    g_autoptr(GString) text = g_string_new("{\"team_name\": \"a\", \"projects\": \"p");
    for (int i = 1; i < 1000; i++)
        g_string_append(text, ",p");
    g_autofree char *fits = g_strconcat(text->str, "\"}", NULL);
    g_autofree char *over = g_strconcat(text->str, ",p\"}", NULL);
    g_autoptr(Json) settings = check(fits, false);
    g_assert_cmpuint(json_count(json_member(settings, "projects")), ==, 1000);
    refuse(over, ERROR_CONFIGURATION, "more than 1,000");
}

static void patterns_hold_for_the_whole_text(void) {
    refuse("{\"team_name\": \"acme!\"}", ERROR_CONFIGURATION, "team_name");
    refuse("{\"team_name\": \"acme\\n\"}", ERROR_CONFIGURATION, "team_name");
    refuse("{\"team_name\": \"acme\\nX-Evil: 1\"}", ERROR_CONFIGURATION, "team_name");
}

static void values_take_their_type_from_the_definition(void) {
    g_autoptr(Json) settings = check("{\"team_name\": \"a\", \"archived\": \"yes\", \"deep\": true,"
                                     " \"max_age\": \"-5\", \"floor\": 7, \"note\": 12}",
                                     false);
    g_assert_true(json_truth(json_member(settings, "archived")));
    g_assert_true(json_truth(json_member(settings, "deep")));
    g_assert_cmpint(json_member_int(settings, "max_age", 0), ==, -5);
    g_assert_cmpint(json_member_int(settings, "floor", 0), ==, 7);
    g_assert_cmpstr(json_member_string(settings, "note", NULL), ==, "12");
}

static void values_of_another_type_are_refused(void) {
    static const char *const bad[] = {
        "\"archived\": \"perhaps\"", "\"archived\": 1",  "\"archived\": null",
        "\"max_age\": \"ninety\"",   "\"max_age\": 1.5", "\"max_age\": \"99999999999\"",
        "\"max_age\": true",         "\"note\": null",   "\"note\": {\"a\": 1}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *given = g_strdup_printf("{\"team_name\": \"a\", %s}", bad[i]);
        g_autofree char *name = g_strndup(bad[i] + 1, strcspn(bad[i] + 1, "\""));
        refuse(given, ERROR_CONFIGURATION, name);
    }
}

static void settings_are_seen_by_expressions_as_they_are_stored(void) {
    g_autoptr(Json) settings = check("{\"team_name\": \"a\", \"projects\": \"x,y\"}", false);
    g_auto(Value) value = VALUE_NONE;
    must(settings_value(settings, &value, &error));
    g_autofree char *text = value_to_json(value);
    assert_json(settings, text);
}

/* --- what belongs to the operator ------------------------------------------------------------- */

static void only_the_operator_may_change_hosts(void) {
    static const char *const given[] = {
        "\"allow_private\": true",
        "\"allowPrivate\": \"yes\"",
        "\"endpoint_url\": \"https://evil.test\"",
        "\"endpoint_url\": \"false\"",
        "\"api_url\": \"https://evil.test\"",
        "\"apiUrl\": \"https://api.demo.test.evil.test\"",
        "\"api_url\": \"https://API.demo.test\"",
        "\"domain\": \"evil.test\"",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(given); i++) {
        g_autofree char *text = g_strdup_printf("{\"team_name\": \"a\", %s}", given[i]);
        refuse(text, ERROR_PERMISSION_DENIED, "only the operator");
    }
}

static void everybody_may_give_what_is_the_default_anyway(void) {
    g_autoptr(Json) settings = check("{\"team_name\": \"a\", \"allow_private\": false,"
                                     " \"api_url\": \"https://api.demo.test\"}",
                                     false);
    g_assert_false(settings_allow_private(settings));
}

static void the_operator_may_change_hosts(void) {
    g_autoptr(Json) settings =
        check("{\"team_name\": \"a\", \"allow_private\": true, \"domain\": \"intern.test\","
              " \"api_url\": \"http://127.0.0.1:8080\", \"endpoint_url\": \"http://[::1]:1\"}",
              true);
    g_assert_true(settings_allow_private(settings));
    g_assert_cmpstr(json_member_string(settings, "domain", NULL), ==, "intern.test");
    g_assert_cmpstr(json_member_string(settings, "endpoint_url", NULL), ==, "http://[::1]:1");
}

static void the_operator_is_held_to_formats_too(void) {
    static const char *const bad[] = {
        "\"api_url\": \"ftp://host\"",        "\"api_url\": \"https://u:p@host\"",
        "\"api_url\": \"https://host/?q=1\"", "\"domain\": \"host/path\"",
        "\"endpoint_url\": \"host\"",         "\"allow_private\": \"maybe\"",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *text = g_strdup_printf("{\"team_name\": \"a\", %s}", bad[i]);
        SettingsRules rules = {definition, &definition->auth[1], true};
        g_autoptr(Json) json = json_of(text);
        Json *settings = NULL;
        must_fail(ERROR_CONFIGURATION, "", settings_check(&rules, json, &settings, &error));
    }
}

/* Only the value true: text that looks like it is not enough. */
static void private_addresses_need_the_value_true(void) {
    g_autoptr(Json) text = json_of("{\"allow_private\": \"true\"}");
    g_autoptr(Json) number = json_of("{\"allow_private\": 1}");
    g_autoptr(Json) truth = json_of("{\"allow_private\": true}");
    g_assert_false(settings_allow_private(text));
    g_assert_false(settings_allow_private(number));
    g_assert_false(settings_allow_private(NULL));
    g_assert_true(settings_allow_private(truth));
}

/* --- auth methods ----------------------------------------------------------------------------- */

static const char *chosen(const char *name, const char *const *fields, size_t count) {
    const DefinitionAuth *auth = NULL;
    must(settings_choose_auth(definition, name, fields, count, &auth, &error));
    return auth->name;
}

#define CHOSEN(name, ...)                                                                          \
    chosen(name, (const char *const[]){__VA_ARGS__},                                               \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

#define REFUSED(part, name, ...)                                                                   \
    do {                                                                                           \
        const char *const fields[] = {__VA_ARGS__};                                                \
        const DefinitionAuth *auth = NULL;                                                         \
        must_fail(                                                                                 \
            ERROR_CONFIGURATION, part,                                                             \
            settings_choose_auth(definition, name, fields, G_N_ELEMENTS(fields), &auth, &error));  \
        g_assert_null(auth);                                                                       \
    } while (0)

static void the_method_is_the_one_whose_fields_are_given(void) {
    g_assert_cmpstr(CHOSEN(NULL, "access_token"), ==, "token");
    g_assert_cmpstr(CHOSEN(NULL, "accessToken"), ==, "token");
    g_assert_cmpstr(CHOSEN(NULL, "tokenOwner", "access_token"), ==, "named_token");
}

static void optional_fields_may_be_left_out(void) {
    g_assert_cmpstr(CHOSEN(NULL, "api_key"), ==, "keyed");
    g_assert_cmpstr(CHOSEN(NULL, "api_key", "keyHint"), ==, "keyed");
}

static void fields_that_no_method_has_fit_none(void) {
    REFUSED("do not fit; Demo can be connected with: token (access_token)", NULL, "password");
    REFUSED("do not fit", NULL, "access_token", "password");
    REFUSED("do not fit", NULL, "token_owner");
    REFUSED("do not fit", NULL, "access_token", "accessToken");
    const DefinitionAuth *auth = NULL;
    must_fail(ERROR_CONFIGURATION, "do not fit",
              settings_choose_auth(definition, NULL, NULL, 0, &auth, &error));
}

static void fields_that_fit_several_methods_need_a_name(void) {
    REFUSED("several auth methods, name one", NULL, "api_key", "zone");
    g_assert_cmpstr(CHOSEN("keyed_twin", "api_key", "zone"), ==, "keyed_twin");
}

static void a_named_method_must_fit_as_well(void) {
    g_assert_cmpstr(CHOSEN("token", "access_token"), ==, "token");
    REFUSED("do not fit", "token", "access_token", "token_owner");
    REFUSED("do not fit", "named_token", "access_token");
}

static void a_method_of_a_later_version_is_not_offered(void) {
    REFUSED("\"app\" is not available in this version", "app", "app_id", "private_key");
    REFUSED("do not fit", NULL, "app_id", "private_key");
    GError *error = NULL;
    const DefinitionAuth *auth = NULL;
    g_assert_false(settings_choose_auth(definition, "app", NULL, 0, &auth, &error));
    assert_lacks(error->message, "private_key");
    g_error_free(error);
}

static void an_unknown_method_is_named_in_one_line(void) {
    REFUSED("there is no auth method \"nothing\"", "nothing", "access_token");
    REFUSED("there is no auth method \"\u2026\"", "a\nb", "access_token");
}

#define ADD(name) g_test_add_func("/connect/settings/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    SupportParts parts = {.settings = settings_part,
                          .auth = auth_part,
                          .calls = small_calls,
                          .evidence = small_evidence};
    definition = support_load(&parts);
    ADD(defaults_are_filled_in_and_optional_texts_stay_away);
    ADD(names_are_accepted_in_camel_case);
    ADD(a_name_given_in_both_cases_is_refused);
    ADD(an_unknown_name_gets_the_nearest_one);
    ADD(a_far_name_gets_no_suggestion_and_shows_no_value);
    ADD(a_hostile_name_is_shown_short_and_on_one_line);
    ADD(a_missing_setting_is_named_with_its_label);
    ADD(an_empty_text_is_as_if_it_were_not_given);
    ADD(settings_must_be_an_object);
    ADD(lists_are_split_at_commas_or_taken_as_arrays);
    ADD(every_item_of_a_list_must_fit_the_pattern);
    ADD(a_list_has_at_most_a_thousand_entries);
    ADD(patterns_hold_for_the_whole_text);
    ADD(values_take_their_type_from_the_definition);
    ADD(values_of_another_type_are_refused);
    ADD(settings_are_seen_by_expressions_as_they_are_stored);
    ADD(only_the_operator_may_change_hosts);
    ADD(everybody_may_give_what_is_the_default_anyway);
    ADD(the_operator_may_change_hosts);
    ADD(the_operator_is_held_to_formats_too);
    ADD(private_addresses_need_the_value_true);
    ADD(the_method_is_the_one_whose_fields_are_given);
    ADD(optional_fields_may_be_left_out);
    ADD(fields_that_no_method_has_fit_none);
    ADD(fields_that_fit_several_methods_need_a_name);
    ADD(a_named_method_must_fit_as_well);
    ADD(a_method_of_a_later_version_is_not_offered);
    ADD(an_unknown_method_is_named_in_one_line);
    int failed = g_test_run();
    definition_free(definition);
    return failed;
}
