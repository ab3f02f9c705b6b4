/* api_browser.h - people with a password, and browsers in which they are logged in.
 *
 * Passwords cost what they cost: the hashes that are put into the database are cheap ones, so that
 * the first login also finds them outdated. Every answer is held to the form that its route
 * promises. A Browser borrows its stage.
 */
#pragma once

#include "unit/api_support.h"

#define ADA "01890000-0000-7000-8000-000000000ada"
#define EVE "01890000-0000-7000-8000-000000000e5e"
#define PASSWORD "correct horse battery"
#define LOGIN(email, password) "{\"email\":\"" email "\",\"password\":\"" password "\"}"

/* A user whose password is PASSWORD. */
void stage_add_user(const Stage *stage, const char *id, const char *email);
void stage_add_member(const Stage *stage, const char *organization, const char *user,
                      const char *role);
/* A stage whose organization A is ada's: ada@example.com. */
void stage_init_with_ada(Stage *stage);

typedef struct {
    const Stage *stage;
    char *cookie; /* "assay=..." */
    char *csrf;
} Browser;

void browser_clear(Browser *browser);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Browser, browser_clear)

/* Keeps the cookie and the CSRF token of an answer. */
void browser_keep(Browser *browser, const Answer *answer);
/* Logs in, which must succeed; body: LOGIN(). */
void browser_log_in(Browser *browser, const char *body);
Answer browser_ask(const Browser *browser, const char *method, const char *path, const char *body);
/* Asserts the status of an answer. */
void browser_expect(const Browser *browser, const char *method, const char *path, unsigned status);

/* From nobody; as a role of A; with a token. */
Answer checked_post(const Stage *stage, const char *path, const char *body);
Answer checked_send(const Stage *stage, Role role, const char *method, const char *path,
                    const char *body);
Answer checked_get(const Stage *stage, Role role, const char *path);
Answer checked_get_as(const Stage *stage, const char *token, const char *path);
