/* Whoever is in an organization, and what lets others in: invitations, roles, tokens. */
#include "base/clock.h"
#include "store/user.h"
#include "unit/api_browser.h"

#include <string.h>

/* --- invitations ------------------------------------------------------------------------------ */

static char *invited_token(const Answer *answer) {
    const char *hash = strchr(answer_text(answer, "link"), '#');
    g_assert_nonnull(hash);
    return g_strdup(hash + 1);
}

static void an_invitation_makes_a_member_once(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) invited = checked_send(&stage, ROLE_ADMIN, "POST", "/api/invitations",
                                          "{\"email\":\"Eve@Example.com\",\"role\":\"auditor\","
                                          "\"periodFrom\":\"2026-01-01T00:00:00Z\"}");
    g_assert_cmpuint(invited.status, ==, 201);
    g_autofree char *token = invited_token(&invited);
    g_autofree char *lookup = g_strdup_printf("{\"token\":\"%s\"}", token);
    g_autofree char *answer =
        g_strdup_printf("{\"token\":\"%s\",\"name\":\"Eve\",\"password\":\"" PASSWORD "\"}", token);
    g_auto(Answer) offer = checked_post(&stage, "/api/invitations/lookup", lookup);
    g_assert_cmpstr(answer_text(&offer, "email"), ==, "eve@example.com");
    g_assert_false(json_member_bool(offer.json, "hasAccount", true));
    g_auto(Answer) joined = checked_post(&stage, "/api/invitations/accept", answer);
    g_assert_cmpuint(joined.status, ==, 201);
    g_auto(Browser) eve = {.stage = &stage};
    browser_keep(&eve, &joined);
    browser_expect(&eve, "GET", "/api/audit", 200);
    browser_expect(&eve, "GET", "/api/tokens", 403);
    g_auto(Answer) again = checked_post(&stage, "/api/invitations/accept", answer);
    g_auto(Answer) gone = checked_post(&stage, "/api/invitations/lookup", lookup);
    assert_problem(&again, 404, "CONFIGURATION_ERROR");
    assert_problem(&gone, 404, "CONFIGURATION_ERROR");
    browser_log_in(&eve, LOGIN("eve@example.com", PASSWORD));
}

static void whoever_has_an_account_joins_with_its_password(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    stage_add_user(&stage, EVE, "eve@example.com");
    g_auto(Answer) invited = checked_send(&stage, ROLE_OWNER, "POST", "/api/invitations",
                                          "{\"email\":\"eve@example.com\",\"role\":\"member\"}");
    g_autofree char *token = invited_token(&invited);
    g_autofree char *wrong =
        g_strdup_printf("{\"token\":\"%s\",\"password\":\"a password of my own\"}", token);
    g_autofree char *right =
        g_strdup_printf("{\"token\":\"%s\",\"password\":\"" PASSWORD "\"}", token);
    g_auto(Answer) refused = checked_post(&stage, "/api/invitations/accept", wrong);
    g_auto(Answer) joined = checked_post(&stage, "/api/invitations/accept", right);
    assert_problem(&refused, 401, "AUTHENTICATION_FAILED");
    g_assert_cmpuint(joined.status, ==, 201);
    g_assert_cmpstr(answer_text(&joined, "id"), ==, EVE);
}

static void an_invitation_is_listed_and_taken_back(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) invited = checked_send(&stage, ROLE_OWNER, "POST", "/api/invitations",
                                          "{\"email\":\"eve@example.com\",\"role\":\"member\"}");
    g_autofree char *token = invited_token(&invited);
    g_autofree char *lookup = g_strdup_printf("{\"token\":\"%s\"}", token);
    g_autofree char *path =
        g_strdup_printf("/api/invitations/%s", answer_text(&invited, "invitation.id"));
    g_auto(Answer) list = checked_get(&stage, ROLE_MEMBER, "/api/invitations");
    g_assert_cmpuint(json_count(json_member(list.json, "invitations")), ==, 1);
    g_assert_null(strstr(list.body, token));
    g_auto(Answer) foreign =
        stage_ask(&stage, &(Ask){.method = "DELETE", .path = path, .token = stage.stranger});
    g_auto(Answer) member = checked_send(&stage, ROLE_MEMBER, "DELETE", path, NULL);
    g_auto(Answer) done = checked_send(&stage, ROLE_OWNER, "DELETE", path, NULL);
    g_auto(Answer) gone = checked_post(&stage, "/api/invitations/lookup", lookup);
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
            g_auto(Answer) admin = checked_send(&stage, ROLE_ADMIN, "POST", paths[path], text);
            g_auto(Answer) owner = checked_send(&stage, ROLE_OWNER, "POST", paths[path], text);
            assert_problem(&admin, 403, "PERMISSION_DENIED");
            g_assert_cmpuint(owner.status, ==, 201);
        }
    }
}

static char *lookup_body(const Answer *invited) {
    g_autofree char *token = invited_token(invited);
    return g_strdup_printf("{\"token\":\"%s\"}", token);
}

/* Neither one's own nor what a token of one's own has sent out. */
static void an_invitation_goes_with_who_has_invited(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) ada = {.stage = &stage};
    browser_log_in(&ada, LOGIN("ada@example.com", PASSWORD));
    stage_add_user(&stage, EVE, "eve@example.com");
    stage_add_member(&stage, ORG_A, EVE, "owner");
    g_auto(Answer) made =
        browser_ask(&ada, "POST", "/api/tokens", "{\"name\":\"ci\",\"role\":\"admin\"}");
    g_assert_cmpuint(made.status, ==, 201);
    g_auto(Answer) own = browser_ask(&ada, "POST", "/api/invitations",
                                     "{\"email\":\"x@example.com\",\"role\":\"admin\"}");
    g_auto(Answer) others =
        stage_ask(&stage, &(Ask){.method = "POST",
                                 .path = "/api/invitations",
                                 .token = answer_text(&made, "token"),
                                 .body = "{\"email\":\"y@example.com\",\"role\":\"admin\"}"});
    g_assert_cmpstr(answer_text(&own, "invitation.invitedBy"), ==, ADA);
    g_assert_cmpstr(answer_text(&others, "invitation.invitedBy"), ==, ADA);
    g_autofree char *look_first = lookup_body(&own);
    g_autofree char *look_second = lookup_body(&others);
    g_auto(Answer) open = checked_post(&stage, "/api/invitations/lookup", look_second);
    g_assert_cmpuint(open.status, ==, 200);
    g_auto(Answer) gone = checked_send(&stage, ROLE_OWNER, "DELETE", "/api/users/" ADA, NULL);
    g_assert_cmpuint(gone.status, ==, 200);
    g_auto(Answer) void_first = checked_post(&stage, "/api/invitations/lookup", look_first);
    g_auto(Answer) void_second = checked_post(&stage, "/api/invitations/lookup", look_second);
    assert_problem(&void_first, 404, "CONFIGURATION_ERROR");
    assert_problem(&void_second, 404, "CONFIGURATION_ERROR");
    g_auto(Answer) list = checked_get(&stage, ROLE_OWNER, "/api/invitations");
    g_assert_cmpuint(json_count(json_member(list.json, "invitations")), ==, 0);
}

/* --- members ---------------------------------------------------------------------------------- */

static void roles_are_given_and_taken(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    stage_add_user(&stage, EVE, "eve@example.com");
    stage_add_member(&stage, ORG_A, EVE, "member");
    g_auto(Answer) last =
        checked_send(&stage, ROLE_OWNER, "PATCH", "/api/users/" ADA, "{\"role\":\"member\"}");
    assert_problem(&last, 409, "CONFIGURATION_ERROR");
    g_auto(Answer) by_admin = checked_send(&stage, ROLE_ADMIN, "DELETE", "/api/users/" ADA, NULL);
    assert_problem(&by_admin, 403, "PERMISSION_DENIED");
    g_auto(Answer) odd =
        checked_send(&stage, ROLE_OWNER, "PATCH", "/api/users/" EVE,
                     "{\"role\":\"scanner\",\"integrations\":[\"" INTEGRATION_B "\"]}");
    g_assert_cmpuint(odd.status, ==, 404);
    g_auto(Answer) done = checked_send(&stage, ROLE_OWNER, "PATCH", "/api/users/" EVE,
                                       "{\"role\":\"owner\",\"grants\":[\"credentials:read\"]}");
    g_assert_cmpuint(done.status, ==, 200);
    g_assert_cmpstr(answer_text(&done, "role"), ==, "owner");
    g_auto(Answer) gone = checked_send(&stage, ROLE_OWNER, "DELETE", "/api/users/" ADA, NULL);
    g_auto(Answer) missing = checked_get(&stage, ROLE_OWNER, "/api/users/" ADA);
    g_assert_cmpuint(gone.status, ==, 200);
    g_assert_cmpuint(missing.status, ==, 404);
    g_auto(Answer) foreign = checked_get_as(&stage, stage.stranger, "/api/users/" EVE);
    g_assert_cmpuint(foreign.status, ==, 404);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void a_token_is_shown_once_and_works_until_it_is_revoked(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) made = checked_send(&stage, ROLE_OWNER, "POST", "/api/tokens",
                                       "{\"name\":\"nightly\",\"role\":\"scanner\","
                                       "\"integrations\":[\"" INTEGRATION_A "\"]}");
    g_assert_cmpuint(made.status, ==, 201);
    const char *token = answer_text(&made, "token");
    g_assert_true(g_str_has_prefix(token, "assay_scan_"));
    g_autofree char *path = g_strdup_printf("/api/tokens/%s", answer_text(&made, "tokenInfo.id"));
    g_auto(Answer) list = checked_get(&stage, ROLE_OWNER, "/api/tokens");
    g_assert_null(strstr(list.body, token));
    g_auto(Answer) works = checked_get_as(&stage, token, "/api/session");
    g_assert_cmpstr(answer_text(&works, "kind"), ==, "token");
    g_assert_true(json_kind(json_member(works.json, "csrfToken")) == JSON_KIND_NULL);
    g_auto(Answer) foreign =
        stage_ask(&stage, &(Ask){.method = "DELETE", .path = path, .token = stage.stranger});
    g_assert_cmpuint(foreign.status, ==, 404);
    g_auto(Answer) revoked = checked_send(&stage, ROLE_OWNER, "DELETE", path, NULL);
    g_assert_cmpuint(revoked.status, ==, 200);
    g_auto(Answer) dead = checked_get_as(&stage, token, "/api/integrations");
    g_assert_cmpuint(dead.status, ==, 404);
}

static void assert_token(const Stage *stage, const char *token, unsigned status) {
    g_auto(Answer) answer = checked_get_as(stage, token, "/api/organization");
    g_assert_cmpuint(answer.status, ==, status);
}

static void ask_for(const Stage *stage, const char *token, const char *path, const char *end,
                    unsigned status) {
    bool makes = strcmp(path, "/api/tokens") == 0;
    g_autofree char *body =
        g_strdup_printf("{%s\"role\":\"member\",\"organizationId\":\"" ORG_A "\"%s%s%s}",
                        makes ? "\"name\":\"child\"," : "", end ? ",\"expiresAt\":\"" : "",
                        end ? end : "", end ? "\"" : "");
    g_auto(Answer) answer =
        stage_ask(stage, &(Ask){.method = "POST", .path = path, .token = token, .body = body});
    if (answer.status != status)
        g_error("%s until %s: %u: %s", path, end ? end : "ever", answer.status, answer.body);
}

/* Neither another one, nor more for one that is there. */
static void a_token_that_ends_leaves_none_behind(void) {
    static const char access[] =
        "/api/tokens/01890000-0000-7000-8000-000000007101/access"; /* has access to A already */
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) made = checked_send(&stage, ROLE_OWNER, "POST", "/api/tokens",
                                       "{\"name\":\"for a while\",\"role\":\"admin\","
                                       "\"expiresAt\":\"2090-01-01T00:00:00Z\"}");
    g_assert_cmpuint(made.status, ==, 201);
    g_autofree char *token = g_strdup(answer_text(&made, "token"));
    ask_for(&stage, token, "/api/tokens", NULL, 403);
    ask_for(&stage, token, "/api/tokens", "2090-01-01T00:00:01Z", 403);
    ask_for(&stage, token, "/api/tokens", "2090-01-01T00:00:00Z", 201);
    ask_for(&stage, token, "/api/tokens", "2089-01-01T00:00:00Z", 201);
    ask_for(&stage, token, access, NULL, 403);
    ask_for(&stage, token, access, "2090-01-01T00:00:01Z", 403);
    ask_for(&stage, token, access, "2089-01-01T00:00:00Z", 409);
    ask_for(&stage, stage.tokens[ROLE_ADMIN], "/api/tokens", NULL, 201);
}

/* Also one that was made by a token of his. */
static void a_token_ends_with_what_its_maker_may(void) {
    g_auto(Stage) stage;
    stage_init_with_ada(&stage);
    g_auto(Browser) ada = {.stage = &stage};
    browser_log_in(&ada, LOGIN("ada@example.com", PASSWORD));
    g_auto(Answer) made =
        browser_ask(&ada, "POST", "/api/tokens", "{\"name\":\"first\",\"role\":\"admin\"}");
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
    stage_add_user(&stage, EVE, "eve@example.com");
    stage_add_member(&stage, ORG_A, EVE, "owner");
    g_auto(Answer) lowered =
        checked_send(&stage, ROLE_OWNER, "PATCH", "/api/users/" ADA, "{\"role\":\"member\"}");
    g_assert_cmpuint(lowered.status, ==, 200);
    assert_token(&stage, first, 404);
    assert_token(&stage, second, 404);
    g_auto(Answer) raised =
        checked_send(&stage, ROLE_OWNER, "PATCH", "/api/users/" ADA, "{\"role\":\"admin\"}");
    g_assert_cmpuint(raised.status, ==, 200);
    assert_token(&stage, first, 200);
    g_auto(Answer) gone = checked_send(&stage, ROLE_OWNER, "DELETE", "/api/users/" ADA, NULL);
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
    twice.path = "/api/invitations";
    twice.body = "{\"email\":\"eve@example.com\",\"role\":\"member\"}";
    g_auto(Answer) invitation = stage_ask(&stage, &twice);
    assert_problem(&invitation, 400, "CONFIGURATION_ERROR");
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
        checked_send(&stage, ROLE_OWNER, "POST", "/api/organizations", "{\"name\":\"Delta\"}");
    g_auto(Answer) list = checked_get_as(&stage, stage.operator, "/api/organizations");
    g_auto(Answer) clash =
        checked_send(&stage, ROLE_OWNER, "PATCH", "/api/organization", "{\"name\":\"Gamma\"}");
    g_auto(Answer) renamed =
        checked_send(&stage, ROLE_OWNER, "PATCH", "/api/organization", "{\"name\":\"Omega\"}");
    g_auto(Answer) member =
        checked_send(&stage, ROLE_MEMBER, "PATCH", "/api/organization", "{\"name\":\"Psi\"}");
    g_assert_cmpuint(made.status, ==, 201);
    g_assert_cmpuint(taken.status, ==, 409);
    g_assert_cmpuint(owner.status, ==, 403);
    g_assert_cmpuint(json_count(json_member(list.json, "organizations")), ==, 3);
    g_assert_cmpuint(clash.status, ==, 409);
    g_assert_cmpstr(answer_text(&renamed, "name"), ==, "Omega");
    g_assert_cmpuint(member.status, ==, 403);
}

static void an_owner_deletes_his_organization_by_its_name(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    static const char wrong[] = "/api/organization?confirm=Beta";
    static const char right[] = "/api/organization?confirm=Alpha";
    g_auto(Answer) silent = checked_send(&stage, ROLE_OWNER, "DELETE", "/api/organization", NULL);
    assert_problem(&silent, 400, "CONFIGURATION_ERROR");
    g_auto(Answer) other = checked_send(&stage, ROLE_OWNER, "DELETE", wrong, NULL);
    assert_problem(&other, 400, "CONFIGURATION_ERROR");
    g_auto(Answer) admin = checked_send(&stage, ROLE_ADMIN, "DELETE", right, NULL);
    assert_problem(&admin, 403, "PERMISSION_DENIED");
    g_auto(Answer) done = checked_send(&stage, ROLE_OWNER, "DELETE", right, NULL);
    g_assert_cmpuint(done.status, ==, 200);
    assert_token(&stage, stage.tokens[ROLE_OWNER], 404);
    assert_token(&stage, stage.stranger, 200);
    g_auto(Answer) list = checked_get_as(&stage, stage.operator, "/api/organizations");
    g_assert_cmpuint(json_count(json_member(list.json, "organizations")), ==, 1);
    g_auto(Answer) log = checked_get_as(&stage, stage.operator, "/api/installation/audit");
    g_assert_nonnull(strstr(log.body, "organization.delete"));
    g_auto(Answer) again = stage_ask(&stage, &(Ask){.method = "POST",
                                                    .path = "/api/organizations",
                                                    .token = stage.operator,
                                                    .body = "{\"name\":\"Alpha\"}" });
    g_assert_cmpuint(again.status, ==, 201);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const ApiTest tests[] = {
    TEST(an_invitation_makes_a_member_once),
    TEST(whoever_has_an_account_joins_with_its_password),
    TEST(an_invitation_is_listed_and_taken_back),
    TEST(an_invitation_goes_with_who_has_invited),
    TEST(nobody_gives_more_than_he_may),
    TEST(roles_are_given_and_taken),
    TEST(a_token_is_shown_once_and_works_until_it_is_revoked),
    TEST(a_token_that_ends_leaves_none_behind),
    TEST(a_token_ends_with_what_its_maker_may),
    TEST(no_answer_with_a_secret_is_kept_for_a_key),
    TEST(organizations_are_the_operators_to_make_and_the_owners_to_rename),
    TEST(an_owner_deletes_his_organization_by_its_name),
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "members", tests, G_N_ELEMENTS(tests));
}
