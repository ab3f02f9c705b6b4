#include "unit/api_browser.h"

#include "base/secmem.h"
#include "store/membership.h"
#include "store/user.h"
#include "vault/password.h"

#include <string.h>

/* --- people ----------------------------------------------------------------------------------- */

static bool add_user_work(DbUnit *unit, void *user, GError **error) {
    return user_insert(unit, user, error);
}

static bool add_member_work(DbUnit *unit, void *membership, GError **error) {
    return membership_insert(unit, membership, error);
}

void stage_add_user(const Stage *stage, const char *id, const char *email) {
    const PasswordCost cheap = {.passes = 1, .bytes = 8192};
    g_autoptr(Secret) password = NULL;
    g_autofree char *hash = NULL;
    must((password = secret_new(PASSWORD, strlen(PASSWORD), &error)) != NULL);
    must(password_hash(password, &cheap, &hash, &error));
    User user = {.id = id, .email = email, .name = email, .password_hash = hash};
    must(stage_run(stage, NULL, add_user_work, &user, &error));
}

void stage_add_member(const Stage *stage, const char *organization, const char *user,
                      const char *role) {
    Membership membership = {.user_id = user, .role = role};
    must(stage_run(stage, organization, add_member_work, &membership, &error));
}

/* Ada owns A. */
void stage_init_with_ada(Stage *stage) {
    stage_init(stage, 0);
    stage_add_user(stage, ADA, "ada@example.com");
    stage_add_member(stage, ORG_A, ADA, "owner");
}

/* --- browsers --------------------------------------------------------------------------------- */

void browser_clear(Browser *browser) {
    g_free(browser->cookie);
    g_free(browser->csrf);
}
void browser_keep(Browser *browser, const Answer *answer) {
    g_autofree char *set = answer_header(answer, "Set-Cookie");
    g_assert_nonnull(set);
    browser_clear(browser);
    browser->cookie = g_strndup(set, strcspn(set, ";"));
    browser->csrf = g_strdup(answer_text(answer, "csrfToken"));
}

Answer browser_ask(const Browser *browser, const char *method, const char *path, const char *body) {
    g_autofree char *headers = g_strdup_printf("Cookie: %s\r\nX-CSRF-Token: %s\r\n",
                                               browser->cookie ? browser->cookie : "none=1",
                                               browser->csrf ? browser->csrf : "none");
    Answer answer = stage_ask(
        browser->stage, &(Ask){.method = method, .path = path, .headers = headers, .body = body});
    assert_form(method, path, &answer);
    return answer;
}

Answer checked_post(const Stage *stage, const char *path, const char *body) {
    Answer answer = stage_ask(stage, &(Ask){.method = "POST", .path = path, .body = body});
    assert_form("POST", path, &answer);
    return answer;
}

Answer checked_send(const Stage *stage, Role role, const char *method, const char *path,
                    const char *body) {
    Answer answer = stage_send(stage, role, method, path, body);
    assert_form(method, path, &answer);
    return answer;
}

Answer checked_get(const Stage *stage, Role role, const char *path) {
    Answer answer = stage_get(stage, role, path);
    assert_form("GET", path, &answer);
    return answer;
}

Answer checked_get_as(const Stage *stage, const char *token, const char *path) {
    Answer answer = stage_ask(stage, &(Ask){.path = path, .token = token});
    assert_form("GET", path, &answer);
    return answer;
}

void browser_log_in(Browser *browser, const char *body) {
    g_auto(Answer) answer = checked_post(browser->stage, "/api/session", body);
    g_assert_cmpuint(answer.status, ==, 200);
    browser_keep(browser, &answer);
}

void browser_expect(const Browser *browser, const char *method, const char *path, unsigned status) {
    g_auto(Answer) answer = browser_ask(browser, method, path, NULL);
    if (answer.status != status)
        g_error("%s %s: %u: %s", method, path, answer.status, answer.body);
}
