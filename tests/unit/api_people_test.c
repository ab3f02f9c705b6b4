/* People come in and go out: sessions, their forgery, setup, and what the log says of it, over real
 * sockets. */
#include "api/first_user.h"
#include "base/clock.h"
#include "store/audit.h"
#include "store/audit_tree.h"
#include "store/login_attempt.h"
#include "store/user.h"
#include "store/user_session.h"
#include "unit/api_browser.h"
#include "vault/password.h"

#include <string.h>

static bool disable_work(DbUnit *unit, void *user, GError **error) {
    return user_set_disabled(unit, ((User *)user)->id, true, error);
}

static bool get_ada_work(DbUnit *unit, void *user, GError **error) {
    g_clear_pointer((User **)user, user_free);
    return user_get(unit, ADA, user, error);
}

/* As many failures as lock a user for the longest time. */
static bool lock_work(DbUnit *unit, void *data, GError **error) {
    LoginSource source = {.email = "ada@example.com", .address = "192.0.2.9"};
    int64_t wait_ms = 0;
    (void)data;
    for (int i = 0; i < 30; i++) {
        g_autoptr(GError) refused = NULL;
        if (!login_attempt_take(unit, &source, &wait_ms, &refused))
            clock_advance(wait_ms);
    }
    (void)error;
    return true;
}

/* --- login ------------------------------------------------------------------------------------ */

static void a_login_gives_a_cookie_and_says_who_one_is(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Answer) answer =
        checked_post(&stage, "/api/session", LOGIN(" ADA@example.com ", PASSWORD));
    g_autofree char *cookie = answer_header(&answer, "Set-Cookie");
    g_autofree char *cache = answer_header(&answer, "Cache-Control");
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_true(g_str_has_prefix(cookie, "assay=assay_ses_"));
    g_assert_nonnull(strstr(cookie, "; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800"));
    g_assert_null(strstr(cookie, "Secure")); /* the stage is plain http */
    g_assert_cmpstr(cache, ==, "no-store");
    g_assert_null(strstr(answer.body, "assay_ses_"));
    g_assert_cmpstr(answer_text(&answer, "id"), ==, ADA);
    g_assert_cmpstr(answer_text(&answer, "kind"), ==, "user");
    const Json *organization = json_item(json_member(answer.json, "organizations"), 0);
    g_assert_cmpstr(json_member_string(organization, "id", ""), ==, ORG_A);
    g_assert_cmpstr(json_member_string(organization, "role", ""), ==, "owner");
}

static void a_session_works_until_it_is_ended(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    browser_log_in(&browser, LOGIN("ada@example.com", PASSWORD));
    browser_expect(&browser, "GET", "/api/session", 200);
    browser_expect(&browser, "GET", "/api/users", 200);
    g_auto(Answer) out = browser_ask(&browser, "DELETE", "/api/session", NULL);
    g_autofree char *cookie = answer_header(&out, "Set-Cookie");
    g_assert_cmpuint(out.status, ==, 200);
    g_assert_true(g_str_has_prefix(cookie, "assay=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"));
    browser_expect(&browser, "GET", "/api/session", 401);
}

/* The same words for whoever does not exist, has no password, is disabled, or mistyped. */
static void a_refused_login_does_not_tell_why(void) {
    static const char *const bodies[] = {
        LOGIN("ada@example.com", "wrong horse battery"), LOGIN("nobody@example.com", PASSWORD),
        LOGIN("eve@example.com", PASSWORD), LOGIN("no address", PASSWORD), LOGIN("", "")};
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    stage_add_user(&stage, EVE, "eve@example.com");
    User off = {.id = EVE};
    must(stage_run(&stage, NULL, disable_work, &off, &error));
    g_autofree char *first = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_auto(Answer) answer = checked_post(&stage, "/api/session", bodies[i]);
        g_autofree char *cookie = answer_header(&answer, "Set-Cookie");
        assert_problem(&answer, 401, "AUTHENTICATION_FAILED");
        g_assert_null(cookie);
        if (!first)
            first = g_strdup(answer_text(&answer, "detail"));
        g_assert_cmpstr(answer_text(&answer, "detail"), ==, first);
    }
}

/* Who types the password into the wrong field has not written it into the log. */
static void what_is_no_address_is_not_in_the_log(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Answer) answer = checked_post(&stage, "/api/session", LOGIN("my horse battery", "x"));
    assert_problem(&answer, 401, "AUTHENTICATION_FAILED");
    g_auto(Answer) other = checked_post(&stage, "/api/session", LOGIN("nobody@example.com", "x"));
    g_auto(Answer) list =
        checked_get_as(&stage, stage.operator, "/api/installation/audit?result=denied");
    g_assert_cmpuint(other.status, ==, 401);
    g_assert_nonnull(strstr(list.body, "nobody@example.com"));
    g_assert_null(strstr(list.body, "horse"));
}

static void after_five_wrong_passwords_the_right_one_has_to_wait(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    for (int i = 0; i < LOGIN_USER_FREE; i++) {
        g_auto(Answer) wrong =
            checked_post(&stage, "/api/session", LOGIN("ada@example.com", "wrong horse battery"));
        assert_problem(&wrong, 401, "AUTHENTICATION_FAILED");
    }
    clock_freeze(clock_now_ms());
    must(stage_run(&stage, NULL, lock_work, NULL, &error));
    g_auto(Answer) locked =
        checked_post(&stage, "/api/session", LOGIN("ada@example.com", PASSWORD));
    g_autofree char *wait = answer_header(&locked, "Retry-After");
    assert_problem(&locked, 429, "RATE_LIMITED");
    g_assert_cmpstr(wait, ==, "900");
    clock_advance(LOGIN_LOCK_MAX_MS);
    g_auto(Answer) right = checked_post(&stage, "/api/session", LOGIN("ada@example.com", PASSWORD));
    g_assert_cmpuint(right.status, ==, 200);
    clock_thaw();
}

/* Whoever sees the members has their ids: they must not be a second way to guess. */
static void the_id_of_a_user_is_no_name_to_log_in_with(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Answer) by_id = checked_post(&stage, "/api/session", LOGIN(ADA, PASSWORD));
    assert_problem(&by_id, 401, "AUTHENTICATION_FAILED");
    g_auto(Answer) by_address =
        checked_post(&stage, "/api/session", LOGIN("ada@example.com", PASSWORD));
    g_assert_cmpuint(by_address.status, ==, 200);
}

static void an_outdated_hash_is_replaced_at_login(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    browser_log_in(&browser, LOGIN("ada@example.com", PASSWORD));
    User *user = NULL;
    must(stage_run(&stage, NULL, get_ada_work, &user, &error));
    g_assert_true(g_str_has_prefix(user->password_hash, "$argon2id$v=19$m=65536,t=2,"));
    g_assert_cmpint(user->last_login_at, >, 0);
    user_free(user);
    browser_log_in(&browser, LOGIN("ada@example.com", PASSWORD));
}

/* --- forgery ---------------------------------------------------------------------------------- */

static void cookies_that_were_altered_or_made_up_are_nobodys(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    browser_log_in(&browser, LOGIN("ada@example.com", PASSWORD));
    g_autofree char *good = g_strdup(browser.cookie);
    g_autofree char *cut = g_strndup(good, strlen(good) - 1);
    g_autofree char *token = g_strconcat("assay=", stage.tokens[ROLE_OWNER], NULL);
    g_autofree char *host = g_strconcat("__Host-", good, NULL);
    g_autofree char *altered = g_strdup(good);
    altered[20] = altered[20] == 'x' ? 'y' : 'x';
    const char *const wrong[] = {
        cut,     token,    host,
        altered, "assay=", "assay",
        "=",     ";;;",    "assay=assay_ses_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa3HVvkF"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_free(browser.cookie);
        browser.cookie = g_strdup(wrong[i]);
        browser_expect(&browser, "GET", "/api/session", 401);
    }
    g_free(browser.cookie);
    browser.cookie = g_steal_pointer(&good);
    browser_expect(&browser, "GET", "/api/session", 200);
}

static void a_session_is_no_bearer_token(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    browser_log_in(&browser, LOGIN("ada@example.com", PASSWORD));
    g_auto(Answer) answer =
        checked_get_as(&stage, browser.cookie + strlen("assay="), "/api/session");
    assert_problem(&answer, 401, "AUTHENTICATION_FAILED");
}

static void a_change_needs_the_csrf_token_of_the_same_session(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) first = {.stage = &stage};
    g_auto(Browser) second = {.stage = &stage};
    browser_log_in(&first, LOGIN("ada@example.com", PASSWORD));
    browser_log_in(&second, LOGIN("ada@example.com", PASSWORD));
    g_autofree char *own = g_strdup(first.csrf);
    g_assert_cmpstr(first.csrf, !=, second.csrf);
    const char *const wrong[] = {second.csrf, "", "none"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_free(first.csrf);
        first.csrf = g_strdup(wrong[i]);
        g_auto(Answer) answer = browser_ask(&first, "DELETE", "/api/session", NULL);
        assert_problem(&answer, 403, "PERMISSION_DENIED");
        browser_expect(&first, "GET", "/api/session", 200);
    }
    g_free(first.csrf);
    first.csrf = g_steal_pointer(&own);
    browser_expect(&first, "DELETE", "/api/session", 200);
    browser_expect(&second, "GET", "/api/session", 200);
}

static void a_disabled_user_is_out_at_once(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    browser_log_in(&browser, LOGIN("ada@example.com", PASSWORD));
    User off = {.id = ADA};
    must(stage_run(&stage, NULL, disable_work, &off, &error));
    browser_expect(&browser, "GET", "/api/session", 401);
}

/* The server behind a proxy with TLS, on the same database. */
static ApiServer *start_secure(const Stage *stage) {
    ApiServer *server = NULL;
    ApiConfig config = {.listen = "127.0.0.1:0",
                        .public_url = "https://assay.example",
                        .db = stage->db,
                        .data_dir = stage->folder,
                        .database_url = "none",
                        .keyring = stage->keyring};
    must(api_start(&config, &server, &error));
    return server;
}

static void behind_tls_the_cookie_is_bound_to_the_host(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    ApiServer *plain = stage.api;
    stage.api = start_secure(&stage);
    g_auto(Answer) in = checked_post(&stage, "/api/session", LOGIN("ada@example.com", PASSWORD));
    g_autofree char *cookie = answer_header(&in, "Set-Cookie");
    g_assert_true(g_str_has_prefix(cookie, "__Host-assay=assay_ses_"));
    g_assert_nonnull(strstr(cookie, "; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800; Secure"));
    g_assert_null(strstr(cookie, "Domain"));
    g_auto(Browser) browser = {.stage = &stage};
    browser_keep(&browser, &in);
    browser_expect(&browser, "GET", "/api/session", 200);
    g_autofree char *bound = g_steal_pointer(&browser.cookie);
    browser.cookie = g_strdup(bound + strlen("__Host-"));
    browser_expect(&browser, "GET", "/api/session", 401);
    g_free(browser.cookie);
    browser.cookie = g_steal_pointer(&bound);
    browser_expect(&browser, "DELETE", "/api/session", 200);
    api_stop(stage.api);
    stage.api = plain;
}

static void a_change_from_another_origin_is_refused(void) {
    static const struct {
        const char *origin;
        unsigned status;
    } cases[] = {{"https://evil.example", 403},
                 {"null", 403},
                 {"https://assay.example.evil.example", 403},
                 {"https://assay.example", 200}};
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    ApiServer *plain = stage.api;
    stage.api = start_secure(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    browser_log_in(&browser, LOGIN("ada@example.com", PASSWORD));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *headers =
            g_strdup_printf("Cookie: %s\r\nX-CSRF-Token: %s\r\nOrigin: %s\r\n", browser.cookie,
                            browser.csrf, cases[i].origin);
        g_auto(Answer) answer = stage_ask(
            &stage, &(Ask){.method = "DELETE", .path = "/api/session", .headers = headers});
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
    api_stop(stage.api);
    stage.api = plain;
}

/* --- one's own -------------------------------------------------------------------------------- */

static void a_new_password_ends_the_other_sessions(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) mine = {.stage = &stage};
    g_auto(Browser) other = {.stage = &stage};
    browser_log_in(&mine, LOGIN("ada@example.com", PASSWORD));
    browser_log_in(&other, LOGIN("ada@example.com", PASSWORD));
    g_auto(Answer) wrong =
        browser_ask(&mine, "POST", "/api/session/password",
                    "{\"password\":\"wrong horse battery\",\"newPassword\":\"a new "
                    "password\"}");
    assert_problem(&wrong, 403, "PERMISSION_DENIED");
    g_auto(Answer) weak = browser_ask(&mine, "POST", "/api/session/password",
                                      "{\"password\":\"" PASSWORD "\",\"newPassword\":\"short\"}");
    assert_problem(&weak, 400, "CONFIGURATION_ERROR");
    browser_expect(&other, "GET", "/api/session", 200);
    g_auto(Answer) done =
        browser_ask(&mine, "POST", "/api/session/password",
                    "{\"password\":\"" PASSWORD "\",\"newPassword\":\"another horse battery\"}");
    g_assert_cmpuint(done.status, ==, 200);
    browser_expect(&other, "GET", "/api/session", 401);
    browser_log_in(&other, LOGIN("ada@example.com", "another horse battery"));
}

static void a_new_password_renews_the_session_and_a_copied_cookie_dies(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) mine = {.stage = &stage};
    browser_log_in(&mine, LOGIN("ada@example.com", PASSWORD));
    g_auto(Browser)
        thief = {.stage = &stage, .cookie = g_strdup(mine.cookie), .csrf = g_strdup(mine.csrf)};
    browser_expect(&thief, "GET", "/api/session", 200);
    g_auto(Answer) done =
        browser_ask(&mine, "POST", "/api/session/password",
                    "{\"password\":\"" PASSWORD "\",\"newPassword\":\"another horse battery\"}");
    g_assert_cmpuint(done.status, ==, 200);
    g_assert_true(json_member_bool(done.json, "success", false));
    browser_keep(&mine, &done);
    g_assert_cmpstr(mine.cookie, !=, thief.cookie);
    browser_expect(&thief, "GET", "/api/session", 401);
    g_auto(Answer) list = browser_ask(&mine, "GET", "/api/sessions", NULL);
    const Json *sessions = json_member(list.json, "sessions");
    g_assert_cmpuint(json_count(sessions), ==, 1);
    g_assert_true(json_member_bool(json_item(sessions, 0), "current", false));
    browser_expect(&mine, "DELETE", "/api/session", 200); /* with the token of the answer */
}

static void one_sees_and_ends_ones_own_sessions_only(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    stage_add_user(&stage, EVE, "eve@example.com");
    g_auto(Browser) ada = {.stage = &stage};
    g_auto(Browser) eve = {.stage = &stage};
    browser_log_in(&ada, LOGIN("ada@example.com", PASSWORD));
    browser_log_in(&eve, LOGIN("eve@example.com", PASSWORD));
    g_auto(Answer) list = browser_ask(&ada, "GET", "/api/sessions", NULL);
    g_assert_cmpuint(json_count(json_member(list.json, "sessions")), ==, 1);
    const Json *session = json_item(json_member(list.json, "sessions"), 0);
    g_assert_true(json_member_bool(session, "current", false));
    g_autofree char *path =
        g_strdup_printf("/api/sessions/%s", json_member_string(session, "id", ""));
    browser_expect(&eve, "DELETE", path, 404);
    browser_expect(&ada, "GET", "/api/session", 200);
    browser_expect(&ada, "DELETE", path, 200);
    browser_expect(&ada, "GET", "/api/session", 401);
    g_auto(Answer) token = checked_get(&stage, ROLE_OWNER, "/api/sessions");
    assert_problem(&token, 422, "CONFIGURATION_ERROR");
}

/* --- setup ------------------------------------------------------------------------------------ */

static char *setup_body(const char *link, const char *password) {
    return g_strdup_printf("{\"token\":\"%s\",\"email\":\"ada@example.com\",\"name\":\"Ada\","
                           "\"password\":\"%s\",\"organization\":\"Analytical\"}",
                           strchr(link, '#') + 1, password);
}

static void the_setup_link_makes_an_owner_once(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *link = NULL;
    g_autofree char *none = NULL;
    must(first_user_link(stage.db, "https://assay.example", &link, &error));
    g_assert_true(g_str_has_prefix(link, "https://assay.example/setup#assay_setup_"));
    g_autofree char *weak = setup_body(link, "short");
    g_autofree char *body = setup_body(link, PASSWORD);
    g_autofree char *forged = setup_body("#assay_setup_nonsense", PASSWORD);
    g_auto(Answer) refused = checked_post(&stage, "/api/setup", weak);
    g_auto(Answer) unknown = checked_post(&stage, "/api/setup", forged);
    g_auto(Answer) done = checked_post(&stage, "/api/setup", body);
    g_auto(Answer) again = checked_post(&stage, "/api/setup", body);
    assert_problem(&refused, 400, "CONFIGURATION_ERROR");
    assert_problem(&unknown, 404, "CONFIGURATION_ERROR");
    g_assert_cmpuint(done.status, ==, 201);
    assert_problem(&again, 404, "CONFIGURATION_ERROR");
    const Json *organization = json_item(json_member(done.json, "organizations"), 0);
    g_assert_cmpstr(json_member_string(organization, "name", ""), ==, "Analytical");
    g_assert_cmpstr(json_member_string(organization, "role", ""), ==, "owner");
    must(first_user_link(stage.db, "https://assay.example", &none, &error));
    g_assert_null(none);
    g_auto(Browser) browser = {.stage = &stage};
    browser_keep(&browser, &done);
    browser_expect(&browser, "GET", "/api/users", 200);
}

static void setting_up_is_noted_with_the_name_that_was_given(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *link = NULL;
    must(first_user_link(stage.db, "https://assay.example", &link, &error));
    g_autofree char *body = setup_body(link, PASSWORD);
    g_auto(Answer) done = checked_post(&stage, "/api/setup", body);
    g_assert_cmpuint(done.status, ==, 201);
    g_auto(Answer) log = checked_get(&stage, ROLE_OWNER, "/api/audit?limit=2");
    const Json *rows = json_member(log.json, "audit");
    const Json *renamed = json_item(rows, 0);
    const Json *set_up = json_item(rows, 1);
    g_assert_cmpstr(json_member_string(renamed, "action", ""), ==, "organization.rename");
    g_assert_cmpstr(json_text(json_path(renamed, "target.name")), ==, "Analytical");
    g_assert_cmpstr(json_text(json_path(renamed, "actor.name")), ==, "ada@example.com");
    g_assert_cmpstr(json_member_string(set_up, "action", ""), ==, "setup.complete");
}

/* --- audit ------------------------------------------------------------------------------------ */

static void what_was_done_is_in_the_audit_log_with_a_proof_and_in_the_activity(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) ada = {.stage = &stage};
    browser_log_in(&ada, LOGIN("ada@example.com", PASSWORD));
    g_auto(Answer) invited = browser_ask(&ada, "POST", "/api/invitations",
                                         "{\"email\":\"eve@example.com\",\"role\":\"member\"}");
    g_assert_cmpuint(invited.status, ==, 201);
    g_auto(Answer) list = browser_ask(&ada, "GET", "/api/audit?action=member.", NULL);
    const Json *entry = json_item(json_member(list.json, "audit"), 0);
    g_assert_cmpstr(json_member_string(entry, "action", ""), ==, "member.invite");
    g_assert_cmpstr(json_text(json_path(entry, "actor.name")), ==, "ada@example.com");
    g_assert_cmpstr(json_text(json_path(entry, "actor.address")), ==, "127.0.0.1");
    g_assert_nonnull(json_text(json_path(entry, "actor.requestId")));
    g_autofree char *path =
        g_strdup_printf("/api/audit/%s/proof", json_member_string(entry, "id", ""));
    int64_t sealed = 0;
    must(audit_tree_sequence(stage.db, 10, &sealed, &error));
    g_auto(Answer) proof = browser_ask(&ada, "GET", path, NULL);
    g_assert_cmpuint(proof.status, ==, 200);
    g_assert_nonnull(strstr(answer_text(&proof, "record"), "member.invite"));
    g_auto(Answer) activity = browser_ask(&ada, "GET", "/api/activity", NULL);
    const Json *first = json_item(json_member(activity.json, "activity"), 0);
    g_assert_cmpstr(json_member_string(first, "sentence", ""), ==,
                    "ada@example.com invited eve@example.com");
    g_auto(Answer) logins = browser_ask(&ada, "GET", "/api/audit?action=session.login", NULL);
    g_assert_cmpuint(json_count(json_member(logins.json, "audit")), ==, 1);
}

static void failed_logins_are_the_installations_to_see(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Answer) wrong =
        checked_post(&stage, "/api/session", LOGIN("ada@example.com", "wrong horse battery"));
    g_auto(Answer) list =
        checked_get_as(&stage, stage.operator, "/api/installation/audit?result=denied");
    g_auto(Answer) owner = checked_get(&stage, ROLE_OWNER, "/api/installation/audit");
    const Json *entry = json_item(json_member(list.json, "audit"), 0);
    g_assert_cmpuint(wrong.status, ==, 401);
    g_assert_cmpuint(owner.status, ==, 403);
    g_assert_cmpstr(json_text(json_path(entry, "actor.name")), ==, "ada@example.com");
    g_assert_null(strstr(list.body, "wrong horse"));
}

static void refused_changes_are_in_the_log_and_refused_looks_are_not(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) change =
        checked_send(&stage, ROLE_MEMBER, "PATCH", "/api/organization", "{\"name\":\"Psi\"}");
    g_auto(Answer) look = checked_get(&stage, ROLE_MEMBER, "/api/tokens");
    g_auto(Answer) operators =
        checked_send(&stage, ROLE_OWNER, "POST", "/api/organizations", "{\"name\":\"Psi\"}");
    g_assert_cmpuint(change.status, ==, 403);
    g_assert_cmpuint(look.status, ==, 403);
    g_assert_cmpuint(operators.status, ==, 403);
    g_auto(Answer) list = checked_get(&stage, ROLE_OWNER, "/api/audit");
    const Json *rows = json_member(list.json, "audit");
    g_assert_cmpuint(json_count(rows), ==, 1);
    g_assert_cmpstr(json_text(json_path(json_item(rows, 0), "details.operation")), ==,
                    "changeOrganization");
    g_auto(Answer) whole = checked_get_as(&stage, stage.operator, "/api/installation/audit");
    g_assert_cmpuint(json_count(json_member(whole.json, "audit")), ==, 1);
}

/* Who is in no organization is noted with the installation; what a browser was tricked into sending
 * is nobody's attempt. */
static void a_wrong_present_password_is_noted_and_a_forged_request_is_not(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) mine = {.stage = &stage};
    browser_log_in(&mine, LOGIN("ada@example.com", PASSWORD));
    g_auto(Browser) forged = {.stage = &stage, .cookie = g_strdup(mine.cookie)};
    browser_expect(&forged, "DELETE", "/api/session", 403);
    g_auto(Answer) wrong =
        browser_ask(&mine, "POST", "/api/session/password",
                    "{\"password\":\"wrong horse battery\",\"newPassword\":\"a new "
                    "password\"}");
    assert_problem(&wrong, 403, "PERMISSION_DENIED");
    g_auto(Answer) list =
        checked_get_as(&stage, stage.operator, "/api/installation/audit?action=request.deny");
    const Json *rows = json_member(list.json, "audit");
    g_assert_cmpuint(json_count(rows), ==, 1);
    g_assert_cmpstr(json_text(json_path(json_item(rows, 0), "details.operation")), ==,
                    "changePassword");
    g_assert_cmpstr(json_text(json_path(json_item(rows, 0), "actor.name")), ==, "ada@example.com");
}

static void the_log_is_exported_line_by_line(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (int i = 0; i < 3; i++) {
        g_auto(Answer) made = checked_send(&stage, ROLE_OWNER, "POST", "/api/tokens",
                                           "{\"name\":\"nightly\",\"role\":\"member\"}");
        g_assert_cmpuint(made.status, ==, 201);
    }
    g_auto(Answer) exported =
        checked_get(&stage, ROLE_OWNER, "/api/audit/export?action=token.create&order=oldest");
    g_autofree char *type = answer_header(&exported, "Content-Type");
    g_auto(GStrv) lines = g_strsplit(exported.body, "\n", -1);
    g_assert_cmpstr(type, ==, "application/x-ndjson");
    g_assert_cmpuint(g_strv_length(lines), ==, 4); /* the last is empty */
    g_auto(Answer) member = checked_get(&stage, ROLE_MEMBER, "/api/audit/export");
    g_assert_cmpuint(member.status, ==, 403);
}

/* --- floods ----------------------------------------------------------------------------------- */

static void a_flood_of_logins_leaves_room_for_others(void) {
    enum { FLOOD = 100 };
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    int connections[FLOOD];
    unsigned refused = 0;
    for (int i = 0; i < FLOOD; i++) {
        g_autofree char *body =
            g_strdup_printf("{\"email\":\"user%d@example.com\",\"password\":\"" PASSWORD "\"}", i);
        g_autofree char *request = g_strdup_printf(
            "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
            strlen(body), body);
        connections[i] = stage_connect(&stage);
        stage_write(connections[i], request);
    }
    g_auto(Answer) ordinary = checked_get(&stage, ROLE_OWNER, "/api/users");
    g_assert_cmpuint(ordinary.status, ==, 200);
    for (int i = 0; i < FLOOD; i++) {
        g_auto(Answer) answer = stage_read(connections[i], false);
        g_assert_true(answer.status == 401 || answer.status == 429);
        refused += answer.status == 429;
    }
    g_assert_cmpuint(refused, >, 0);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const ApiTest tests[] = {
    TEST(a_login_gives_a_cookie_and_says_who_one_is),
    TEST(a_session_works_until_it_is_ended),
    TEST(a_refused_login_does_not_tell_why),
    TEST(after_five_wrong_passwords_the_right_one_has_to_wait),
    TEST(the_id_of_a_user_is_no_name_to_log_in_with),
    TEST(an_outdated_hash_is_replaced_at_login),
    TEST(cookies_that_were_altered_or_made_up_are_nobodys),
    TEST(what_is_no_address_is_not_in_the_log),
    TEST(a_session_is_no_bearer_token),
    TEST(a_change_needs_the_csrf_token_of_the_same_session),
    TEST(a_disabled_user_is_out_at_once),
    TEST(behind_tls_the_cookie_is_bound_to_the_host),
    TEST(a_change_from_another_origin_is_refused),
    TEST(a_new_password_ends_the_other_sessions),
    TEST(a_new_password_renews_the_session_and_a_copied_cookie_dies),
    TEST(one_sees_and_ends_ones_own_sessions_only),
    TEST(the_setup_link_makes_an_owner_once),
    TEST(setting_up_is_noted_with_the_name_that_was_given),
    TEST(what_was_done_is_in_the_audit_log_with_a_proof_and_in_the_activity),
    TEST(failed_logins_are_the_installations_to_see),
    TEST(refused_changes_are_in_the_log_and_refused_looks_are_not),
    TEST(a_wrong_present_password_is_noted_and_a_forged_request_is_not),
    TEST(the_log_is_exported_line_by_line),
    TEST(a_flood_of_logins_leaves_room_for_others),
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "people", tests, G_N_ELEMENTS(tests));
}
