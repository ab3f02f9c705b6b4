/* People come in, go out and bring others: sessions, setup, invitations, tokens, over real sockets.
 *
 * Passwords cost what they cost: hashes that tests put into the database are cheap ones, so that
 * the first login also finds them outdated. */
#include "api/first_user.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/secmem.h"
#include "db/db.h"
#include "store/audit.h"
#include "store/audit_tree.h"
#include "store/login_attempt.h"
#include "store/membership.h"
#include "store/user.h"
#include "store/user_session.h"
#include "unit/api_support.h"
#include "vault/password.h"

#include <string.h>

#define ADA "01890000-0000-7000-8000-000000000ada"
#define EVE "01890000-0000-7000-8000-000000000e5e"
#define PASSWORD "correct horse battery"
#define LOGIN(email, password) "{\"email\":\"" email "\",\"password\":\"" password "\"}"

/* --- people ----------------------------------------------------------------------------------- */

static bool add_user_work(DbUnit *unit, void *user, GError **error) {
    return user_insert(unit, user, error);
}

static bool add_member_work(DbUnit *unit, void *membership, GError **error) {
    return membership_insert(unit, membership, error);
}

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

static bool run(const Stage *stage, const char *organization, DbWork work, void *data,
                GError **error) {
    DbScope scope = {.organization = organization, .actor = "test", .system = true};
    return db_run(stage->db, &scope, DB_WRITE, work, data, error);
}

static void add_user(const Stage *stage, const char *id, const char *email) {
    const PasswordCost cheap = {.passes = 1, .bytes = 8192};
    g_autoptr(Secret) password = NULL;
    g_autofree char *hash = NULL;
    must((password = secret_new(PASSWORD, strlen(PASSWORD), &error)) != NULL);
    must(password_hash(password, &cheap, &hash, &error));
    User user = {.id = id, .email = email, .name = email, .password_hash = hash};
    must(run(stage, NULL, add_user_work, &user, &error));
}

static void add_member(const Stage *stage, const char *organization, const char *user,
                       const char *role) {
    Membership membership = {.user_id = user, .role = role};
    must(run(stage, organization, add_member_work, &membership, &error));
}

/* Ada owns A. */
static void open_with_ada(Stage *stage) {
    stage_init(stage, 0);
    add_user(stage, ADA, "ada@example.com");
    add_member(stage, ORG_A, ADA, "owner");
}

/* --- a browser -------------------------------------------------------------------------------- */

typedef struct {
    const Stage *stage;
    char *cookie; /* "assay=..." */
    char *csrf;
} Browser;

static void browser_clear(Browser *browser) {
    g_free(browser->cookie);
    g_free(browser->csrf);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Browser, browser_clear)

/* Keeps the cookie and CSRF token of an answer. */
static void keep(Browser *browser, const Answer *answer) {
    g_autofree char *set = answer_header(answer, "Set-Cookie");
    g_assert_nonnull(set);
    browser_clear(browser);
    browser->cookie = g_strndup(set, strcspn(set, ";"));
    browser->csrf = g_strdup(answer_text(answer, "csrfToken"));
}

static Answer ask(const Browser *browser, const char *method, const char *path, const char *body) {
    g_autofree char *headers = g_strdup_printf("Cookie: %s\r\nX-CSRF-Token: %s\r\n",
                                               browser->cookie ? browser->cookie : "none=1",
                                               browser->csrf ? browser->csrf : "none");
    Answer answer = stage_ask(
        browser->stage, &(Ask){.method = method, .path = path, .headers = headers, .body = body});
    assert_form(method, path, &answer);
    return answer;
}

static Answer post(const Stage *stage, const char *path, const char *body) {
    Answer answer = stage_ask(stage, &(Ask){.method = "POST", .path = path, .body = body});
    assert_form("POST", path, &answer);
    return answer;
}

/* As a role of A. */
static Answer send_to(const Stage *stage, Role role, const char *method, const char *path,
                      const char *body) {
    Answer answer = stage_send(stage, role, method, path, body);
    assert_form(method, path, &answer);
    return answer;
}

static Answer get(const Stage *stage, Role role, const char *path) {
    Answer answer = stage_get(stage, role, path);
    assert_form("GET", path, &answer);
    return answer;
}

static Answer get_as(const Stage *stage, const char *token, const char *path) {
    Answer answer = stage_ask(stage, &(Ask){.path = path, .token = token});
    assert_form("GET", path, &answer);
    return answer;
}

static void log_in(Browser *browser, const char *body) {
    g_auto(Answer) answer = post(browser->stage, "/api/session", body);
    g_assert_cmpuint(answer.status, ==, 200);
    keep(browser, &answer);
}

static void expect(const Browser *browser, const char *method, const char *path, unsigned status) {
    g_auto(Answer) answer = ask(browser, method, path, NULL);
    if (answer.status != status)
        g_error("%s %s: %u: %s", method, path, answer.status, answer.body);
}

/* --- login ------------------------------------------------------------------------------------ */

static void a_login_gives_a_cookie_and_says_who_one_is(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Answer) answer = post(&stage, "/api/session", LOGIN(" ADA@example.com ", PASSWORD));
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
    open_with_ada(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    log_in(&browser, LOGIN("ada@example.com", PASSWORD));
    expect(&browser, "GET", "/api/session", 200);
    expect(&browser, "GET", "/api/users", 200);
    g_auto(Answer) out = ask(&browser, "DELETE", "/api/session", NULL);
    g_autofree char *cookie = answer_header(&out, "Set-Cookie");
    g_assert_cmpuint(out.status, ==, 200);
    g_assert_true(g_str_has_prefix(cookie, "assay=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"));
    expect(&browser, "GET", "/api/session", 401);
}

/* The same words for whoever does not exist, has no password, is disabled, or mistyped. */
static void a_refused_login_does_not_tell_why(void) {
    static const char *const bodies[] = {
        LOGIN("ada@example.com", "wrong horse battery"), LOGIN("nobody@example.com", PASSWORD),
        LOGIN("eve@example.com", PASSWORD), LOGIN("no address", PASSWORD), LOGIN("", "")};
    g_auto(Stage) stage;
    open_with_ada(&stage);
    add_user(&stage, EVE, "eve@example.com");
    User off = {.id = EVE};
    must(run(&stage, NULL, disable_work, &off, &error));
    g_autofree char *first = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_auto(Answer) answer = post(&stage, "/api/session", bodies[i]);
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
    open_with_ada(&stage);
    g_auto(Answer) answer = post(&stage, "/api/session", LOGIN("my horse battery", "x"));
    assert_problem(&answer, 401, "AUTHENTICATION_FAILED");
    g_auto(Answer) other = post(&stage, "/api/session", LOGIN("nobody@example.com", "x"));
    g_auto(Answer) list = get_as(&stage, stage.operator, "/api/installation/audit?result=denied");
    g_assert_cmpuint(other.status, ==, 401);
    g_assert_nonnull(strstr(list.body, "nobody@example.com"));
    g_assert_null(strstr(list.body, "horse"));
}

static void after_five_wrong_passwords_the_right_one_has_to_wait(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    for (int i = 0; i < LOGIN_USER_FREE; i++) {
        g_auto(Answer) wrong =
            post(&stage, "/api/session", LOGIN("ada@example.com", "wrong horse battery"));
        assert_problem(&wrong, 401, "AUTHENTICATION_FAILED");
    }
    clock_freeze(clock_now_ms());
    must(run(&stage, NULL, lock_work, NULL, &error));
    g_auto(Answer) locked = post(&stage, "/api/session", LOGIN("ada@example.com", PASSWORD));
    g_autofree char *wait = answer_header(&locked, "Retry-After");
    assert_problem(&locked, 429, "RATE_LIMITED");
    g_assert_cmpstr(wait, ==, "900");
    clock_advance(LOGIN_LOCK_MAX_MS);
    g_auto(Answer) right = post(&stage, "/api/session", LOGIN("ada@example.com", PASSWORD));
    g_assert_cmpuint(right.status, ==, 200);
    clock_thaw();
}

/* Whoever sees the members has their ids: they must not be a second way to guess. */
static void the_id_of_a_user_is_no_name_to_log_in_with(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Answer) by_id = post(&stage, "/api/session", LOGIN(ADA, PASSWORD));
    assert_problem(&by_id, 401, "AUTHENTICATION_FAILED");
    g_auto(Answer) by_address = post(&stage, "/api/session", LOGIN("ada@example.com", PASSWORD));
    g_assert_cmpuint(by_address.status, ==, 200);
}

static void an_outdated_hash_is_replaced_at_login(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    log_in(&browser, LOGIN("ada@example.com", PASSWORD));
    User *user = NULL;
    must(run(&stage, NULL, get_ada_work, &user, &error));
    g_assert_true(g_str_has_prefix(user->password_hash, "$argon2id$v=19$m=65536,t=2,"));
    g_assert_cmpint(user->last_login_at, >, 0);
    user_free(user);
    log_in(&browser, LOGIN("ada@example.com", PASSWORD));
}

/* --- forgery ---------------------------------------------------------------------------------- */

static void cookies_that_were_altered_or_made_up_are_nobodys(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    log_in(&browser, LOGIN("ada@example.com", PASSWORD));
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
        expect(&browser, "GET", "/api/session", 401);
    }
    g_free(browser.cookie);
    browser.cookie = g_steal_pointer(&good);
    expect(&browser, "GET", "/api/session", 200);
}

static void a_session_is_no_bearer_token(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    log_in(&browser, LOGIN("ada@example.com", PASSWORD));
    g_auto(Answer) answer = get_as(&stage, browser.cookie + strlen("assay="), "/api/session");
    assert_problem(&answer, 401, "AUTHENTICATION_FAILED");
}

static void a_change_needs_the_csrf_token_of_the_same_session(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Browser) first = {.stage = &stage};
    g_auto(Browser) second = {.stage = &stage};
    log_in(&first, LOGIN("ada@example.com", PASSWORD));
    log_in(&second, LOGIN("ada@example.com", PASSWORD));
    g_autofree char *own = g_strdup(first.csrf);
    g_assert_cmpstr(first.csrf, !=, second.csrf);
    const char *const wrong[] = {second.csrf, "", "none"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_free(first.csrf);
        first.csrf = g_strdup(wrong[i]);
        g_auto(Answer) answer = ask(&first, "DELETE", "/api/session", NULL);
        assert_problem(&answer, 403, "PERMISSION_DENIED");
        expect(&first, "GET", "/api/session", 200);
    }
    g_free(first.csrf);
    first.csrf = g_steal_pointer(&own);
    expect(&first, "DELETE", "/api/session", 200);
    expect(&second, "GET", "/api/session", 200);
}

static void a_disabled_user_is_out_at_once(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    log_in(&browser, LOGIN("ada@example.com", PASSWORD));
    User off = {.id = ADA};
    must(run(&stage, NULL, disable_work, &off, &error));
    expect(&browser, "GET", "/api/session", 401);
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
    open_with_ada(&stage);
    ApiServer *plain = stage.api;
    stage.api = start_secure(&stage);
    g_auto(Answer) in = post(&stage, "/api/session", LOGIN("ada@example.com", PASSWORD));
    g_autofree char *cookie = answer_header(&in, "Set-Cookie");
    g_assert_true(g_str_has_prefix(cookie, "__Host-assay=assay_ses_"));
    g_assert_nonnull(strstr(cookie, "; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800; Secure"));
    g_assert_null(strstr(cookie, "Domain"));
    g_auto(Browser) browser = {.stage = &stage};
    keep(&browser, &in);
    expect(&browser, "GET", "/api/session", 200);
    g_autofree char *bound = g_steal_pointer(&browser.cookie);
    browser.cookie = g_strdup(bound + strlen("__Host-"));
    expect(&browser, "GET", "/api/session", 401);
    g_free(browser.cookie);
    browser.cookie = g_steal_pointer(&bound);
    expect(&browser, "DELETE", "/api/session", 200);
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
    open_with_ada(&stage);
    ApiServer *plain = stage.api;
    stage.api = start_secure(&stage);
    g_auto(Browser) browser = {.stage = &stage};
    log_in(&browser, LOGIN("ada@example.com", PASSWORD));
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
    open_with_ada(&stage);
    g_auto(Browser) mine = {.stage = &stage};
    g_auto(Browser) other = {.stage = &stage};
    log_in(&mine, LOGIN("ada@example.com", PASSWORD));
    log_in(&other, LOGIN("ada@example.com", PASSWORD));
    g_auto(Answer) wrong = ask(&mine, "POST", "/api/session/password",
                               "{\"password\":\"wrong horse battery\",\"newPassword\":\"a new "
                               "password\"}");
    assert_problem(&wrong, 403, "PERMISSION_DENIED");
    g_auto(Answer) weak = ask(&mine, "POST", "/api/session/password",
                              "{\"password\":\"" PASSWORD "\",\"newPassword\":\"short\"}");
    assert_problem(&weak, 400, "CONFIGURATION_ERROR");
    expect(&other, "GET", "/api/session", 200);
    g_auto(Answer) done =
        ask(&mine, "POST", "/api/session/password",
            "{\"password\":\"" PASSWORD "\",\"newPassword\":\"another horse battery\"}");
    g_assert_cmpuint(done.status, ==, 200);
    expect(&other, "GET", "/api/session", 401);
    log_in(&other, LOGIN("ada@example.com", "another horse battery"));
}

static void a_new_password_renews_the_session_and_a_copied_cookie_dies(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Browser) mine = {.stage = &stage};
    log_in(&mine, LOGIN("ada@example.com", PASSWORD));
    g_auto(Browser)
        thief = {.stage = &stage, .cookie = g_strdup(mine.cookie), .csrf = g_strdup(mine.csrf)};
    expect(&thief, "GET", "/api/session", 200);
    g_auto(Answer) done =
        ask(&mine, "POST", "/api/session/password",
            "{\"password\":\"" PASSWORD "\",\"newPassword\":\"another horse battery\"}");
    g_assert_cmpuint(done.status, ==, 200);
    g_assert_true(json_member_bool(done.json, "success", false));
    keep(&mine, &done);
    g_assert_cmpstr(mine.cookie, !=, thief.cookie);
    expect(&thief, "GET", "/api/session", 401);
    g_auto(Answer) list = ask(&mine, "GET", "/api/sessions", NULL);
    const Json *sessions = json_member(list.json, "sessions");
    g_assert_cmpuint(json_count(sessions), ==, 1);
    g_assert_true(json_member_bool(json_item(sessions, 0), "current", false));
    expect(&mine, "DELETE", "/api/session", 200); /* with the token of the answer */
}

static void one_sees_and_ends_ones_own_sessions_only(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    add_user(&stage, EVE, "eve@example.com");
    g_auto(Browser) ada = {.stage = &stage};
    g_auto(Browser) eve = {.stage = &stage};
    log_in(&ada, LOGIN("ada@example.com", PASSWORD));
    log_in(&eve, LOGIN("eve@example.com", PASSWORD));
    g_auto(Answer) list = ask(&ada, "GET", "/api/sessions", NULL);
    g_assert_cmpuint(json_count(json_member(list.json, "sessions")), ==, 1);
    const Json *session = json_item(json_member(list.json, "sessions"), 0);
    g_assert_true(json_member_bool(session, "current", false));
    g_autofree char *path =
        g_strdup_printf("/api/sessions/%s", json_member_string(session, "id", ""));
    expect(&eve, "DELETE", path, 404);
    expect(&ada, "GET", "/api/session", 200);
    expect(&ada, "DELETE", path, 200);
    expect(&ada, "GET", "/api/session", 401);
    g_auto(Answer) token = get(&stage, ROLE_OWNER, "/api/sessions");
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
    g_auto(Answer) refused = post(&stage, "/api/setup", weak);
    g_auto(Answer) unknown = post(&stage, "/api/setup", forged);
    g_auto(Answer) done = post(&stage, "/api/setup", body);
    g_auto(Answer) again = post(&stage, "/api/setup", body);
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
    keep(&browser, &done);
    expect(&browser, "GET", "/api/users", 200);
}

static void setting_up_is_noted_with_the_name_that_was_given(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *link = NULL;
    must(first_user_link(stage.db, "https://assay.example", &link, &error));
    g_autofree char *body = setup_body(link, PASSWORD);
    g_auto(Answer) done = post(&stage, "/api/setup", body);
    g_assert_cmpuint(done.status, ==, 201);
    g_auto(Answer) log = get(&stage, ROLE_OWNER, "/api/audit?limit=2");
    const Json *rows = json_member(log.json, "audit");
    const Json *renamed = json_item(rows, 0);
    const Json *set_up = json_item(rows, 1);
    g_assert_cmpstr(json_member_string(renamed, "action", ""), ==, "organization.rename");
    g_assert_cmpstr(json_text(json_path(renamed, "target.name")), ==, "Analytical");
    g_assert_cmpstr(json_text(json_path(renamed, "actor.name")), ==, "ada@example.com");
    g_assert_cmpstr(json_member_string(set_up, "action", ""), ==, "setup.complete");
}

/* --- invitations ------------------------------------------------------------------------------ */

static char *invited_token(const Answer *answer) {
    const char *hash = strchr(answer_text(answer, "link"), '#');
    g_assert_nonnull(hash);
    return g_strdup(hash + 1);
}

static void an_invitation_makes_a_member_once(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) invited = send_to(&stage, ROLE_ADMIN, "POST", "/api/invitations",
                                     "{\"email\":\"Eve@Example.com\",\"role\":\"auditor\","
                                     "\"periodFrom\":\"2026-01-01T00:00:00Z\"}");
    g_assert_cmpuint(invited.status, ==, 201);
    g_autofree char *token = invited_token(&invited);
    g_autofree char *lookup = g_strdup_printf("{\"token\":\"%s\"}", token);
    g_autofree char *answer =
        g_strdup_printf("{\"token\":\"%s\",\"name\":\"Eve\",\"password\":\"" PASSWORD "\"}", token);
    g_auto(Answer) offer = post(&stage, "/api/invitations/lookup", lookup);
    g_assert_cmpstr(answer_text(&offer, "email"), ==, "eve@example.com");
    g_assert_false(json_member_bool(offer.json, "hasAccount", true));
    g_auto(Answer) joined = post(&stage, "/api/invitations/accept", answer);
    g_assert_cmpuint(joined.status, ==, 201);
    g_auto(Browser) eve = {.stage = &stage};
    keep(&eve, &joined);
    expect(&eve, "GET", "/api/audit", 200);
    expect(&eve, "GET", "/api/tokens", 403);
    g_auto(Answer) again = post(&stage, "/api/invitations/accept", answer);
    g_auto(Answer) gone = post(&stage, "/api/invitations/lookup", lookup);
    assert_problem(&again, 404, "CONFIGURATION_ERROR");
    assert_problem(&gone, 404, "CONFIGURATION_ERROR");
    log_in(&eve, LOGIN("eve@example.com", PASSWORD));
}

static void whoever_has_an_account_joins_with_its_password(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    add_user(&stage, EVE, "eve@example.com");
    g_auto(Answer) invited = send_to(&stage, ROLE_OWNER, "POST", "/api/invitations",
                                     "{\"email\":\"eve@example.com\",\"role\":\"member\"}");
    g_autofree char *token = invited_token(&invited);
    g_autofree char *wrong =
        g_strdup_printf("{\"token\":\"%s\",\"password\":\"a password of my own\"}", token);
    g_autofree char *right =
        g_strdup_printf("{\"token\":\"%s\",\"password\":\"" PASSWORD "\"}", token);
    g_auto(Answer) refused = post(&stage, "/api/invitations/accept", wrong);
    g_auto(Answer) joined = post(&stage, "/api/invitations/accept", right);
    assert_problem(&refused, 401, "AUTHENTICATION_FAILED");
    g_assert_cmpuint(joined.status, ==, 201);
    g_assert_cmpstr(answer_text(&joined, "id"), ==, EVE);
}

static void an_invitation_is_listed_and_taken_back(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) invited = send_to(&stage, ROLE_OWNER, "POST", "/api/invitations",
                                     "{\"email\":\"eve@example.com\",\"role\":\"member\"}");
    g_autofree char *token = invited_token(&invited);
    g_autofree char *lookup = g_strdup_printf("{\"token\":\"%s\"}", token);
    g_autofree char *path =
        g_strdup_printf("/api/invitations/%s", answer_text(&invited, "invitation.id"));
    g_auto(Answer) list = get(&stage, ROLE_MEMBER, "/api/invitations");
    g_assert_cmpuint(json_count(json_member(list.json, "invitations")), ==, 1);
    g_assert_null(strstr(list.body, token));
    g_auto(Answer) foreign =
        stage_ask(&stage, &(Ask){.method = "DELETE", .path = path, .token = stage.stranger});
    g_auto(Answer) member = send_to(&stage, ROLE_MEMBER, "DELETE", path, NULL);
    g_auto(Answer) done = send_to(&stage, ROLE_OWNER, "DELETE", path, NULL);
    g_auto(Answer) gone = post(&stage, "/api/invitations/lookup", lookup);
    g_assert_cmpuint(foreign.status, ==, 404);
    g_assert_cmpuint(member.status, ==, 403);
    g_assert_cmpuint(done.status, ==, 200);
    g_assert_cmpuint(gone.status, ==, 404);
}

static void nobody_gives_more_than_he_may(void) {
    static const char *const bodies[] = {
        "{\"email\":\"x@example.com\",\"name\":\"x\",\"role\":\"owner\"}",
        "{\"email\":\"x@example.com\",\"name\":\"x\",\"role\":\"admin\",\"grants\":[\"credentials:"
        "read\"]}"};
    static const char *const paths[] = {"/api/invitations", "/api/tokens"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t path = 0; path < G_N_ELEMENTS(paths); path++) {
        for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
            g_autoptr(Json) body = json_parse(bodies[i], strlen(bodies[i]), 1000, NULL);
            json_remove(body, path == 0 ? "name" : "email");
            g_autofree char *text = json_print(body, JSON_COMPACT);
            g_auto(Answer) admin = send_to(&stage, ROLE_ADMIN, "POST", paths[path], text);
            g_auto(Answer) owner = send_to(&stage, ROLE_OWNER, "POST", paths[path], text);
            assert_problem(&admin, 403, "PERMISSION_DENIED");
            g_assert_cmpuint(owner.status, ==, 201);
        }
    }
}

/* Neither one's own nor what a token of one's own has sent out. */
static void an_invitation_goes_with_who_has_invited(void) {
    static const char *const lookup = "{\"token\":\"%s\"}";
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Browser) ada = {.stage = &stage};
    log_in(&ada, LOGIN("ada@example.com", PASSWORD));
    add_user(&stage, EVE, "eve@example.com");
    add_member(&stage, ORG_A, EVE, "owner");
    g_auto(Answer) made = ask(&ada, "POST", "/api/tokens", "{\"name\":\"ci\",\"role\":\"admin\"}");
    g_assert_cmpuint(made.status, ==, 201);
    g_auto(Answer) own =
        ask(&ada, "POST", "/api/invitations", "{\"email\":\"x@example.com\",\"role\":\"admin\"}");
    g_auto(Answer) others =
        stage_ask(&stage, &(Ask){.method = "POST",
                                 .path = "/api/invitations",
                                 .token = answer_text(&made, "token"),
                                 .body = "{\"email\":\"y@example.com\",\"role\":\"admin\"}"});
    g_assert_cmpstr(answer_text(&own, "invitation.invitedBy"), ==, ADA);
    g_assert_cmpstr(answer_text(&others, "invitation.invitedBy"), ==, ADA);
    g_autofree char *first = invited_token(&own);
    g_autofree char *second = invited_token(&others);
    g_autofree char *look_first = g_strdup_printf(lookup, first);
    g_autofree char *look_second = g_strdup_printf(lookup, second);
    g_auto(Answer) open = post(&stage, "/api/invitations/lookup", look_second);
    g_assert_cmpuint(open.status, ==, 200);
    g_auto(Answer) gone = send_to(&stage, ROLE_OWNER, "DELETE", "/api/users/" ADA, NULL);
    g_assert_cmpuint(gone.status, ==, 200);
    g_auto(Answer) void_first = post(&stage, "/api/invitations/lookup", look_first);
    g_auto(Answer) void_second = post(&stage, "/api/invitations/lookup", look_second);
    assert_problem(&void_first, 404, "CONFIGURATION_ERROR");
    assert_problem(&void_second, 404, "CONFIGURATION_ERROR");
    g_auto(Answer) list = get(&stage, ROLE_OWNER, "/api/invitations");
    g_assert_cmpuint(json_count(json_member(list.json, "invitations")), ==, 0);
}

/* --- members ---------------------------------------------------------------------------------- */

static void roles_are_given_and_taken(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    add_user(&stage, EVE, "eve@example.com");
    add_member(&stage, ORG_A, EVE, "member");
    g_auto(Answer) last =
        send_to(&stage, ROLE_OWNER, "PATCH", "/api/users/" ADA, "{\"role\":\"member\"}");
    assert_problem(&last, 409, "CONFIGURATION_ERROR");
    g_auto(Answer) by_admin = send_to(&stage, ROLE_ADMIN, "DELETE", "/api/users/" ADA, NULL);
    assert_problem(&by_admin, 403, "PERMISSION_DENIED");
    g_auto(Answer) odd = send_to(&stage, ROLE_OWNER, "PATCH", "/api/users/" EVE,
                                 "{\"role\":\"scanner\",\"integrations\":[\"" INTEGRATION_B "\"]}");
    g_assert_cmpuint(odd.status, ==, 404);
    g_auto(Answer) done = send_to(&stage, ROLE_OWNER, "PATCH", "/api/users/" EVE,
                                  "{\"role\":\"owner\",\"grants\":[\"credentials:read\"]}");
    g_assert_cmpuint(done.status, ==, 200);
    g_assert_cmpstr(answer_text(&done, "role"), ==, "owner");
    g_auto(Answer) gone = send_to(&stage, ROLE_OWNER, "DELETE", "/api/users/" ADA, NULL);
    g_auto(Answer) missing = get(&stage, ROLE_OWNER, "/api/users/" ADA);
    g_assert_cmpuint(gone.status, ==, 200);
    g_assert_cmpuint(missing.status, ==, 404);
    g_auto(Answer) foreign = get_as(&stage, stage.stranger, "/api/users/" EVE);
    g_assert_cmpuint(foreign.status, ==, 404);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void a_token_is_shown_once_and_works_until_it_is_revoked(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) made = send_to(&stage, ROLE_OWNER, "POST", "/api/tokens",
                                  "{\"name\":\"nightly\",\"role\":\"scanner\","
                                  "\"integrations\":[\"" INTEGRATION_A "\"]}");
    g_assert_cmpuint(made.status, ==, 201);
    const char *token = answer_text(&made, "token");
    g_assert_true(g_str_has_prefix(token, "assay_scan_"));
    g_autofree char *path = g_strdup_printf("/api/tokens/%s", answer_text(&made, "tokenInfo.id"));
    g_auto(Answer) list = get(&stage, ROLE_OWNER, "/api/tokens");
    g_assert_null(strstr(list.body, token));
    g_auto(Answer) works = get_as(&stage, token, "/api/session");
    g_assert_cmpstr(answer_text(&works, "kind"), ==, "token");
    g_assert_true(json_kind(json_member(works.json, "csrfToken")) == JSON_KIND_NULL);
    g_auto(Answer) foreign =
        stage_ask(&stage, &(Ask){.method = "DELETE", .path = path, .token = stage.stranger});
    g_assert_cmpuint(foreign.status, ==, 404);
    g_auto(Answer) revoked = send_to(&stage, ROLE_OWNER, "DELETE", path, NULL);
    g_assert_cmpuint(revoked.status, ==, 200);
    g_auto(Answer) dead = get_as(&stage, token, "/api/integrations");
    g_assert_cmpuint(dead.status, ==, 404);
}

static void assert_token(const Stage *stage, const char *token, unsigned status) {
    g_auto(Answer) answer = get_as(stage, token, "/api/organization");
    g_assert_cmpuint(answer.status, ==, status);
}

/* Also one that was made by a token of his. */
static void a_token_ends_with_what_its_maker_may(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Browser) ada = {.stage = &stage};
    log_in(&ada, LOGIN("ada@example.com", PASSWORD));
    g_auto(Answer) made =
        ask(&ada, "POST", "/api/tokens", "{\"name\":\"first\",\"role\":\"admin\"}");
    g_assert_cmpuint(made.status, ==, 201);
    const char *first = answer_text(&made, "token");
    g_auto(Answer) again = stage_ask(&stage, &(Ask){.method = "POST",
                                                    .path = "/api/tokens",
                                                    .token = first,
                                                    .body = "{\"name\":\"second\","
                                                            "\"role\":\"member\"}"});
    g_assert_cmpuint(again.status, ==, 201);
    const char *second = answer_text(&again, "token");
    assert_token(&stage, first, 200);
    assert_token(&stage, second, 200);
    add_user(&stage, EVE, "eve@example.com");
    add_member(&stage, ORG_A, EVE, "owner");
    g_auto(Answer) lowered =
        send_to(&stage, ROLE_OWNER, "PATCH", "/api/users/" ADA, "{\"role\":\"member\"}");
    g_assert_cmpuint(lowered.status, ==, 200);
    assert_token(&stage, first, 404);
    assert_token(&stage, second, 404);
    g_auto(Answer) raised =
        send_to(&stage, ROLE_OWNER, "PATCH", "/api/users/" ADA, "{\"role\":\"admin\"}");
    g_assert_cmpuint(raised.status, ==, 200);
    assert_token(&stage, first, 200);
    g_auto(Answer) gone = send_to(&stage, ROLE_OWNER, "DELETE", "/api/users/" ADA, NULL);
    g_assert_cmpuint(gone.status, ==, 200);
    assert_token(&stage, first, 404);
    assert_token(&stage, second, 404);
    assert_token(&stage, stage.tokens[ROLE_OWNER], 200);
}

static void no_answer_with_a_secret_is_kept_for_a_key(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    Ask twice = {.method = "POST",
                 .path = "/api/tokens",
                 .token = stage.tokens[ROLE_OWNER],
                 .headers = "Idempotency-Key: same\r\n",
                 .body = "{\"name\":\"nightly\",\"role\":\"member\"}"};
    g_auto(Answer) token = stage_ask(&stage, &twice);
    assert_problem(&token, 400, "CONFIGURATION_ERROR");
    twice.path = "/api/organizations";
    twice.token = stage.operator;
    twice.body = "{\"name\":\"Gamma\"}";
    g_auto(Answer) organization = stage_ask(&stage, &twice);
    assert_problem(&organization, 400, "CONFIGURATION_ERROR");
}

/* --- organizations ---------------------------------------------------------------------------- */

static void organizations_are_the_operators_to_make_and_the_owners_to_rename(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    Ask make = {.method = "POST",
                .path = "/api/organizations",
                .token = stage.operator,
                .body = "{\"name\":\"Gamma\"}" };
    g_auto(Answer) made = stage_ask(&stage, &make);
    g_auto(Answer) taken = stage_ask(&stage, &make);
    g_auto(Answer) owner =
        send_to(&stage, ROLE_OWNER, "POST", "/api/organizations", "{\"name\":\"Delta\"}");
    g_auto(Answer) list = get_as(&stage, stage.operator, "/api/organizations");
    g_auto(Answer) clash =
        send_to(&stage, ROLE_OWNER, "PATCH", "/api/organization", "{\"name\":\"Gamma\"}");
    g_auto(Answer) renamed =
        send_to(&stage, ROLE_OWNER, "PATCH", "/api/organization", "{\"name\":\"Omega\"}");
    g_auto(Answer) member =
        send_to(&stage, ROLE_MEMBER, "PATCH", "/api/organization", "{\"name\":\"Psi\"}");
    g_assert_cmpuint(made.status, ==, 201);
    g_assert_cmpuint(taken.status, ==, 409);
    g_assert_cmpuint(owner.status, ==, 403);
    g_assert_cmpuint(json_count(json_member(list.json, "organizations")), ==, 3);
    g_assert_cmpuint(clash.status, ==, 409);
    g_assert_cmpstr(answer_text(&renamed, "name"), ==, "Omega");
    g_assert_cmpuint(member.status, ==, 403);
}

/* --- audit ------------------------------------------------------------------------------------ */

static void an_owner_deletes_his_organization_by_its_name(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    static const char wrong[] = "/api/organization?confirm=Beta";
    static const char right[] = "/api/organization?confirm=Alpha";
    g_auto(Answer) silent = send_to(&stage, ROLE_OWNER, "DELETE", "/api/organization", NULL);
    assert_problem(&silent, 400, "CONFIGURATION_ERROR");
    g_auto(Answer) other = send_to(&stage, ROLE_OWNER, "DELETE", wrong, NULL);
    assert_problem(&other, 400, "CONFIGURATION_ERROR");
    g_auto(Answer) admin = send_to(&stage, ROLE_ADMIN, "DELETE", right, NULL);
    assert_problem(&admin, 403, "PERMISSION_DENIED");
    g_auto(Answer) done = send_to(&stage, ROLE_OWNER, "DELETE", right, NULL);
    g_assert_cmpuint(done.status, ==, 200);
    assert_token(&stage, stage.tokens[ROLE_OWNER], 404);
    assert_token(&stage, stage.stranger, 200);
    g_auto(Answer) list = get_as(&stage, stage.operator, "/api/organizations");
    g_assert_cmpuint(json_count(json_member(list.json, "organizations")), ==, 1);
    g_auto(Answer) log = get_as(&stage, stage.operator, "/api/installation/audit");
    g_assert_nonnull(strstr(log.body, "organization.delete"));
    g_auto(Answer) again = stage_ask(&stage, &(Ask){.method = "POST",
                                                    .path = "/api/organizations",
                                                    .token = stage.operator,
                                                    .body = "{\"name\":\"Alpha\"}" });
    g_assert_cmpuint(again.status, ==, 201);
}

static void what_was_done_is_in_the_audit_log_with_a_proof_and_in_the_activity(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Browser) ada = {.stage = &stage};
    log_in(&ada, LOGIN("ada@example.com", PASSWORD));
    g_auto(Answer) invited = ask(&ada, "POST", "/api/invitations",
                                 "{\"email\":\"eve@example.com\",\"role\":\"member\"}");
    g_assert_cmpuint(invited.status, ==, 201);
    g_auto(Answer) list = ask(&ada, "GET", "/api/audit?action=member.", NULL);
    const Json *entry = json_item(json_member(list.json, "audit"), 0);
    g_assert_cmpstr(json_member_string(entry, "action", ""), ==, "member.invite");
    g_assert_cmpstr(json_text(json_path(entry, "actor.name")), ==, "ada@example.com");
    g_assert_cmpstr(json_text(json_path(entry, "actor.address")), ==, "127.0.0.1");
    g_assert_nonnull(json_text(json_path(entry, "actor.requestId")));
    g_autofree char *path =
        g_strdup_printf("/api/audit/%s/proof", json_member_string(entry, "id", ""));
    int64_t sealed = 0;
    must(audit_tree_sequence(stage.db, 10, &sealed, &error));
    g_auto(Answer) proof = ask(&ada, "GET", path, NULL);
    g_assert_cmpuint(proof.status, ==, 200);
    g_assert_nonnull(strstr(answer_text(&proof, "record"), "member.invite"));
    g_auto(Answer) activity = ask(&ada, "GET", "/api/activity", NULL);
    const Json *first = json_item(json_member(activity.json, "activity"), 0);
    g_assert_cmpstr(json_member_string(first, "sentence", ""), ==,
                    "ada@example.com invited eve@example.com");
    g_auto(Answer) logins = ask(&ada, "GET", "/api/audit?action=session.login", NULL);
    g_assert_cmpuint(json_count(json_member(logins.json, "audit")), ==, 1);
}

static void failed_logins_are_the_installations_to_see(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Answer) wrong =
        post(&stage, "/api/session", LOGIN("ada@example.com", "wrong horse battery"));
    g_auto(Answer) list = get_as(&stage, stage.operator, "/api/installation/audit?result=denied");
    g_auto(Answer) owner = get(&stage, ROLE_OWNER, "/api/installation/audit");
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
        send_to(&stage, ROLE_MEMBER, "PATCH", "/api/organization", "{\"name\":\"Psi\"}");
    g_auto(Answer) look = get(&stage, ROLE_MEMBER, "/api/tokens");
    g_auto(Answer) operators =
        send_to(&stage, ROLE_OWNER, "POST", "/api/organizations", "{\"name\":\"Psi\"}");
    g_assert_cmpuint(change.status, ==, 403);
    g_assert_cmpuint(look.status, ==, 403);
    g_assert_cmpuint(operators.status, ==, 403);
    g_auto(Answer) list = get(&stage, ROLE_OWNER, "/api/audit");
    const Json *rows = json_member(list.json, "audit");
    g_assert_cmpuint(json_count(rows), ==, 1);
    g_assert_cmpstr(json_text(json_path(json_item(rows, 0), "details.operation")), ==,
                    "changeOrganization");
    g_auto(Answer) whole = get_as(&stage, stage.operator, "/api/installation/audit");
    g_assert_cmpuint(json_count(json_member(whole.json, "audit")), ==, 1);
}

/* Who is in no organization is noted with the installation; what a browser was tricked into sending
 * is nobody's attempt. */
static void a_wrong_present_password_is_noted_and_a_forged_request_is_not(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Browser) mine = {.stage = &stage};
    log_in(&mine, LOGIN("ada@example.com", PASSWORD));
    g_auto(Browser) forged = {.stage = &stage, .cookie = g_strdup(mine.cookie)};
    expect(&forged, "DELETE", "/api/session", 403);
    g_auto(Answer) wrong = ask(&mine, "POST", "/api/session/password",
                               "{\"password\":\"wrong horse battery\",\"newPassword\":\"a new "
                               "password\"}");
    assert_problem(&wrong, 403, "PERMISSION_DENIED");
    g_auto(Answer) list =
        get_as(&stage, stage.operator, "/api/installation/audit?action=request.deny");
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
        g_auto(Answer) made = send_to(&stage, ROLE_OWNER, "POST", "/api/tokens",
                                      "{\"name\":\"nightly\",\"role\":\"member\"}");
        g_assert_cmpuint(made.status, ==, 201);
    }
    g_auto(Answer) exported =
        get(&stage, ROLE_OWNER, "/api/audit/export?action=token.create&order=oldest");
    g_autofree char *type = answer_header(&exported, "Content-Type");
    g_auto(GStrv) lines = g_strsplit(exported.body, "\n", -1);
    g_assert_cmpstr(type, ==, "application/x-ndjson");
    g_assert_cmpuint(g_strv_length(lines), ==, 4); /* the last is empty */
    g_auto(Answer) member = get(&stage, ROLE_MEMBER, "/api/audit/export");
    g_assert_cmpuint(member.status, ==, 403);
}

/* --- floods ----------------------------------------------------------------------------------- */

static void a_flood_of_logins_leaves_room_for_others(void) {
    enum { FLOOD = 100 };
    g_auto(Stage) stage;
    open_with_ada(&stage);
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
    g_auto(Answer) ordinary = get(&stage, ROLE_OWNER, "/api/users");
    g_assert_cmpuint(ordinary.status, ==, 200);
    for (int i = 0; i < FLOOD; i++) {
        g_auto(Answer) answer = stage_read(connections[i], false);
        g_assert_true(answer.status == 401 || answer.status == 429);
        refused += answer.status == 429;
    }
    g_assert_cmpuint(refused, >, 0);
}

static const ApiTest tests[] = {
#define TEST(name)                                                                                 \
    { #name, name }
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
    TEST(an_invitation_makes_a_member_once),
    TEST(whoever_has_an_account_joins_with_its_password),
    TEST(an_invitation_is_listed_and_taken_back),
    TEST(an_invitation_goes_with_who_has_invited),
    TEST(nobody_gives_more_than_he_may),
    TEST(roles_are_given_and_taken),
    TEST(a_token_is_shown_once_and_works_until_it_is_revoked),
    TEST(a_token_ends_with_what_its_maker_may),
    TEST(no_answer_with_a_secret_is_kept_for_a_key),
    TEST(organizations_are_the_operators_to_make_and_the_owners_to_rename),
    TEST(an_owner_deletes_his_organization_by_its_name),
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
