/* What a run makes of recorded answers: rows in order, typed, counted, and honest about gaps. */
#include "unit/collect_support.h"

#include "base/error.h"

#include <string.h>

static const char definition[] =
    "assay: 1\n"
    "id: demo\n"
    "name: Demo\n"
    "category: devops\n"
    "summary: A provider for tests\n"
    "checked: 2026-11-20\n"
    "hosts: [api.demo.test]\n"
    "settings:\n"
    "  team: {label: Team, pattern: '[a-z]+'}\n"
    "  api_url: {label: API URL, default: 'https://api.demo.test', format: url}\n"
    "auth:\n"
    "  token:\n"
    "    label: Token\n"
    "    scheme: bearer\n"
    "    fields: {access_token: {label: Token, secret: true}}\n"
    "http:\n"
    "  base_url: .settings.api_url\n"
    "  page: {style: link}\n"
    "calls:\n"
    "  users:\n"
    "    get: /teams/\\(.settings.team)/users\n"
    "    rows: .\n"
    "    page: {style: link, max_pages: 5}\n"
    "    needs: {scope: [users]}\n"
    "  profile:\n"
    "    get: /users/\\(.user.id)/profile\n"
    "    needs: {scope: [profile]}\n"
    "    responses:\n"
    "      - {status: 404, when: .body.message == \"none\", is: absent}\n"
    "      - {status: 402, is: unlicensed, then: not_applicable}\n"
    "  keys:\n"
    "    get: /users/\\(.user.id)/keys\n"
    "    rows: .\n"
    "    needs: {scope: [keys]}\n"
    "    redact: ['.[].secret']\n"
    "  groups:\n"
    "    get: /users/\\(.user.id)/groups\n"
    "    rows: .\n"
    "    responses: [{status: 404, is: absent}]\n"
    "evidence:\n"
    "  users:\n"
    "    title: Users of \\(.settings.team)\n"
    "    description: \\(.total) users\n"
    "    type: config\n"
    "    metadata: '{team: .settings.team}'\n"
    "    read:\n"
    "      user: {call: users}\n"
    "      profile: {call: profile, for: user}\n"
    "      keys: {call: keys, for: user, fold: {total: count, old: count where .age > 90}}\n"
    "    row:\n"
    "      name: .user.name\n"
    "      mfa: .profile.mfa // false\n"
    "      keys: .keys.total\n"
    "      oldKeys: .keys.old\n"
    "    fields: {name: string, mfa: bool, keys: int, oldKeys: int}\n"
    "    summary: {total: count, safe: count where .mfa}\n"
    "    checks:\n"
    "      mfa_on:\n"
    "        title: MFA is on\n"
    "        resource: .name\n"
    "        pass: .mfa\n"
    "        severity: high\n"
    "        remediation: Turn MFA on.\n"
    "        controls: {soc2: [CC6.1]}\n"
    "  members:\n"
    "    title: Members\n"
    "    description: Members of groups\n"
    "    type: report\n"
    "    read:\n"
    "      user: {call: users}\n"
    "      group: {call: groups, for: user}\n"
    "    row: {user: .user.name, group: .group.name}\n"
    "    fields: {user: string, group: string}\n"
    "  names:\n"
    "    title: Names\n"
    "    description: Names in groups\n"
    "    type: report\n"
    "    read:\n"
    "      user: {call: users}\n"
    "      groups: {call: groups, for: user, collect: 2}\n"
    "    row: {user: .user.name, groups: '[.groups[].name]'}\n"
    "    fields: {user: string, groups: '[string]'}\n";

static const char *const users_only[] = {"users", NULL};
static const char *const members_only[] = {"members", NULL};
static const char *const names_only[] = {"names", NULL};

static void answer_user(Bench *bench, const char *id, const char *profile, const char *keys) {
    g_autofree char *profile_path = g_strdup_printf("/users/%s/profile", id);
    g_autofree char *keys_path = g_strdup_printf("/users/%s/keys", id);
    bench_answer(bench, profile_path, 200, NULL, profile);
    bench_answer(bench, keys_path, 200, NULL, keys);
}

static void answer_two_users(Bench *bench) {
    bench_answer(bench, "/teams/a/users", 200, NULL,
                 "[{\"id\":1,\"name\":\"ann\"},{\"id\":2,\"name\":\"bob\"}]");
    answer_user(bench, "1", "{\"mfa\":true}", "[{\"age\":1},{\"age\":100}]");
    answer_user(bench, "2", "{\"mfa\":false}", "[]");
}

static void rows_are_typed_counted_and_stored(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    answer_two_users(bench);
    bench_run(bench, users_only);
    g_autofree char *data = bench_data(bench, 0);
    g_assert_cmpstr(data, ==,
                    "{\"details\":[{\"keys\":2,\"mfa\":true,\"name\":\"ann\",\"oldKeys\":1},"
                    "{\"keys\":0,\"mfa\":false,\"name\":\"bob\",\"oldKeys\":0}],"
                    "\"total\":2,\"safe\":1}");
    g_assert_cmpint(json_member_int(bench->result, "evidenceCollected", -1), ==, 1);
    g_assert_cmpint(json_member_int(bench->result, "evidenceFailed", -1), ==, 0);
    g_assert_cmpuint(bench_errors(bench), ==, 0);
}

static void the_record_says_what_was_read_and_from_where(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    answer_two_users(bench);
    bench_run(bench, users_only);
    g_autoptr(Json) record = bench_record(bench, 0);
    g_assert_cmpstr(json_member_string(record, "title", ""), ==, "Users of a");
    g_assert_cmpstr(json_member_string(record, "description", ""), ==, "2 users");
    g_assert_cmpstr(json_member_string(json_member(record, "metadata"), "team", ""), ==, "a");
    g_assert_cmpstr(json_member_string(record, "collectedAt", ""), ==, "2025-10-09T08:53:20.000Z");
    g_assert_cmpstr(json_member_string(record, "validUntil", ""), ==, "2025-11-08T08:53:20.000Z");
    g_assert_cmpstr(json_member_string(record, "definitionSha256", ""), ==,
                    bench->definition->sha256);
    g_assert_true(json_member_bool(json_member(record, "completeness"), "complete", false));
    const Json *reads = json_path(record, "completeness.reads");
    g_assert_cmpint(json_member_int(json_item(reads, 0), "rows", -1), ==, 2);
    g_assert_cmpint(json_member_int(json_item(reads, 0), "listsEnded", -1), ==, 1);
    g_assert_cmpint(json_member_int(json_item(reads, 2), "lists", -1), ==, 2);
}

static void pages_are_followed_to_the_end(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200,
                 "{\"Link\":\"<https://api.demo.test/teams/a/users?page=2>; rel=\\\"next\\\"\"}",
                 "[{\"id\":1,\"name\":\"ann\"}]");
    bench_answer(bench, "/teams/a/users?page=2", 200, NULL, "[{\"id\":2,\"name\":\"bob\"}]");
    answer_user(bench, "1", "{\"mfa\":true}", "[]");
    answer_user(bench, "2", "{\"mfa\":true}", "[]");
    bench_run(bench, users_only);
    g_autofree char *data = bench_data(bench, 0);
    bench_assert_holds(data, "\"total\":2,\"safe\":2");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
}

static void an_absent_answer_is_a_value_of_its_own(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL, "[{\"id\":1,\"name\":\"ann\"}]");
    bench_answer(bench, "/users/1/profile", 404, NULL, "{\"message\":\"none\"}");
    bench_answer(bench, "/users/1/keys", 200, NULL, "[]");
    bench_run(bench, users_only);
    g_autofree char *data = bench_data(bench, 0);
    bench_assert_holds(data, "{\"keys\":0,\"mfa\":false,\"name\":\"ann\",\"oldKeys\":0}");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
}

static void lists_that_are_absent_are_null_and_not_empty(void) {
    g_autoptr(GString) text = g_string_new(definition);
    g_string_replace(text, "      groups: {call: groups, for: user, collect: 2}\n",
                     "      groups: {call: groups, for: user, collect: 2}\n"
                     "      counted: {call: groups, for: user, fold: {total: count}}\n",
                     1);
    g_string_replace(text, "row: {user: .user.name, groups: '[.groups[].name]'}",
                     "row: {user: .user.name, groups: .groups == null, counted: .counted == null}",
                     1);
    g_string_replace(text, "{user: string, groups: '[string]'}",
                     "{user: string, groups: bool, counted: bool}", 1);
    g_autoptr(Bench) bench = bench_new(text->str);
    bench_answer(bench, "/teams/a/users", 200, NULL,
                 "[{\"id\":1,\"name\":\"ann\"},{\"id\":2,\"name\":\"bob\"}]");
    bench_answer(bench, "/users/1/groups", 404, NULL, "{}");
    bench_answer(bench, "/users/2/groups", 200, NULL, "[]");
    bench_run(bench, names_only);
    g_autofree char *data = bench_data(bench, 0);
    bench_assert_holds(data, "{\"counted\":true,\"groups\":true,\"user\":\"ann\"}");
    bench_assert_holds(data, "{\"counted\":false,\"groups\":false,\"user\":\"bob\"}");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
}

static void a_denied_read_leaves_only_what_rests_on_it_unread(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL, "[{\"id\":1,\"name\":\"ann\"}]");
    bench_answer(bench, "/users/1/profile", 403, NULL, "{\"message\":\"no\"}");
    bench_answer(bench, "/users/1/keys", 200, NULL, "[{\"age\":1}]");
    bench_run(bench, users_only);
    g_autofree char *data = bench_data(bench, 0);
    g_assert_cmpstr(data, ==,
                    "{\"details\":[{\"_unread\":{\"fields\":[\"mfa\"],\"reads\":{\"profile\":"
                    "\"forbidden\"}},\"keys\":1,\"mfa\":null,\"name\":\"ann\",\"oldKeys\":0}],"
                    "\"total\":1,\"safe\":0}");
    g_assert_cmpstr(bench_error(bench, 0, "code"), ==, "PERMISSION_DENIED");
    bench_assert_holds(bench_error(bench, 0, "message"), "profile");
    g_autoptr(Json) record = bench_record(bench, 0);
    g_assert_false(json_member_bool(json_member(record, "completeness"), "complete", true));
}

static void errors_name_every_missing_permission(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL,
                 "[{\"id\":1,\"name\":\"ann\"},{\"id\":2,\"name\":\"bob\"}]");
    for (int id = 1; id <= 2; id++) {
        g_autofree char *profile = g_strdup_printf("/users/%d/profile", id);
        g_autofree char *keys = g_strdup_printf("/users/%d/keys", id);
        bench_answer(bench, profile, 403, NULL, "{}");
        bench_answer(bench, keys, 403, NULL, "{}");
    }
    bench_run(bench, users_only);
    g_assert_cmpuint(bench_errors(bench), ==, 1);
    g_assert_cmpstr(
        bench_error(bench, 0, "message"), ==,
        "Insufficient permissions for Demo. Please check scopes: profile (scope); keys (scope).");
    const Json *entry = json_item(json_member(bench->result, "errors"), 0);
    g_assert_cmpstr(json_text(json_path(entry, "details.needs")), ==,
                    "profile (scope); keys (scope)");
    g_assert_cmpstr(json_text(json_path(entry, "details.outcome")), ==, "forbidden");
}

static void what_the_plan_does_not_have_is_marked_not_applicable(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL, "[{\"id\":1,\"name\":\"ann\"}]");
    bench_answer(bench, "/users/1/profile", 402, NULL, "{}");
    bench_answer(bench, "/users/1/keys", 200, NULL, "[]");
    bench_run(bench, users_only);
    g_autofree char *data = bench_data(bench, 0);
    bench_assert_holds(data, "\"reads\":{\"profile\":\"not_applicable\"}");
}

static void a_denied_root_still_makes_a_record(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 403, NULL, "{}");
    bench_run(bench, users_only);
    g_autofree char *data = bench_data(bench, 0);
    g_assert_cmpstr(data, ==, "{\"details\":[],\"total\":0,\"safe\":0}");
    g_assert_cmpint(json_member_int(bench->result, "evidenceCollected", -1), ==, 1);
    g_assert_cmpstr(bench_error(bench, 0, "code"), ==, "PERMISSION_DENIED");
}

static void a_refused_credential_ends_the_run_at_once(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 401, NULL, "{}");
    bench_run(bench, users_only);
    g_assert_cmpstr(bench_error(bench, 0, "code"), ==, "AUTHENTICATION_FAILED");
    g_assert_cmpstr(bench_error(bench, 0, "message"), ==,
                    "Authentication failed for Demo. Please re-authorize.");
}

static void a_mistyped_field_is_unread_and_the_others_stand(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL, "[{\"id\":1,\"name\":7}]");
    answer_user(bench, "1", "{\"mfa\":true}", "[]");
    bench_run(bench, users_only);
    g_autofree char *data = bench_data(bench, 0);
    bench_assert_holds(data, "{\"_unread\":{\"fields\":[\"name\"],\"reads\":{}},\"keys\":0,");
}

static void a_broken_body_is_unread(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL, "[{\"id\":1,\"name\":\"ann\"}]");
    bench_answer_text(bench, "/users/1/profile", "{\"mfa\":tr");
    bench_answer(bench, "/users/1/keys", 200, NULL, "[]");
    bench_run(bench, users_only);
    g_autofree char *data = bench_data(bench, 0);
    bench_assert_holds(data, "\"reads\":{\"profile\":\"broken\"}");
    g_assert_cmpstr(bench_error(bench, 0, "code"), ==, "SERVICE_UNAVAILABLE");
    g_assert_false(
        json_member_bool(json_item(json_member(bench->result, "errors"), 0), "retryable", true));
}

static void an_object_in_place_of_a_list_is_broken(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL, "{\"message\":\"hello\"}");
    bench_run(bench, users_only);
    g_assert_cmpstr(bench_error(bench, 0, "code"), ==, "SERVICE_UNAVAILABLE");
}

static void a_list_that_links_to_itself_is_stopped(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200,
                 "{\"Link\":\"<https://api.demo.test/teams/a/users>; rel=\\\"next\\\"\"}",
                 "[{\"id\":1,\"name\":\"ann\"}]");
    answer_user(bench, "1", "{\"mfa\":true}", "[]");
    bench_run(bench, users_only);
    g_assert_cmpstr(bench_error(bench, 0, "code"), ==, "CONFIGURATION_ERROR");
    g_autoptr(Json) record = bench_record(bench, 0);
    g_assert_false(json_member_bool(json_member(record, "completeness"), "complete", true));
}

static void a_list_without_end_is_stopped_at_its_cap(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    for (int page = 0; page < 8; page++) {
        g_autofree char *path = page == 0 ? g_strdup("/teams/a/users")
                                          : g_strdup_printf("/teams/a/users?page=%d", page);
        g_autofree char *link = g_strdup_printf(
            "{\"Link\":\"<https://api.demo.test/teams/a/users?page=%d>; rel=\\\"next\\\"\"}",
            page + 1);
        bench_answer(bench, path, 200, link, "[]");
    }
    bench_run(bench, users_only);
    g_assert_cmpstr(bench_error(bench, 0, "code"), ==, "CONFIGURATION_ERROR");
    bench_assert_holds(bench_error(bench, 0, "message"), "max_pages");
}

/* Nested lists: rows leave in the order of their parents. */
static void rows_of_nested_lists_leave_in_parent_order(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL,
                 "[{\"id\":1,\"name\":\"ann\"},{\"id\":2,\"name\":\"bob\"},"
                 "{\"id\":3,\"name\":\"cat\"}]");
    bench_answer(bench, "/users/1/groups", 200,
                 "{\"Link\":\"<https://api.demo.test/users/1/groups?page=2>; rel=\\\"next\\\"\"}",
                 "[{\"name\":\"x\"}]");
    bench_answer(bench, "/users/1/groups?page=2", 200, NULL, "[{\"name\":\"y\"}]");
    bench_answer(bench, "/users/2/groups", 404, NULL, "{}");
    bench_answer(bench, "/users/3/groups", 200, NULL, "[{\"name\":\"z\"}]");
    bench_run(bench, members_only);
    g_autofree char *data = bench_data(bench, 0);
    g_assert_cmpstr(data, ==,
                    "{\"details\":[{\"group\":\"x\",\"user\":\"ann\"},"
                    "{\"group\":\"y\",\"user\":\"ann\"},{\"group\":\"z\",\"user\":\"cat\"}]}");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
}

static void a_collected_list_past_its_cap_is_cut_and_said_so(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL,
                 "[{\"id\":1,\"name\":\"ann\"},{\"id\":2,\"name\":\"bob\"}]");
    bench_answer(bench, "/users/1/groups", 200, NULL,
                 "[{\"name\":\"x\"},{\"name\":\"y\"},{\"name\":\"z\"},{\"name\":\"w\"}]");
    bench_answer(bench, "/users/2/groups", 200, NULL, "[{\"name\":\"x\"},{\"name\":\"y\"}]");
    bench_run(bench, names_only);
    g_autofree char *data = bench_data(bench, 0);
    bench_assert_holds(data, "\"reads\":{\"groups\":\"endless\"}");
    bench_assert_holds(data, "{\"groups\":[\"x\",\"y\"],\"user\":\"bob\"}");
    g_assert_cmpuint(bench_errors(bench), ==, 1);
}

/* Two types that read the same list read it once. */
static void a_call_shared_by_two_types_is_made_once(void) {
    static const char *const both[] = {"members", "users", NULL};
    g_autoptr(Bench) bench = bench_new(definition);
    answer_two_users(bench);
    bench_answer(bench, "/users/1/groups", 200, NULL, "[{\"name\":\"x\"}]");
    bench_answer(bench, "/users/2/groups", 200, NULL, "[]");
    bench_run(bench, both);
    g_assert_cmpint(json_member_int(bench->result, "evidenceCollected", -1), ==, 2);
    /* users once, and profile, keys and groups of two users */
    g_assert_cmpuint(cassette_count(bench->cassette), ==, 7);
}

static void a_secret_in_an_answer_is_not_recorded(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL, "[{\"id\":1,\"name\":\"ann\"}]");
    answer_user(bench, "1", "{\"mfa\":true}", "[{\"age\":1,\"secret\":\"hunter2\"}]");
    bench_run(bench, users_only);
    CassetteKey key = {"user/keys", "GET", "https://api.demo.test/users/1/keys", NULL};
    Recording recording;
    bool found = false;
    GError *error = NULL;
    g_assert_true(cassette_find(bench->cassette, &key, &found, &recording, &error));
    g_assert_true(found);
    g_assert_null(strstr(recording.body, "hunter2"));
    bench_assert_holds(recording.body, "[redacted]");
}

/* What was recorded is enough: the same run without the service gives the same document. */
static void a_replay_gives_the_same_document_without_the_service(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    answer_two_users(bench);
    bench_run(bench, users_only);
    exchanges_free(bench->exchanges);
    bench->exchanges = exchanges_new();
    bench_run(bench, users_only);
    g_assert_cmpuint(bench_errors(bench), ==, 0);
    g_autofree char *first = bench_data(bench, 0);
    g_autofree char *second = bench_data(bench, 1);
    g_assert_cmpstr(first, ==, second);
    g_assert_cmpuint(cassette_count(bench->cassette), ==, 5);
}

/* --- another attempt -------------------------------------------------------------------------- */

static void answer_members(Bench *bench) {
    bench_answer(bench, "/users/1/groups", 200, NULL, "[{\"name\":\"x\"}]");
    bench_answer(bench, "/users/2/groups", 200, NULL, "[]");
}

static void what_may_succeed_later_is_held_back_and_the_rest_is_stored(void) {
    static const char *const both[] = {"members", "users", NULL};
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL,
                 "[{\"id\":1,\"name\":\"ann\"},{\"id\":2,\"name\":\"bob\"}]");
    answer_user(bench, "1", "{\"mfa\":true}", "[]");
    bench_answer(bench, "/users/2/profile", 503, NULL, "{}");
    bench_answer(bench, "/users/2/keys", 200, NULL, "[]");
    answer_members(bench);
    bench->hold = true;
    bench_run(bench, both);
    g_assert_cmpint(bench->held, ==, ERROR_SERVICE_UNAVAILABLE);
    g_assert_cmpuint(bench->evidence->len, ==, 1);
    g_assert_cmpint(json_member_int(bench->result, "evidenceFailed", -1), ==, 1);
    g_assert_cmpstr(bench_error(bench, 0, "evidenceType"), ==, "users");
    g_assert_true(
        json_member_bool(json_item(json_member(bench->result, "errors"), 0), "retryable", false));
}

/* What the first attempt was answered is not asked for again. */
static void the_next_attempt_asks_for_nothing_but_what_failed(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 200, NULL, "[{\"id\":1,\"name\":\"ann\"}]");
    bench_answer(bench, "/users/1/profile", 503, NULL, "{}");
    bench_answer(bench, "/users/1/keys", 200, NULL, "[]");
    bench->hold = true;
    bench_run(bench, users_only);
    g_assert_cmpint(bench->held, ==, ERROR_SERVICE_UNAVAILABLE);
    exchanges_free(bench->exchanges);
    bench->exchanges = exchanges_new();
    bench_answer(bench, "/users/1/profile", 200, NULL, "{\"mfa\":true}");
    bench_run(bench, users_only);
    g_assert_cmpint(bench->held, ==, ERROR_CODES);
    g_assert_cmpuint(bench_errors(bench), ==, 0);
    g_assert_cmpuint(bench->evidence->len, ==, 1);
}

static void the_last_attempt_stores_what_there_is(void) {
    g_autoptr(Bench) bench = bench_new(definition);
    bench_answer(bench, "/teams/a/users", 503, NULL, "{}");
    bench->hold = true;
    bench_run(bench, users_only);
    g_assert_cmpuint(bench->evidence->len, ==, 0);
    bench->hold = false;
    bench_run(bench, users_only);
    g_assert_cmpint(bench->held, ==, ERROR_CODES);
    g_assert_cmpuint(bench->evidence->len, ==, 1);
    g_assert_cmpuint(bench_errors(bench), ==, 1);
}

static void what_fails_for_good_is_not_held_back(void) {
    static const struct {
        int status;
        const char *body; /* NULL: broken */
    } cases[] = {{403, "{}"}, {200, NULL}, {402, "{}"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Bench) bench = bench_new(definition);
        bench_answer(bench, "/teams/a/users", 200, NULL, "[{\"id\":1,\"name\":\"ann\"}]");
        bench_answer(bench, "/users/1/keys", 200, NULL, "[]");
        if (cases[i].body)
            bench_answer(bench, "/users/1/profile", cases[i].status, NULL, cases[i].body);
        else
            bench_answer_text(bench, "/users/1/profile", "{\"mfa\":tr");
        bench->hold = true;
        bench_run(bench, users_only);
        g_assert_cmpint(bench->held, ==, ERROR_CODES);
        g_assert_cmpuint(bench->evidence->len, ==, 1);
    }
}

static void many_rows_keep_their_order_and_stay_bounded(void) {
    enum { USERS = 1500 };
    g_autoptr(Bench) bench = bench_new(definition);
    g_autoptr(GString) list = g_string_new("[");
    for (int i = 0; i < USERS; i++) {
        g_string_append_printf(list, "%s{\"id\":%d,\"name\":\"user-%04d\"}", i > 0 ? "," : "", i,
                               i);
        g_autofree char *id = g_strdup_printf("%d", i);
        answer_user(bench, id, i % 2 ? "{\"mfa\":true}" : "{\"mfa\":false}", "[{\"age\":91}]");
    }
    g_string_append_c(list, ']');
    bench_answer(bench, "/teams/a/users", 200, NULL, list->str);
    bench_run(bench, users_only);
    g_autofree char *data = bench_data(bench, 0);
    const char *at = data;
    for (int i = 0; i < USERS; i++) {
        g_autofree char *name = g_strdup_printf("\"user-%04d\"", i);
        at = strstr(at, name);
        g_assert_nonnull(at);
    }
    bench_assert_holds(data, "\"total\":1500,\"safe\":750");
}

/* What a halted libjq holds is lost for good, which is no leak of ours. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void a_runaway_row_fails_its_type_and_nothing_else(void) {
    static const char *const both[] = {"users", "members", NULL};
    g_auto(GStrv) parts = g_strsplit(definition, "name: .user.name\n      mfa", 2);
    g_autofree char *runaway =
        g_strjoin("name: '[range(1e12)]'\n      mfa", parts[0], parts[1], NULL);
    g_autoptr(Bench) bench = bench_new(runaway);
    answer_two_users(bench);
    bench_answer(bench, "/users/1/groups", 200, NULL, "[{\"name\":\"x\"}]");
    bench_answer(bench, "/users/2/groups", 200, NULL, "[]");
    if (__lsan_disable != NULL)
        __lsan_disable();
    bench_run(bench, both);
    if (__lsan_enable != NULL)
        __lsan_enable();
    g_assert_cmpint(json_member_int(bench->result, "evidenceCollected", -1), ==, 1);
    g_assert_cmpint(json_member_int(bench->result, "evidenceFailed", -1), ==, 1);
    g_assert_cmpstr(bench_error(bench, 0, "evidenceType"), ==, "users");
}

static void an_unknown_evidence_type_is_refused(void) {
    static const char *const unknown[] = {"user", NULL};
    g_autoptr(Bench) bench = bench_new(definition);
    RunConfig config = {.client = bench->client,
                        .db = bench->db,
                        .scope = bench->scope,
                        .definition = bench->definition,
                        .settings = bench->settings,
                        .evidence_types = unknown,
                        .integration_id = COLLECT_INTEGRATION,
                        .clock_ms = COLLECT_CLOCK,
                        .cassette = bench->cassette};
    g_autoptr(GError) error = NULL;
    Run *run = NULL;
    g_assert_false(run_new(&config, &run, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    bench_assert_holds(error->message, "user");
}

#define TEST(name)                                                                                 \
    { "/collect/run/" #name, name }

int main(int argc, char **argv) {
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {
        TEST(rows_are_typed_counted_and_stored),
        TEST(what_may_succeed_later_is_held_back_and_the_rest_is_stored),
        TEST(the_next_attempt_asks_for_nothing_but_what_failed),
        TEST(the_last_attempt_stores_what_there_is),
        TEST(what_fails_for_good_is_not_held_back),
        TEST(the_record_says_what_was_read_and_from_where),
        TEST(pages_are_followed_to_the_end),
        TEST(an_absent_answer_is_a_value_of_its_own),
        TEST(lists_that_are_absent_are_null_and_not_empty),
        TEST(a_denied_read_leaves_only_what_rests_on_it_unread),
        TEST(errors_name_every_missing_permission),
        TEST(what_the_plan_does_not_have_is_marked_not_applicable),
        TEST(a_denied_root_still_makes_a_record),
        TEST(a_refused_credential_ends_the_run_at_once),
        TEST(a_mistyped_field_is_unread_and_the_others_stand),
        TEST(a_broken_body_is_unread),
        TEST(an_object_in_place_of_a_list_is_broken),
        TEST(a_list_that_links_to_itself_is_stopped),
        TEST(a_list_without_end_is_stopped_at_its_cap),
        TEST(rows_of_nested_lists_leave_in_parent_order),
        TEST(a_collected_list_past_its_cap_is_cut_and_said_so),
        TEST(a_call_shared_by_two_types_is_made_once),
        TEST(a_secret_in_an_answer_is_not_recorded),
        TEST(a_replay_gives_the_same_document_without_the_service),
        TEST(many_rows_keep_their_order_and_stay_bounded),
        TEST(a_runaway_row_fails_its_type_and_nothing_else),
        TEST(an_unknown_evidence_type_is_refused),
    };
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].run);
    return g_test_run();
}
