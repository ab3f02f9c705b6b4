/* Definitions: what a right one becomes, and what a person is told about a wrong one. */
#include "provider/definition_check.h"
#include "provider/definition_load.h"
#include "provider/plan.h"
#include "provider_support.h"

#include "base/clock.h"

static char *replaced(const char *text, const char *from, const char *to) {
    const char *found = strstr(text, from);
    g_assert_nonnull(found);
    g_autofree char *before = g_strndup(text, (size_t)(found - text));
    return g_strconcat(before, to, found + strlen(from), NULL);
}

/* The default definition with one text replaced is refused, and this is among what is said. */
static void assert_refused(const char *from, const char *to, const char *message) {
    g_autofree char *right = support_text(&(SupportParts){.head = NULL});
    g_autofree char *wrong = replaced(right, from, to);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("demo.yaml");
    g_autoptr(GError) error = NULL;
    g_assert_null(definition_load("demo.yaml", wrong, strlen(wrong), diagnostics, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_true(g_str_has_prefix(error->message, "demo.yaml:"));
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++) {
        if (strcmp(diagnostics_get(diagnostics, i)->text, message) == 0)
            return;
    }
    g_test_message("expected: %s", message);
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++)
        g_test_message("found:    %s", diagnostics_get(diagnostics, i)->text);
    g_test_fail();
}

/* --- the model -------------------------------------------------------------------------------- */

static void a_right_definition_becomes_its_model(void) {
    g_autoptr(Definition) definition = support_load(&(SupportParts){.head = NULL});
    g_assert_cmpstr(definition->id, ==, "demo");
    g_assert_cmpuint(strlen(definition->sha256), ==, 64);
    g_assert_cmpuint(definition->call_count, ==, 4);
    const DefinitionCall *users = definition_call(definition, "users");
    g_assert_cmpstr(template_text(users->path), ==, "/teams/\\(.settings.team)/users");
    g_assert_cmpstr(value_path_text(users->rows), ==, ".");
    g_assert_nonnull(users->page);
    g_assert_cmpint(users->page->style, ==, PAGE_LINK);
    g_assert_cmpint(users->page->max_pages, ==, 10000);
    g_assert_cmpuint(users->mention_count, ==, 0);
    const DefinitionCall *me = definition_call(definition, "me");
    g_assert_null(me->page);
    g_assert_null(me->rows);
    const DefinitionCall *keys = definition_call(definition, "keys");
    g_assert_cmpuint(keys->mention_count, ==, 1);
    g_assert_cmpstr(keys->mentions[0], ==, "user");
    g_assert_null(definition_call(definition, "nothing"));
    g_assert_null(definition_type(definition, NULL));
}

static void settings_end_with_those_of_the_engine(void) {
    g_autoptr(Definition) definition = support_load(&(SupportParts){.head = NULL});
    g_assert_cmpuint(definition->setting_count, ==, 4);
    g_assert_false(definition->settings[0].engine);
    g_assert_true(definition_setting(definition, "allow_private")->engine);
    g_assert_true(definition_setting(definition, "endpoint_url")->engine);
    g_assert_true(definition_setting(definition, "api_url")->optional);
    g_assert_false(definition_setting(definition, "team")->optional);
}

static void inputs_are_held_against_type_format_and_pattern(void) {
    g_autoptr(Definition) github = support_github();
    static const struct {
        const char *setting;
        const char *text;
        bool fits;
    } cases[] = {
        {"organization", "acme", true},
        {"organization", "acme\n", false},
        {"organization", "-acme", false},
        {"organization", "", false},
        {"repositories", "", true},
        {"repositories", "api, web,acme/x", true},
        {"repositories", "api, a b", false},
        {"include_archived", "true", true},
        {"include_archived", "yes", false},
        {"api_url", "https://ghe.acme.test/api/v3", true},
        {"api_url", "ghe.acme.test", false},
        {"api_url", "https://user:pw@ghe.acme.test", false},
        {"api_url", "https://ghe.acme.test?x=1", false},
        {"api_url", "file:///etc/passwd", false},
        {"allow_private", "1", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const DefinitionInput *input = definition_setting(github, cases[i].setting);
        g_assert_cmpint(input_check(input, cases[i].text, &error), ==, cases[i].fits);
        g_assert_cmpint(error == NULL, ==, cases[i].fits);
    }
}

static void messages_about_a_secret_do_not_hold_it(void) {
    g_autoptr(Definition) github = support_github();
    const DefinitionInput *key = auth_field(definition_auth(github, "app"), "private_key");
    g_autoptr(GError) error = NULL;
    g_assert_false(input_check(key, "hunter2-not-a-key", &error));
    g_assert_null(strstr(error->message, "hunter2"));
}

static void read_nodes_come_parents_first_and_fields_know_their_reads(void) {
    g_autoptr(Definition) definition = support_load(&(SupportParts){.head = NULL});
    const EvidenceType *type = definition_type(definition, "users");
    g_assert_cmpuint(type->node_count, ==, 3);
    g_assert_cmpint(type->nodes[0].parent, ==, READ_NO_PARENT);
    g_assert_cmpint(evidence_type_node(type, "profile"), ==, 1);
    g_assert_cmpint(type->nodes[1].parent, ==, 0);
    g_assert_cmpint(type->nodes[2].mode, ==, READ_FOLD);
    g_assert_cmpuint(type->row_of, ==, 0);
    g_assert_true(type->nodes[0].list);
    g_assert_false(type->nodes[1].list);
    g_assert_cmpuint(type->row_field_count, ==, 4);
    g_assert_cmpuint(type->row_fields[0].nodes, ==, 1);
    g_assert_cmpuint(type->row_fields[1].nodes, ==, 2);
    g_assert_cmpuint(type->row_fields[3].nodes, ==, 4);
    g_assert_cmpuint(type->row_nodes, ==, 7);
    /* pass uses profile, resource the user; keys play no part. */
    const DefinitionCheck *check = evidence_type_check(type, "mfa_on");
    g_assert_cmpuint(check->nodes, ==, 3);
    g_assert_cmpint(check->require, ==, REQUIRE_MORE_THAN);
    g_assert_cmpfloat(check->require_percent, ==, 80.0);
    g_assert_cmpint(check->severity, ==, SEVERITY_HIGH);
}

static void a_row_may_be_one_expression(void) {
    g_autofree char *text = support_text(&(SupportParts){.head = NULL});
    g_autofree char *one = replaced(text,
                                    "      name: .user.name\n"
                                    "      mfa: .profile.mfa\n"
                                    "      age: .profile.age\n"
                                    "      keys: .keys.total\n",
                                    "      {name: .user.name, mfa: .profile.mfa, age: null,\n"
                                    "       keys: 0}\n");
    g_autofree char *block = replaced(one, "    row:\n", "    row: |\n");
    g_autoptr(GError) error = NULL;
    g_autoptr(Definition) definition =
        definition_load("demo.yaml", block, strlen(block), NULL, &error);
    g_assert_no_error(error);
    const EvidenceType *type = definition_type(definition, "users");
    g_assert_nonnull(type->row);
    g_assert_null(type->row_fields);
    g_assert_cmpuint(type->row_nodes, ==, 3);
    g_assert_cmpuint(type->checks[0].nodes, ==, 3);
}

static void needs_are_gathered_without_doubles(void) {
    g_autoptr(Definition) definition = support_load(&(SupportParts){.head = NULL});
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    evidence_type_needs(definition_type(definition, "users"), "scope", names);
    g_assert_cmpuint(names->len, ==, 3);
    g_assert_cmpstr(g_ptr_array_index(names, 0), ==, "users");
    evidence_type_needs(definition_type(definition, "users"), "permission", names);
    g_assert_cmpuint(names->len, ==, 3);
}

static void a_definition_lives_as_long_as_its_last_reference(void) {
    Definition *definition = support_load(&(SupportParts){.head = NULL});
    Definition *second = definition_ref(definition);
    definition_free(definition);
    g_assert_cmpstr(second->name, ==, "Demo");
    definition_free(second);
    definition_free(NULL);
}

/* --- misspelt, unknown, mistyped -------------------------------------------------------------- */

static void a_misspelt_key_is_named_at_every_level(void) {
    static const struct {
        const char *from;
        const char *to;
        const char *message;
    } cases[] = {
        {"summary: A", "sumary: A",
         "demo.yaml:5:1: unknown key 'sumary' in the file; did you mean 'summary'?"},
        {"pattern: '", "patern: '",
         "demo.yaml:9:23: unknown key 'patern' in settings.team; did you mean 'pattern'?"},
        {"    scheme:", "    shceme:",
         "demo.yaml:14:5: unknown key 'shceme' in auth.token; did you mean 'scheme'?"},
        {"secret: true", "secrt: true",
         "demo.yaml:15:43: unknown key 'secrt' in auth.token.fields.access_token; did you mean "
         "'secret'?"},
        {"base_url:", "bas_url:",
         "demo.yaml:17:3: unknown key 'bas_url' in http; did you mean 'base_url'?"},
        {"{style: link}", "{stile: link}",
         "demo.yaml:19:10: unknown key 'stile' in http.page; did you mean 'style'?"},
        {"    query: {size", "    querry: {size",
         "demo.yaml:24:5: unknown key 'querry' in calls.users; did you mean 'query'?"},
        {"    title: Users", "    titel: Users",
         "demo.yaml:36:5: unknown key 'titel' in evidence.users; did you mean 'title'?"},
        {"fold: {total", "flod: {total",
         "demo.yaml:42:37: unknown key 'flod' in evidence.users.read.keys; did you mean 'fold'?"},
        {"        severity:", "        severty:",
         "demo.yaml:55:9: unknown key 'severty' in evidence.users.checks.mfa_on; did you mean "
         "'severity'?"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(cases[i].from, cases[i].to, cases[i].message);
}

static void known_but_unsupported_parts_say_so(void) {
    assert_refused("  me: {get: /me}\n", "  me: {get: /me}\n  q: {graphql: 'query { x }'}\n",
                   "demo.yaml:22:7: calls.q.graphql is not supported in this version");
    assert_refused("{get: /me}", "{get: /me, download: {}}",
                   "demo.yaml:21:18: calls.me.download is not supported in this version");
    assert_refused("{get: /me}", "{get: /me, decode: jsonl}",
                   "demo.yaml:21:26: calls.me.decode: found 'jsonl', expected one of json, xml, "
                   "csv; did you mean 'json'?");
    assert_refused("hosts: [api.demo.test]\n", "hosts: [api.demo.test]\nactions: {post: {}}\n",
                   "demo.yaml:8:11: unknown key 'post' in actions, expected one of ");
}

static void wrong_types_and_words_are_named(void) {
    assert_refused("assay: 1", "assay: 2",
                   "demo.yaml:1:8: assay: found '2', expected 1, the version of the format");
    assert_refused("category: devops", "category: devop",
                   "demo.yaml:4:11: category: found 'devop', expected one of identity, cloud, "
                   "devops, endpoint, security, collaboration, data, commerce, backup; did you "
                   "mean 'devops'?");
    assert_refused("hosts: [api.demo.test]", "hosts: api.demo.test",
                   "demo.yaml:7:8: hosts: found 'api.demo.test', expected a list of host names");
    assert_refused("[api.demo.test]", "['https://api.demo.test']",
                   "demo.yaml:7:9: hosts[0]: found 'https://api.demo.test', expected a host name");
    assert_refused("scheme: bearer", "scheme: baerer",
                   "demo.yaml:14:13: auth.token.scheme: found 'baerer', expected one of bearer, "
                   "basic, header, query, oauth2, oauth1, client_credentials, github_app, "
                   "google_account, aws_keys, aws_role; did you mean 'bearer'?");
    assert_refused("{get: /me}", "{get: me}",
                   "demo.yaml:21:13: calls.me.get: found 'me', expected a path that begins with "
                   "one /");
    assert_refused("require: '>80%'", "require: 80",
                   "demo.yaml:56:18: evidence.users.checks.mfa_on.require: found '80', expected "
                   "all, or a share such as '>80%' or '>=95%'");
    assert_refused(
        "mfa: bool", "mfa: boolean",
        "demo.yaml:48:33: Field mfa: The type \"boolean\" is not known at character 1; types are "
        "string, int, number, bool, time, [T], {name: T}, {string: T}, and T? for what "
        "may be null.");
}

static void whole_sections_may_not_be_missing(void) {
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("demo.yaml");
    g_autoptr(GError) error = NULL;
    g_assert_null(definition_load("demo.yaml", "assay: 1\n", 9, diagnostics, &error));
    g_assert_cmpuint(diagnostics_errors(diagnostics), >=, 9);
    g_assert_null(definition_load("demo.yaml", "[]", 2, NULL, NULL));
    g_assert_null(definition_load("demo.yaml", "x", 1, NULL, NULL));
    g_assert_null(definition_load("demo.yaml", "", 0, NULL, NULL));
}

/* --- names and expressions -------------------------------------------------------------------- */

static void unknown_names_are_refused(void) {
    assert_refused("{call: users}", "{call: user}",
                   "demo.yaml:40:20: there is no call 'user'; did you mean 'users'?");
    assert_refused("for: user}\n      keys", "for: usr}\n      keys",
                   "demo.yaml:41:37: there is no read 'usr' to be done for");
    assert_refused("pass: .mfa", "pass: .mfas",
                   "demo.yaml:54:15: a row of this evidence does not see .mfas; did you mean "
                   ".mfa?");
    assert_refused("name: .user.name", "name: .usr.name",
                   "demo.yaml:44:13: row does not see .usr; did you mean .user?");
    assert_refused("      mfa: .profile", "      mfaa: .profile",
                   "demo.yaml:45:7: there is no declared field 'mfaa'; did you mean 'mfa'?");
    assert_refused("      mfa: .profile", "      mfaa: .profile",
                   "demo.yaml:44:7: the field 'mfa' is declared, but the row does not give it");
    assert_refused("\\(.total) users", "\\(.totals) users",
                   "demo.yaml:37:18: a text about the evidence does not see .totals; did you mean "
                   ".total?");
    assert_refused("count where .mfa", "count where .mfo",
                   "demo.yaml:49:35: a row of this evidence does not see .mfo; did you mean .mfa?");
    assert_refused("base_url: .settings.api_url", "base_url: .setings.api_url",
                   "demo.yaml:17:13: a value of all calls does not see .setings; did you mean "
                   ".settings?");
}

static void expressions_are_refused_where_they_stand(void) {
    assert_refused("pass: .mfa", "pass: .mfa // true",
                   "demo.yaml:54:15: '// true' turns false into true; compare with null instead");
    assert_refused("pass: .mfa", "pass: .age < 90",
                   "demo.yaml:54:15: .age may be null, and null is less than every number: "
                   "compare it with null first");
    g_autofree char *right = support_text(&(SupportParts){.head = NULL});
    g_autofree char *guarded = replaced(right, "pass: .mfa", "pass: .age != null and .age < 90");
    g_autoptr(Definition) definition =
        definition_load("demo.yaml", guarded, strlen(guarded), NULL, NULL);
    g_assert_nonnull(definition);
    static const char *const hostile[] = {"env.HOME",       "$ENV",  "input",
                                          "debug",          "halt",  "import \\\"x\\\" as $x; .",
                                          "input_filename", "(.mfa", "get_search_list"};
    for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autofree char *pass = g_strdup_printf("pass: \"%s\"", hostile[i]);
        g_autofree char *text = replaced(right, "pass: .mfa", pass);
        g_autoptr(GError) error = NULL;
        g_assert_null(definition_load("demo.yaml", text, strlen(text), NULL, &error));
        g_assert_true(g_str_has_prefix(error->message, "demo.yaml:54:15: "));
    }
}

static void response_rules_are_checked(void) {
    static const char *const rules[][2] = {
        {"{status: 404}", "calls.me.responses[0] lacks the key 'is'"},
        {"{is: absent}", "a response rule needs a status, a code or a when"},
        {"{status: 99, is: absent}",
         "calls.me.responses[0].status: found '99', expected a status such as 403 or 5xx"},
        {"{status: 404, is: abssent}",
         "calls.me.responses[0].is: found 'abssent', expected ok, absent, forbidden, unlicensed, "
         "auth_expired, rate_limited, unavailable, timeout, bad_request or invalid"},
        {"{status: 404, is: absent, wait: 3s}", "only rate_limited and unavailable may wait"},
        {"{status: 404, is: absent, then: not_applicable}", "'then' belongs to unlicensed"},
        {"{when: '.headers[\"Retry-After\"] != null', is: rate_limited}",
         "write the header 'Retry-After' in lower case"},
        {"{when: '.headers | length > 1', is: rate_limited}",
         "name each header, as in .headers[\"retry-after\"]"},
        {"{when: '.head == 1', is: rate_limited}",
         "a response rule does not see .head, only .status, .headers, .body"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autofree char *right = support_text(&(SupportParts){.head = NULL});
        g_autofree char *to = g_strdup_printf("{get: /me, responses: [%s]}", rules[i][0]);
        g_autofree char *wrong = replaced(right, "{get: /me}", to);
        g_autoptr(GError) error = NULL;
        g_assert_null(definition_load("demo.yaml", wrong, strlen(wrong), NULL, &error));
        g_assert_nonnull(strstr(error->message, rules[i][1]));
        g_assert_true(g_str_has_prefix(error->message, "demo.yaml:21:"));
    }
}

static void paging_is_checked(void) {
    static const char *const pages[][2] = {
        {"{style: token}", "paging of style token needs the key 'send'"},
        {"{style: link, from: .next}", "paging of style link has no key 'from'"},
        {"{style: token, from: .next, send: {query: c, body: d}}",
         "'send' needs either query or body"},
        {"{style: token, from: .next, send: {body: c}}",
         "a cursor in the body needs a post with json"},
        {"{style: page, send: {query: page}}", "paging of style page needs the key 'size'"},
        {"{style: token, from: .next, send: {variable: c}}",
         "calls.users.page.send.variable is not supported in this version"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
        g_autofree char *right = support_text(&(SupportParts){.head = NULL});
        g_autofree char *to = g_strdup_printf("query: {size: 100}\n    page: %s", pages[i][0]);
        g_autofree char *wrong = replaced(right, "query: {size: 100}", to);
        g_autoptr(Diagnostics) diagnostics = diagnostics_new("demo.yaml");
        g_assert_null(definition_load("demo.yaml", wrong, strlen(wrong), diagnostics, NULL));
        bool found = false;
        for (size_t k = 0; k < diagnostics_count(diagnostics); k++)
            found |= strstr(diagnostics_get(diagnostics, k)->text, pages[i][1]) != NULL;
        g_assert_true(found);
    }
}

/* --- read graphs ------------------------------------------------------------------------------ */

static void read_graphs_without_sense_are_refused(void) {
    assert_refused("user: {call: users}", "user: {call: users, for: profile}",
                   "demo.yaml:40:7: the read 'user' depends on itself through 'for' or "
                   "'once_per'");
    assert_refused("{call: profile, for: user}", "{call: profile}",
                   "demo.yaml:41:7: the call 'profile' looks at .user, which is not above "
                   "'profile' in the read graph");
    assert_refused("profile: {call: profile, for: user}",
                   "profile: {call: keys, for: user}\n      more: {call: keys, for: user}",
                   "demo.yaml:36:5: several reads give rows: say which with 'row_of'");
    assert_refused("    row:\n",
                   "      more: {call: keys, for: user}\n    row_of: user\n    row:\n",
                   "demo.yaml:43:13: the read 'more' would multiply the rows: collect or fold it");
    assert_refused("{call: keys, for: user, fold: {total: count}}",
                   "{call: keys, for: user, collect: 9, fold: {total: count}}",
                   "demo.yaml:42:55: a read is either collected or folded");
    assert_refused("{call: profile, for: user}", "{call: profile, for: user, collect: 5}",
                   "demo.yaml:41:16: the call 'profile' has no rows to collect or fold");
    assert_refused("{call: profile, for: user}", "{call: profile, for: keys}",
                   "demo.yaml:41:7: 'keys' is collected or folded, it has no rows to read for");
    assert_refused("user: {call: users}", "person: {call: users}",
                   "demo.yaml:41:37: there is no read 'user' to be done for");
    assert_refused("    row:\n", "    row_of: keys\n    row:\n",
                   "demo.yaml:43:13: 'keys' is collected or folded, it gives no rows");
    assert_refused("{total: count}}\n", "{total: sum}}\n",
                   "demo.yaml:42:51: Summary member total: The expression is empty.");
}

static void a_call_sees_only_what_is_above_it(void) {
    g_autofree char *text = support_text(&(SupportParts){.head = NULL});
    g_autofree char *renamed = replaced(text, "user: {call: users}", "person: {call: users}");
    g_autofree char *one = replaced(renamed, "for: user}\n", "for: person}\n");
    g_autofree char *two = replaced(one, "for: user,", "for: person,");
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("demo.yaml");
    g_assert_null(definition_load("demo.yaml", two, strlen(two), diagnostics, NULL));
    g_assert_cmpstr(diagnostics_get(diagnostics, 0)->text, ==,
                    "demo.yaml:41:7: the call 'profile' looks at .user, which is not above "
                    "'profile' in the read graph");
}

static void the_innermost_list_gives_the_rows(void) {
    g_autofree char *text = support_text(&(SupportParts){.head = NULL});
    g_autofree char *list = replaced(text, "keys: {call: keys, for: user, fold: {total: count}}",
                                     "keys: {call: keys, for: user}");
    g_autofree char *fixed = replaced(list, "      profile: {call: profile, for: user}\n", "");
    g_autofree char *row = replaced(fixed, "mfa: .profile.mfa", "mfa: .user.mfa");
    g_autofree char *age = replaced(row, "age: .profile.age", "age: .user.age");
    g_autofree char *keys = replaced(age, "keys: .keys.total", "keys: .keys.id");
    g_autoptr(GError) error = NULL;
    g_autoptr(Definition) definition =
        definition_load("demo.yaml", keys, strlen(keys), NULL, &error);
    g_assert_no_error(error);
    const EvidenceType *type = definition_type(definition, "users");
    g_assert_cmpstr(type->nodes[type->row_of].name, ==, "keys");
    /* The whole chain matters to every check: a list cut short hides rows. */
    g_assert_cmpuint(type->checks[0].nodes, ==, 3);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void several_errors_are_reported_together(void) {
    g_autofree char *right = support_text(&(SupportParts){.head = NULL});
    g_autofree char *one = replaced(right, "pass: .mfa", "pass: .mfx");
    g_autofree char *two = replaced(one, "category: devops", "category: ops");
    g_autofree char *three =
        replaced(two, "{call: profile, for: user}", "{call: profle, for: user}");
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("demo.yaml");
    g_autoptr(GError) error = NULL;
    g_assert_null(definition_load("demo.yaml", three, strlen(three), diagnostics, &error));
    g_assert_cmpuint(diagnostics_errors(diagnostics), ==, 2);
    g_assert_nonnull(strstr(error->message, "(and 1 more)"));
}

static void names_are_unique_where_they_must_be(void) {
    assert_refused("fields: {access_token", "fields: {team",
                   "demo.yaml:15:14: 'team' is also the name of a setting");
    assert_refused("  team: {", "  allow_private: {",
                   "demo.yaml:9:3: 'allow_private' is a setting of Assay itself");
    assert_refused("secret: true", "secret: false",
                   "demo.yaml:13:5: the scheme bearer needs exactly one field with 'secret: "
                   "true'");
    assert_refused("default: 'https://api.demo.test'", "default: 'api.demo.test'",
                   "demo.yaml:10:38: the default does not fit: API URL (api_url) is not valid: "
                   "expected a URL such as https://example.com, without query");
    assert_refused("pattern: '[a-z/ ?]+'", "pattern: '[a-z'",
                   "demo.yaml:9:32: the pattern is not a regular expression");
    assert_refused("summary: {total: count,", "summary: {details: count,",
                   "demo.yaml:49:24: 'details' is where the rows are, choose another name");
}

static size_t count_warnings(const Diagnostics *diagnostics, const char *text) {
    size_t count = 0;
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++)
        count += strstr(diagnostics_get(diagnostics, i)->text, text) != NULL ? 1 : 0;
    return count;
}

static bool only_cc61(void *data, const char *framework, const char *control) {
    (void)data;
    return strcmp(framework, "soc2") == 0 && strcmp(control, "CC6.2") == 0;
}

static void what_is_probably_a_mistake_is_warned_about(void) {
    g_autofree char *text = support_text(&(SupportParts){.head = NULL});
    g_autofree char *bare = replaced(text, "    needs: {scope: [keys]}\n", "");
    g_autofree char *host =
        replaced(bare, "default: 'https://api.demo.test'", "default: 'https://eu.demo.test'");
    g_autoptr(Definition) definition = definition_load("demo.yaml", host, strlen(host), NULL, NULL);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("demo.yaml");
    int64_t checked;
    g_assert_true(clock_parse("2027-06-01", &checked));
    clock_freeze(checked);
    definition_check(definition, only_cc61, NULL, diagnostics);
    clock_thaw();
    g_assert_cmpuint(diagnostics_errors(diagnostics), ==, 0);
    g_assert_cmpuint(count_warnings(diagnostics, "'keys' does not say which permissions"), ==, 1);
    g_assert_cmpuint(count_warnings(diagnostics, "nothing uses the call 'me'"), ==, 1);
    g_assert_cmpuint(count_warnings(diagnostics, "checked 193 days ago"), ==, 1);
    g_assert_cmpuint(count_warnings(diagnostics, "eu.demo.test"), ==, 1);
    g_assert_cmpuint(count_warnings(diagnostics, "'soc2' with a control 'CC6.1'"), ==, 1);
    g_assert_cmpuint(diagnostics_count(diagnostics), ==, 5);
}

static void the_full_check_compiles_every_expression(void) {
    g_autofree char *text = support_text(&(SupportParts){.head = NULL});
    g_autofree char *wrong = replaced(text, "pass: .mfa", "pass: .mfa and and .mfa");
    g_autoptr(Definition) definition =
        definition_load("demo.yaml", wrong, strlen(wrong), NULL, NULL);
    g_assert_nonnull(definition);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("demo.yaml");
    definition_check(definition, NULL, NULL, diagnostics);
    g_assert_cmpuint(diagnostics_errors(diagnostics), ==, 1);
    g_assert_true(g_str_has_prefix(diagnostics_get(diagnostics, 0)->text, "demo.yaml:54:15: "));
}

/* Whatever is cut off or changed in a byte must never do more than give an error. */
static void damaged_definitions_are_refused_or_right_but_never_crash(void) {
    g_autofree char *text = support_text(&(SupportParts){.head = NULL});
    size_t size = strlen(text);
    size_t right = 0;
    for (size_t cut = 0; cut < size; cut += 7) {
        g_autoptr(Definition) definition = definition_load("demo.yaml", text, cut, NULL, NULL);
        right += definition != NULL ? 1 : 0;
    }
    g_assert_cmpuint(right, <=, 6); /* what is cut off at the end is optional */
    static const char bytes[] = "{}[]:,'\"\\\n#|&*!. x";
    for (size_t i = 0; i < size; i += 5) {
        g_autofree char *damaged = g_strdup(text);
        damaged[i] = bytes[i % (sizeof(bytes) - 1)];
        g_autoptr(Definition) definition = definition_load("demo.yaml", damaged, size, NULL, NULL);
        if (definition != NULL)
            g_assert_cmpuint(definition->type_count, ==, 1);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/definition/" #name, name)
    TEST(a_right_definition_becomes_its_model);
    TEST(settings_end_with_those_of_the_engine);
    TEST(inputs_are_held_against_type_format_and_pattern);
    TEST(messages_about_a_secret_do_not_hold_it);
    TEST(read_nodes_come_parents_first_and_fields_know_their_reads);
    TEST(a_row_may_be_one_expression);
    TEST(needs_are_gathered_without_doubles);
    TEST(a_definition_lives_as_long_as_its_last_reference);
    TEST(a_misspelt_key_is_named_at_every_level);
    TEST(known_but_unsupported_parts_say_so);
    TEST(wrong_types_and_words_are_named);
    TEST(whole_sections_may_not_be_missing);
    TEST(unknown_names_are_refused);
    TEST(expressions_are_refused_where_they_stand);
    TEST(response_rules_are_checked);
    TEST(paging_is_checked);
    TEST(read_graphs_without_sense_are_refused);
    TEST(a_call_sees_only_what_is_above_it);
    TEST(the_innermost_list_gives_the_rows);
    TEST(several_errors_are_reported_together);
    TEST(names_are_unique_where_they_must_be);
    TEST(what_is_probably_a_mistake_is_warned_about);
    TEST(the_full_check_compiles_every_expression);
    TEST(damaged_definitions_are_refused_or_right_but_never_crash);
    return g_test_run();
}
