/* The parts of a definition one by one: ways to sign in, limits, paging, webhooks, schedule. */
#include "provider/definition_load.h"
#include "provider_support.h"

/* Loads parts that are wrong: the first error is this. */
static void assert_wrong(const SupportParts *parts, const char *message) {
    g_autofree char *text = support_text(parts);
    g_autoptr(GError) error = NULL;
    g_autoptr(Definition) definition =
        definition_load("demo.yaml", text, strlen(text), NULL, &error);
    g_assert_null(definition);
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    if (strcmp(error->message, message) == 0)
        return;
    g_test_message("expected: %s", message);
    g_test_message("found:    %s", error->message);
    g_test_fail();
}

#define TOKEN_FIELD "    fields: {access_token: {label: Token, secret: true}}\n"

/* --- settings --------------------------------------------------------------------------------- */

static void settings_keep_their_order_types_and_defaults(void) {
    static const char settings[] =
        "settings:\n"
        "  team: {label: Team}\n"
        "  regions: {label: Regions, type: list, default: 'eu,us', help: Where}\n"
        "  deep: {label: Deep, type: bool, default: 'true', advanced: true}\n"
        "  depth: {label: Depth, type: int, default: 3}\n"
        "  tenant: {label: Tenant, format: uuid, optional: true}\n"
        "  contact: {label: Contact, format: email, optional: true}\n"
        "  server: {label: Server, format: host, optional: true}\n"
        "  api_url: {label: API URL, default: 'https://api.demo.test', format: url}\n";
    g_autoptr(Definition) definition = support_load(&(SupportParts){.settings = settings});
    g_assert_cmpuint(definition->setting_count, ==, 10);
    const DefinitionInput *regions = &definition->settings[1];
    g_assert_cmpstr(regions->name, ==, "regions");
    g_assert_cmpint(regions->type, ==, INPUT_LIST);
    g_assert_cmpstr(regions->fallback, ==, "eu,us");
    g_assert_cmpstr(regions->help, ==, "Where");
    g_assert_true(regions->optional);
    g_assert_true(definition->settings[2].advanced);
    static const struct {
        const char *name;
        const char *text;
        bool fits;
    } cases[] = {
        {"depth", "12", true},
        {"depth", "-12", true},
        {"depth", "1.5", false},
        {"depth", "99999999999999999999", false},
        {"deep", "false", true},
        {"deep", "False", false},
        {"tenant", "2d7a2b3c-0000-4000-8000-123456789abc", true},
        {"tenant", "2d7a2b3c", false},
        {"contact", "a@b.test", true},
        {"contact", "a@b@c", false},
        {"contact", "@b", false},
        {"contact", "a b@c.test", false},
        {"server", "ghe.acme.test", true},
        {"server", "https://ghe.acme.test", false},
        {"server", "ghe.acme.test:8443", false},
        {"server", "", true},
        {"team", "", false},
        {"team", "\xff", false},
        {"endpoint_url", "http://127.0.0.1:8099", true},
        {"endpoint_url", "127.0.0.1", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const DefinitionInput *input = definition_setting(definition, cases[i].name);
        g_assert_nonnull(input);
        g_autoptr(GError) error = NULL;
        g_assert_cmpint(input_check(input, cases[i].text, &error), ==, cases[i].fits);
    }
}

static void a_value_that_is_too_long_is_refused(void) {
    g_autoptr(Definition) definition = support_load(&(SupportParts){.head = NULL});
    g_autofree char *endless = g_strnfill(65 * 1024, 'a');
    g_autoptr(GError) error = NULL;
    g_assert_false(input_check(definition_setting(definition, "team"), endless, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
}

static void discovery_needs_a_call_with_rows(void) {
    static const char by_list[] =
        "settings:\n"
        "  team: {label: Team, discover: {call: users, value: .id, label: .name}}\n"
        "  api_url: {label: API URL, default: 'https://api.demo.test', format: url}\n";
    g_autoptr(Definition) definition = support_load(&(SupportParts){.settings = by_list});
    const DefinitionInput *team = definition_setting(definition, "team");
    g_assert_cmpint(team->discover_call, ==, (int)definition_call(definition, "users")->index);
    g_assert_cmpstr(expr_source(team->discover_value), ==, ".id");
    g_assert_cmpstr(expr_source(team->discover_label), ==, ".name");
    assert_wrong(&(SupportParts){.settings =
                                     "settings:\n"
                                     "  team: {label: T, discover: {call: me, value: .}}\n"},
                 "demo.yaml:9:37: the call 'me' has no rows to choose from");
    assert_wrong(&(SupportParts){.settings =
                                     "settings:\n"
                                     "  team: {label: T, discover: {call: no, value: .}}\n"},
                 "demo.yaml:9:37: there is no call 'no'");
}

/* --- ways to sign in -------------------------------------------------------------------------- */

static void all_schemes_are_read_and_some_are_supported(void) {
    static const char auth[] =
        "auth:\n"
        "  token:\n    label: Token\n    scheme: bearer\n" TOKEN_FIELD
        "  key:\n    label: Key\n    scheme: header\n    header: X-Key\n    prefix: 'Key '\n"
        "    fields: {api_key: {label: Key, secret: true}}\n"
        "  query:\n    label: Query\n    scheme: query\n    parameter: key\n"
        "    fields: {api_key: {label: Key, secret: true}}\n"
        "  user:\n    label: User\n    scheme: basic\n"
        "    fields: {user: {label: User}, password: {label: Password, secret: true}}\n"
        "  oauth:\n    label: OAuth\n    scheme: oauth2\n    help: Best\n"
        "    authorize_url: https://demo.test/authorize\n    token_url: https://demo.test/token\n"
        "    revoke_url: https://demo.test/revoke\n    pkce: true\n    rotation: single_use\n"
        "    scopes: {read: [a, b], full: [c]}\n    lifetime: 1h\n    idle_expiry: 30d\n"
        "    absolute_expiry: 365d\n    permanent_errors: [invalid_grant]\n"
        "    lost_answer: {retry_within: 10m}\n"
        "  machine:\n    label: Machine\n    scheme: client_credentials\n"
        "    token_url: https://demo.test/token\n    lost_answer: reconnect\n"
        "    fields: {client_id: {label: Id}, client_secret: {label: Secret, secret: true}}\n"
        "  old:\n    label: Old\n    scheme: oauth1\n"
        "  app:\n    label: App\n    scheme: github_app\n"
        "  google:\n    label: Google\n    scheme: google_account\n"
        "  keys:\n    label: Keys\n    scheme: aws_keys\n"
        "    fields: {access_key_id: {label: Key}, secret_access_key: {label: S, secret: true}}\n"
        "  role:\n    label: Role\n    scheme: aws_role\n"
        "    fields: {role_arn: {label: Role}, external_id: {label: Id}}\n";
    g_autoptr(Definition) definition = support_load(&(SupportParts){.auth = auth});
    g_assert_cmpuint(definition->auth_count, ==, 11);
    for (size_t i = 0; i < definition->auth_count; i++)
        g_assert_cmpint(definition->auth[i].supported, ==, i == 0 || i >= 9);
    const DefinitionAuth *key = definition_auth(definition, "key");
    g_assert_cmpstr(key->header, ==, "X-Key");
    g_assert_cmpstr(key->prefix, ==, "Key ");
    const DefinitionAuth *oauth = definition_auth(definition, "oauth");
    g_assert_cmpint(oauth->scheme, ==, SCHEME_OAUTH2);
    g_assert_true(oauth->pkce);
    g_assert_cmpstr(oauth->rotation, ==, "single_use");
    g_assert_cmpuint(oauth->scope_count, ==, 2);
    g_assert_cmpstr(oauth->scopes[0].name, ==, "read");
    g_assert_cmpuint(oauth->scopes[0].count, ==, 2);
    g_assert_cmpstr(oauth->scopes[0].scopes[1], ==, "b");
    g_assert_cmpstr(oauth->revoke_url, ==, "https://demo.test/revoke");
    const DefinitionAuth *user = definition_auth(definition, "user");
    g_assert_false(auth_field(user, "user")->secret);
    g_assert_true(auth_field(user, "password")->secret);
    g_assert_null(auth_field(user, "nothing"));
}

static void schemes_say_what_they_cannot_do_without(void) {
    static const struct {
        const char *method;
        const char *message;
    } cases[] = {
        {"    scheme: header\n" TOKEN_FIELD,
         "demo.yaml:13:5: the scheme header needs the key 'header'"},
        {"    scheme: query\n" TOKEN_FIELD,
         "demo.yaml:13:5: the scheme query needs the key 'parameter'"},
        {"    scheme: oauth2\n    authorize_url: https://a.test/x\n",
         "demo.yaml:13:5: the scheme oauth2 needs the key 'token_url'"},
        {"    scheme: client_credentials\n",
         "demo.yaml:13:5: the scheme client_credentials needs the key 'token_url'"},
        {"    scheme: bearer\n",
         "demo.yaml:13:5: the scheme bearer needs exactly one field with 'secret: true'"},
        {"    scheme: bearer\n    fields: {a: {label: A, secret: true}, b: {label: B, secret: "
         "true}}\n",
         "demo.yaml:13:5: the scheme bearer needs exactly one field with 'secret: true'"},
        {"    scheme: oauth2\n    authorize_url: http://a.test/x\n    token_url: "
         "https://a.test/x\n",
         "demo.yaml:15:20: auth.token.authorize_url: found 'http://a.test/x', expected an https:// "
         "URL"},
        {"    scheme: bearer\n    rotation: maybe\n" TOKEN_FIELD,
         "demo.yaml:15:15: auth.token.rotation: found 'maybe', expected one of none, replace, "
         "single_use"},
        {"    scheme: bearer\n    lost_answer: retry\n" TOKEN_FIELD,
         "demo.yaml:15:18: auth.token.lost_answer: found 'retry', expected one of reconnect"},
        {"    scheme: bearer\n    lifetime: long\n" TOKEN_FIELD,
         "demo.yaml:15:15: auth.token.lifetime: found 'long', expected a duration such as 30d, 4h "
         "or 60s"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *auth =
            g_strdup_printf("auth:\n  token:\n    label: Token\n%s", cases[i].method);
        assert_wrong(&(SupportParts){.auth = auth}, cases[i].message);
    }
    assert_wrong(&(SupportParts){.auth = "auth: {}\n"},
                 "demo.yaml:11:7: a provider needs at least one way to sign in");
}

static void some_host_must_be_named(void) {
    static const char head[] = "assay: 1\nid: demo\nname: Demo\ncategory: devops\nsummary: S\n"
                               "checked: 2026-11-20\n";
    assert_wrong(&(SupportParts){.head = head, .settings = "settings:\n  team: {label: Team}\n"},
                 "demo.yaml:8:3: name the hosts that may be called, in 'hosts' or as a setting of "
                 "format host or url");
}

/* --- limits ----------------------------------------------------------------------------------- */

static void limits_become_budgets(void) {
    static const char http[] =
        "http:\n"
        "  base_url: .settings.api_url\n"
        "  limits:\n"
        "    - {scope: [connection, region], rate: 50/1m, burst: 10, concurrency: 4}\n"
        "    - scope: [app]\n"
        "      quota: 5000/1h\n"
        "      headers:\n"
        "        limit: X-Limit\n"
        "        remaining: {header: X-Used, unit: used/size}\n"
        "        reset: {header: X-Reset, unit: iso8601}\n";
    g_autoptr(Definition) definition = support_load(&(SupportParts){.http = http});
    g_assert_cmpuint(definition->limit_count, ==, 2);
    const DefinitionLimit *rate = &definition->limits[0];
    g_assert_cmpuint(rate->scope, ==, LIMIT_CONNECTION | LIMIT_REGION);
    g_assert_cmpint(rate->rate_count, ==, 50);
    g_assert_cmpint(rate->rate_window_ms, ==, 60000);
    g_assert_cmpint(rate->rate_burst, ==, 10);
    g_assert_cmpint(rate->concurrency, ==, 4);
    g_assert_cmpint(rate->quota_count, ==, 0);
    g_assert_null(rate->limit.header);
    const DefinitionLimit *quota = &definition->limits[1];
    g_assert_cmpuint(quota->scope, ==, LIMIT_APP);
    g_assert_cmpint(quota->quota_count, ==, 5000);
    g_assert_cmpint(quota->quota_window_ms, ==, 3600000);
    g_assert_cmpstr(quota->limit.header, ==, "x-limit");
    g_assert_cmpint(quota->limit.unit, ==, UNIT_COUNT);
    g_assert_cmpint(quota->remaining.unit, ==, UNIT_USED_SIZE);
    g_assert_cmpint(quota->reset.unit, ==, UNIT_ISO8601);
}

static void limits_without_sense_are_refused(void) {
    static const struct {
        const char *limit;
        const char *message;
    } cases[] = {
        {"{scope: [connection]}",
         "demo.yaml:18:12: a limit needs a rate, a quota or a concurrency"},
        {"{rate: 5/1s}", "demo.yaml:18:12: http.limits[0] lacks the key 'scope'"},
        {"{scope: [planet], rate: 5/1s}",
         "demo.yaml:18:21: http.limits[0].scope[0]: found 'planet', expected one of connection, "
         "app, user, region, service"},
        {"{scope: [app], rate: 5/1s, burst: 6}",
         "demo.yaml:18:46: a burst must be within the rate"},
        {"{scope: [app], rate: 5}",
         "demo.yaml:18:33: http.limits[0].rate: found '5', expected calls per time, such as "
         "5000/1h"},
        {"{scope: [app], rate: 0/1s}",
         "demo.yaml:18:33: http.limits[0].rate: found '0/1s', expected calls per time, such as "
         "5000/1h"},
        {"{scope: [app], rate: -5/1s}",
         "demo.yaml:18:33: http.limits[0].rate: found '-5/1s', expected calls per time, such as "
         "5000/1h"},
        {"{scope: [app], quota: 9999999999/1s}",
         "demo.yaml:18:34: http.limits[0].quota: found '9999999999/1s', expected calls per time, "
         "such as 5000/1h"},
        {"{scope: [app], quota: 5/0s}",
         "demo.yaml:18:34: http.limits[0].quota: found '5/0s', expected calls per time, such as "
         "5000/1h"},
        {"{scope: [app], quota: 5/1h, headers: {reset: x-reset}}",
         "demo.yaml:18:57: http.limits[0].headers.reset: found 'x-reset', expected a map with "
         "header and unit"},
        {"{scope: [app], quota: 5/1h, headers: {reset: {header: x, unit: minutes}}}",
         "demo.yaml:18:75: http.limits[0].headers.reset.unit: found 'minutes', expected one of s, "
         "ms, epoch_s, epoch_ms, iso8601, used/size"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *http = g_strdup_printf(
            "http:\n  base_url: .settings.api_url\n  limits: [%s]\n", cases[i].limit);
        g_autofree char *text = support_text(&(SupportParts){.http = http});
        g_autoptr(GError) error = NULL;
        g_assert_null(definition_load("demo.yaml", text, strlen(text), NULL, &error));
        const char *core = cases[i].message;
        if (g_str_has_prefix(error->message, core))
            continue;
        g_test_message("expected: %s", core);
        g_test_message("found:    %s", error->message);
        g_test_fail();
    }
}

/* --- calls and paging ------------------------------------------------------------------------- */

static void calls_take_the_paging_of_http_unless_they_say_otherwise(void) {
    static const char calls[] =
        "calls:\n"
        "  users: {get: /users, rows: .}\n"
        "  keys: {get: '/users/\\(.user.id)/keys', rows: '.data.items[]', page: none}\n"
        "  profile: {get: '/users/\\(.user.id)/profile'}\n"
        "  search:\n"
        "    post: /search\n"
        "    json: '{q: .settings.team}'\n"
        "    rows: .hits\n"
        "    page: {style: token, from: .next, until: .done, send: {body: cursor}, max_pages: 7,\n"
        "           max_rows: 8, max_bytes: 9}\n"
        "  pages: {get: /p, rows: ., page: {style: page, send: {query: p, size: n}, size: 20,\n"
        "          first: 0}}\n";
    g_autoptr(Definition) definition = support_load(&(SupportParts){.calls = calls});
    const DefinitionCall *users = definition_call(definition, "users");
    g_assert_cmpint(users->page->style, ==, PAGE_LINK);
    const DefinitionCall *keys = definition_call(definition, "keys");
    g_assert_null(keys->page);
    g_assert_cmpstr(value_path_text(keys->rows), ==, ".data.items");
    g_assert_null(definition_call(definition, "profile")->page);
    const DefinitionCall *search = definition_call(definition, "search");
    g_assert_true(search->post);
    g_assert_cmpstr(expr_source(search->json), ==, "{q: .settings.team}");
    g_assert_cmpint(search->page->send, ==, SEND_BODY);
    g_assert_cmpstr(search->page->name, ==, "cursor");
    g_assert_cmpint(search->page->max_pages, ==, 7);
    g_assert_cmpint(search->page->max_rows, ==, 8);
    g_assert_cmpint(search->page->max_bytes, ==, 9);
    const DefinitionCall *pages = definition_call(definition, "pages");
    g_assert_cmpint(pages->page->first, ==, 0);
    g_assert_cmpint(pages->page->size, ==, 20);
    g_assert_cmpstr(pages->page->size_name, ==, "n");
}

static void calls_without_sense_are_refused(void) {
    static const struct {
        const char *call;
        const char *message;
    } cases[] = {
        {"{rows: .}", "demo.yaml:21:6: the call 'x' needs either get or post"},
        {"{get: /a, post: /b}", "demo.yaml:21:6: the call 'x' needs either get or post"},
        {"{get: /a, json: '{}'}", "demo.yaml:21:22: only a post has a body"},
        {"{get: //evil.test/a}",
         "demo.yaml:21:12: calls.x.get: found '//evil.test/a', expected a path that begins with "
         "one /"},
        {"{get: /a, page: {style: link}}",
         "demo.yaml:21:22: paging needs 'rows', which says where a page's rows are"},
        {"{get: /a, rows: '.a | .b'}",
         "demo.yaml:21:22: rows must be a plain path such as . or .items[]: "},
        {"{get: /a, rows: '.[] | select(.x)'}",
         "demo.yaml:21:22: rows must be a plain path such as . or .items[]: "},
        {"{get: /a, query: {q: '\\(.b'}}", "demo.yaml:21:27: "},
        {"{get: '/a b'}", "demo.yaml:21:12: "},
        {"{get: /a, rows: ., keep: ['.a | map(.b)']}", "demo.yaml:21:31: "},
        {"{get: /a, redact: ['$.a']}", "demo.yaml:21:24: "},
        {"{get: /a, needs: [admin]}",
         "demo.yaml:21:23: calls.x.needs: found a list, expected a map of lists"},
        {"{get: /a, rows: ., page: {style: cursor}}",
         "demo.yaml:21:39: calls.x.page.style: found 'cursor', expected one of none, link, token, "
         "next_url, page, offset"},
        {"{get: /a, rows: ., page: {style: link, max_pages: 0}}",
         "demo.yaml:21:56: calls.x.page.max_pages: found '0', expected a whole number from 1"},
        {"{get: '/\\(env.HOME)'}", "demo.yaml:21:12: "},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *calls = g_strdup_printf("calls:\n  x: %s\n  users: {get: /u, rows: .}\n"
                                                 "  keys: {get: '/\\(.user.id)/k', rows: .}\n"
                                                 "  profile: {get: '/\\(.user.id)'}\n",
                                                 cases[i].call);
        g_autofree char *text = support_text(&(SupportParts){.calls = calls});
        g_autoptr(GError) error = NULL;
        g_assert_null(definition_load("demo.yaml", text, strlen(text), NULL, &error));
        if (g_str_has_prefix(error->message, cases[i].message))
            continue;
        g_test_message("expected: %s", cases[i].message);
        g_test_message("found:    %s", error->message);
        g_test_fail();
    }
}

static void response_rules_are_read_with_all_they_say(void) {
    static const char http[] =
        "http:\n"
        "  base_url: .settings.api_url\n"
        "  responses:\n"
        "    - {status: [403, 5xx], when: '.headers[\"x-a\"] != null and .headers.age == \"1\"',\n"
        "       is: rate_limited, until: {header: X-Reset, unit: epoch_ms}, wait: 90s}\n"
        "    - {status: 402, is: unlicensed, then: could_not_read}\n"
        "    - {when: '.body.ok | not', is: invalid}\n";
    g_autoptr(Definition) definition = support_load(&(SupportParts){.http = http});
    g_assert_cmpuint(definition->response_count, ==, 3);
    const ResponseRule *limited = &definition->responses[0];
    g_assert_cmpuint(limited->status_count, ==, 2);
    g_assert_cmpuint(limited->statuses[1].low, ==, 500);
    g_assert_cmpuint(limited->statuses[1].high, ==, 599);
    g_assert_cmpuint(limited->header_count, ==, 2);
    g_assert_false(limited->when_body);
    g_assert_cmpstr(limited->until.header, ==, "x-reset");
    g_assert_cmpint(limited->wait_ms, ==, 90000);
    g_assert_cmpint(definition->responses[1].then, ==, THEN_COULD_NOT_READ);
    g_assert_true(definition->responses[2].when_body);
    g_assert_cmpint(definition->responses[2].is, ==, OUTCOME_BROKEN);
    g_assert_cmpuint(definition->responses[2].status_count, ==, 0);
}

/* --- identity, webhooks, schedule ------------------------------------------------------------- */

static void identity_names_calls_that_stand_alone(void) {
    static const char identity[] = "identity:\n  call: me\n"
                                   "  reply: {user: .login, accountId: .id, arn: .arn}\n"
                                   "  organizations: {call: users, value: .name}\n";
    g_autoptr(Definition) definition = support_load(&(SupportParts){.identity = identity});
    g_assert_cmpstr(definition->identity.call->name, ==, "me");
    g_assert_cmpstr(expr_source(definition->identity.account_id), ==, ".id");
    g_assert_cmpstr(definition->identity.organizations_call->name, ==, "users");
    assert_wrong(&(SupportParts){.identity = "identity: {call: mee, reply: {user: .a}}\n"},
                 "demo.yaml:20:18: there is no call 'mee'");
    assert_wrong(&(SupportParts){.identity = "identity: {call: profile, reply: {user: .a}}\n"},
                 "demo.yaml:20:18: the call 'profile' looks at rows, here there are none");
    assert_wrong(&(SupportParts){.identity = "identity: {call: me, reply: {usr: .a}}\n"},
                 "demo.yaml:20:30: unknown key 'usr' in identity.reply; did you mean 'user'?");
    assert_wrong(&(SupportParts){.identity = "identity: {call: me, reply: {user: .a}, "
                                             "organizations: {call: me, value: .b}}\n"},
                 "demo.yaml:20:56: the call 'me' has no rows");
    assert_wrong(&(SupportParts){.identity = "identity: {call: me, reply: {organizations: .a}, "
                                             "organizations: {call: users, value: .b}}\n"},
                 "demo.yaml:20:65: organizations are given twice");
}

static void webhooks_name_the_evidence_they_refresh(void) {
    static const char rest[] = "webhooks:\n"
                               "  verify: {scheme: hmac_sha256, header: X-Sig, prefix: 'v0='}\n"
                               "  event: {header: X-Event}\n"
                               "  refresh: {changed: [users]}\n"
                               "actions: {}\n"
                               "schedule: {default: 6h, min: 2h, max: 12h}\n"
                               "setup: |\n  Do **this**.\n";
    g_autoptr(Definition) definition = support_load(&(SupportParts){.rest = rest});
    g_assert_cmpstr(definition->webhooks.scheme, ==, "hmac_sha256");
    g_assert_cmpstr(definition->webhooks.prefix, ==, "v0=");
    g_assert_cmpuint(definition->webhooks.refresh_count, ==, 1);
    g_assert_cmpstr(definition->webhooks.refresh[0].types[0]->name, ==, "users");
    g_assert_cmpint(definition->schedule_ms, ==, INT64_C(6) * 3600000);
    g_assert_cmpint(definition->schedule_min_ms, ==, INT64_C(2) * 3600000);
    g_assert_cmpstr(definition->setup, ==, "Do **this**.\n");
    static const char unknown[] = "webhooks:\n"
                                  "  verify: {scheme: hmac_sha256, header: X-Sig}\n"
                                  "  event: {header: X-Event}\n"
                                  "  refresh: {changed: [user]}\n";
    assert_wrong(&(SupportParts){.rest = unknown},
                 "demo.yaml:62:23: there is no evidence type 'user'");
    assert_wrong(&(SupportParts){.rest = "schedule: {default: 6h, max: 2h}\n"},
                 "demo.yaml:59:11: the default must lie between min and max");
}

static void a_definition_without_a_schedule_runs_daily(void) {
    g_autoptr(Definition) definition = support_load(&(SupportParts){.head = NULL});
    g_assert_cmpint(definition->schedule_ms, ==, INT64_C(24) * 3600000);
    g_assert_null(definition->webhooks.scheme);
    g_assert_null(definition->identity.call);
    g_assert_null(definition->setup);
    g_assert_cmpint(definition->types[0].valid_for_ms, ==, INT64_C(30) * 24 * 3600000);
}

static void the_hash_is_over_the_exact_bytes(void) {
    g_autofree char *text = support_text(&(SupportParts){.head = NULL});
    g_autofree char *spaced = g_strconcat(text, "\n", NULL);
    g_autoptr(Definition) first = definition_load("a", text, strlen(text), NULL, NULL);
    g_autoptr(Definition) second = definition_load("b", text, strlen(text), NULL, NULL);
    g_autoptr(Definition) other = definition_load("a", spaced, strlen(spaced), NULL, NULL);
    g_assert_cmpstr(first->sha256, ==, second->sha256);
    g_assert_cmpstr(first->sha256, !=, other->sha256);
    g_assert_cmpuint(first->text_size, ==, strlen(text));
    g_assert_cmpstr(first->text, ==, text);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/load/" #name, name)
    TEST(settings_keep_their_order_types_and_defaults);
    TEST(a_value_that_is_too_long_is_refused);
    TEST(discovery_needs_a_call_with_rows);
    TEST(all_schemes_are_read_and_some_are_supported);
    TEST(schemes_say_what_they_cannot_do_without);
    TEST(some_host_must_be_named);
    TEST(limits_become_budgets);
    TEST(limits_without_sense_are_refused);
    TEST(calls_take_the_paging_of_http_unless_they_say_otherwise);
    TEST(calls_without_sense_are_refused);
    TEST(response_rules_are_read_with_all_they_say);
    TEST(identity_names_calls_that_stand_alone);
    TEST(webhooks_name_the_evidence_they_refresh);
    TEST(a_definition_without_a_schedule_runs_daily);
    TEST(the_hash_is_over_the_exact_bytes);
    return g_test_run();
}
