/* What connecting asks for, as a server says it. */
#include "cli/provider_form.h"
#include "present/provider_object.h"
#include "provider/registry.h"
#include "unit/cli_support.h"

#include <string.h>

static void assert_same_input(const DefinitionInput *said, const DefinitionInput *meant) {
    g_assert_cmpstr(said->name, ==, meant->name);
    g_assert_cmpstr(said->label, ==, meant->label);
    g_assert_cmpstr(said->pattern, ==, meant->pattern);
    g_assert_cmpstr(said->fallback, ==, meant->fallback);
    g_assert_cmpint(said->type, ==, meant->type);
    g_assert_true(said->secret == meant->secret);
    g_assert_true(said->optional == (meant->optional || meant->fallback));
}

static void assert_same_auth(const DefinitionAuth *said, const DefinitionAuth *meant) {
    g_assert_cmpstr(said->name, ==, meant->name);
    g_assert_cmpint(said->scheme, ==, meant->scheme);
    g_assert_true(said->supported == meant->supported);
    g_assert_cmpuint(said->field_count, ==, meant->field_count);
    for (size_t i = 0; i < said->field_count; i++)
        assert_same_input(&said->fields[i], &meant->fields[i]);
}

static void assert_same(const Definition *said, const Definition *meant) {
    g_assert_cmpstr(said->id, ==, meant->id);
    g_assert_cmpstr(said->name, ==, meant->name);
    g_assert_cmpuint(said->setting_count, ==, meant->setting_count);
    g_assert_cmpuint(said->auth_count, ==, meant->auth_count);
    for (size_t i = 0; i < said->setting_count; i++)
        assert_same_input(&said->settings[i], &meant->settings[i]);
    for (size_t i = 0; i < said->auth_count; i++)
        assert_same_auth(&said->auth[i], &meant->auth[i]);
}

/* Of every service of this program, over the wire and back. */
static void nothing_that_is_asked_gets_lost_on_the_way(void) {
    Registry *registry = NULL;
    must((registry = registry_new(NULL, &error)) != NULL);
    for (const char *const *id = registry_ids(registry); *id; id++) {
        const Definition *definition = NULL;
        must((definition = registry_find(registry, *id, &error)) != NULL);
        g_autoptr(Json) object = provider_object(definition);
        g_autofree char *text = json_print(object, JSON_COMPACT);
        g_autoptr(Json) arrived = json_of(text);
        g_auto(ProviderForm) form = {0};
        must(provider_form_init(&form, arrived, &error));
        assert_same(&form.definition, definition);
    }
    registry_free(registry);
}

#define FIELD "{\"name\":\"access_token\",\"label\":\"Token\",\"secret\":true,\"required\":true}"
#define WAY(scheme, fields)                                                                        \
    "[{\"name\":\"pat\",\"label\":\"Token\",\"scheme\":\"" scheme                                  \
    "\",\"supported\":true,\"fields\":[" fields "]}]"

static void what_is_no_provider_is_refused(void) {
    static const char *const texts[] = {
        "{}",
        "{\"id\":\"a\",\"name\":\"A\"}",
        "{\"id\":\"a\",\"name\":\"A\",\"auth\":[]}",
        "{\"id\":\"a\",\"auth\":" WAY("bearer", FIELD) "}",
        "{\"id\":1,\"name\":\"A\",\"auth\":" WAY("bearer", FIELD) "}",
        "{\"id\":\"a\",\"name\":\"A\",\"auth\":" WAY("bearer", "{}") "}",
        "{\"id\":\"a\",\"name\":\"A\",\"auth\":" WAY("bearer", FIELD) ",\"settings\":[7]}",
        "{\"id\":\"a\",\"name\":\"A\",\"auth\":{\"pat\":{}}}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Json) object = json_of(texts[i]);
        ProviderForm form;
        must_fail(ERROR_SERVICE_UNAVAILABLE, "version", provider_form_init(&form, object, &error));
        g_assert_null(form.tables);
    }
}

static void a_scheme_of_another_version_asks_for_its_fields(void) {
    g_autoptr(Json) object =
        json_of("{\"id\":\"a\",\"name\":\"A\",\"auth\":" WAY("quantum", FIELD) "}");
    g_auto(ProviderForm) form = {0};
    must(provider_form_init(&form, object, &error));
    g_assert_true(form.definition.auth[0].supported);
    g_assert_nonnull(auth_field(&form.definition.auth[0], "access_token"));
}

/* A server must not move the terminal's cursor about, and what it says nothing of is a secret. */
static void labels_are_fit_for_a_terminal(void) {
    g_autoptr(Json) object = json_of("{\"id\":\"a\",\"name\":\"A\\u001b[2J\",\"auth\":" WAY(
        "bearer", "{\"name\":\"key\",\"label\":\"K\\u001b[1A\\nL\"}") "}");
    g_auto(ProviderForm) form = {0};
    must(provider_form_init(&form, object, &error));
    g_assert_null(strchr(form.definition.name, '\x1b'));
    g_assert_null(strpbrk(form.definition.auth[0].fields[0].label, "\x1b\n"));
    g_assert_true(form.definition.auth[0].fields[0].secret);
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"nothing_that_is_asked_gets_lost_on_the_way", nothing_that_is_asked_gets_lost_on_the_way},
        {"what_is_no_provider_is_refused", what_is_no_provider_is_refused},
        {"a_scheme_of_another_version_asks_for_its_fields",
         a_scheme_of_another_version_asks_for_its_fields},
        {"labels_are_fit_for_a_terminal", labels_are_fit_for_a_terminal},
    };
    return desk_main(argc, argv, "provider_form", tests, G_N_ELEMENTS(tests));
}
