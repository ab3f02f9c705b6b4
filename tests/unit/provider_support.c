#include "provider_support.h"

#include "provider/definition_load.h"

static const char head[] = "assay: 1\n"
                           "id: demo\n"
                           "name: Demo\n"
                           "category: devops\n"
                           "summary: A provider for tests\n"
                           "checked: 2026-11-20\n"
                           "hosts: [api.demo.test]\n";
static const char settings[] =
    "settings:\n"
    "  team: {label: Team, pattern: '[a-z/ ?]+'}\n"
    "  api_url: {label: API URL, default: 'https://api.demo.test', format: url}\n";
static const char auth[] = "auth:\n"
                           "  token:\n"
                           "    label: Token\n"
                           "    scheme: bearer\n"
                           "    fields: {access_token: {label: Token, secret: true}}\n";
static const char http[] = "http:\n"
                           "  base_url: .settings.api_url\n"
                           "  headers: {Accept: application/json}\n"
                           "  page: {style: link}\n";
static const char calls[] = "calls:\n"
                            "  me: {get: /me}\n"
                            "  users:\n"
                            "    get: /teams/\\(.settings.team)/users\n"
                            "    query: {size: 100}\n"
                            "    rows: .\n"
                            "    needs: {scope: [users]}\n"
                            "  keys:\n"
                            "    get: /users/\\(.user.id)/keys\n"
                            "    rows: .\n"
                            "    needs: {scope: [keys]}\n"
                            "  profile:\n"
                            "    get: /users/\\(.user.id)/profile\n"
                            "    needs: {scope: [users, profile]}\n";
static const char evidence[] = "evidence:\n"
                               "  users:\n"
                               "    title: Users\n"
                               "    description: \\(.total) users\n"
                               "    type: config\n"
                               "    read:\n"
                               "      user: {call: users}\n"
                               "      profile: {call: profile, for: user}\n"
                               "      keys: {call: keys, for: user, fold: {total: count}}\n"
                               "    row:\n"
                               "      name: .user.name\n"
                               "      mfa: .profile.mfa\n"
                               "      age: .profile.age\n"
                               "      keys: .keys.total\n"
                               "    fields: {name: string, mfa: bool, age: 'int?', keys: int}\n"
                               "    summary: {total: count, safe: count where .mfa}\n"
                               "    checks:\n"
                               "      mfa_on:\n"
                               "        title: MFA is on\n"
                               "        resource: .name\n"
                               "        pass: .mfa\n"
                               "        severity: high\n"
                               "        require: '>80%'\n"
                               "        remediation: Turn MFA on.\n"
                               "        controls: {soc2: [CC6.1]}\n";

static const char *or_default(const char *part, const char *fallback) {
    return part != NULL ? part : fallback;
}

char *support_text(const SupportParts *parts) {
    return g_strconcat(or_default(parts->head, head), or_default(parts->settings, settings),
                       or_default(parts->auth, auth), or_default(parts->http, http),
                       or_default(parts->identity, ""), or_default(parts->calls, calls),
                       or_default(parts->evidence, evidence), or_default(parts->rest, ""), NULL);
}

static Definition *load(const char *name, const char *text, size_t size) {
    GError *error = NULL;
    Definition *definition = definition_load(name, text, size, NULL, &error);
    g_assert_no_error(error);
    return definition;
}

Definition *support_load(const SupportParts *parts) {
    g_autofree char *text = support_text(parts);
    return load("demo.yaml", text, strlen(text));
}

Definition *support_github(void) {
    const char *source = g_getenv("ASSAY_SOURCE");
    g_autofree char *path =
        g_build_filename(source == NULL ? "." : source, "providers", "github.yaml", NULL);
    g_autofree char *text = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    return load("github.yaml", text, size);
}

Value support_value(const char *json) {
    Value value = VALUE_NONE;
    GError *error = NULL;
    g_assert_true(value_parse(json, strlen(json), &value, &error));
    g_assert_no_error(error);
    return value;
}
