/* What the operator of the installation may do to people, tokens and organizations over the API,
 * and what he may not. */
#include "base/clock.h"
#include "base/secmem.h"
#include "db/db.h"
#include "store/api_token.h"
#include "store/audit_tree.h"
#include "store/membership.h"
#include "store/user.h"
#include "unit/api_support.h"
#include "vault/password.h"
#include "vault/ticket.h"

#include <string.h>

#define ADA "01890000-0000-7000-8000-000000000ada"
#define PASSWORD "correct horse battery"
#define LOGIN(email, password) "{\"email\":\"" email "\",\"password\":\"" password "\"}"
#define EVE "{\"email\":\"Eve@Example.com\",\"password\":\"" PASSWORD "\",\"role\":\""
#define NOBODY "01890000-0000-7000-8000-000000009999"
#define TOKEN_BOTH "01890000-0000-7000-8000-000000007101"

/* --- the world -------------------------------------------------------------------------------- */

static bool add_ada_work(DbUnit *unit, void *hash, GError **error) {
    User ada = {.id = ADA, .email = "ada@example.com", .name = "Ada", .password_hash = hash};
    Membership owner = {.user_id = ADA, .role = "owner"};
    return user_insert(unit, &ada, error) && membership_insert(unit, &owner, error);
}

/* Ada owns A; nobody is a member of B. */
static void open_with_ada(Stage *stage) {
    static const DbScope scope = {.organization = ORG_A, .actor = "test", .system = true};
    const PasswordCost cheap = {.passes = 1, .bytes = 8192};
    g_autoptr(Secret) password = NULL;
    g_autofree char *hash = NULL;
    stage_init(stage, 0);
    must((password = secret_new(PASSWORD, strlen(PASSWORD), &error)) != NULL);
    must(password_hash(password, &cheap, &hash, &error));
    must(db_run(stage->db, &scope, DB_WRITE, add_ada_work, hash, &error));
}

static bool add_token_work(DbUnit *unit, void *data, GError **error) {
    const ApiToken *row = data;
    Membership access = {.user_id = row->id, .role = row->name};
    return api_token_insert(unit, row, error) && api_token_allow(unit, &access, error);
}

/* The token of an operator who has a role in A. */
static char *operator_as(const Stage *stage, const char *role) {
    static const DbScope scope = {.organization = ORG_A, .actor = "test", .system = true};
    char hash[DIGEST_HEX_SIZE];
    g_autoptr(Secret) ticket = NULL;
    must((ticket = ticket_new(TICKET_OPERATOR, &error)) != NULL);
    ticket_hash(secret_text(ticket), hash);
    ApiToken row = {.id = "01890000-0000-7000-8000-000000007103",
                    .name = role,
                    .token_hash = hash,
                    .hint = "x",
                    .operator= true };
    must(db_run(stage->db, &scope, DB_WRITE, add_token_work, &row, &error));
    return g_strdup(secret_text(ticket));
}

static Answer ask_in(const Stage *stage, const char *token, const char *organization,
                     const char *method, const char *path, const char *body) {
    g_autofree char *header =
        organization ? g_strdup_printf("X-Assay-Organization: %s\r\n", organization) : NULL;
    Answer answer = stage_ask(
        stage,
        &(Ask){.method = method, .path = path, .token = token, .headers = header, .body = body});
    assert_form(method, path, &answer);
    return answer;
}

static Answer ask(const Stage *stage, const char *token, const char *method, const char *path,
                  const char *body) {
    return ask_in(stage, token, NULL, method, path, body);
}

static void expect(const Stage *stage, const char *token, const char *method, const char *path,
                   const char *body, unsigned status) {
    g_auto(Answer) answer = ask(stage, token, method, path, body);
    if (answer.status != status)
        g_error("%s %s %s: %u: %s", method, path, body ? body : "", answer.status, answer.body);
}

static unsigned log_in(const Stage *stage, const char *body) {
    g_auto(Answer) answer = ask(stage, NULL, "POST", "/api/session", body);
    return answer.status;
}

/* How many entries of a kind a log has. */
static size_t noted(const Stage *stage, const char *token, const char *path) {
    g_auto(Answer) answer = ask(stage, token, "GET", path, NULL);
    g_assert_cmpuint(answer.status, ==, 200);
    return json_count(json_member(answer.json, "audit"));
}

/* --- who -------------------------------------------------------------------------------------- */

static void all_of_it_is_the_operators_alone(void) {
    static const struct {
        const char *method;
        const char *path;
        const char *body;
    } cases[] = {
        {"GET", "/api/installation/users", NULL},
        {"POST", "/api/installation/users", EVE "member\"}"},
        {"GET", "/api/installation/users/" ADA, NULL},
        {"PATCH", "/api/installation/users/" ADA, "{\"disabled\":true}"},
        {"PUT", "/api/installation/users/" ADA "/password", "{\"password\":\"" PASSWORD "\"}"},
        {"DELETE", "/api/installation/tokens/" TOKEN_BOTH, NULL},
        {"PATCH", "/api/organizations/" ORG_A, "{\"name\":\"Omega\"}"},
        {"GET", "/api/installation/audit/export", NULL},
        {"GET", "/api/installation/audit/" NOBODY "/proof", NULL},
    };
    g_auto(Stage) stage;
    open_with_ada(&stage);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *method = cases[i].method;
        for (Role role = ROLE_OWNER; role < ROLE_NONE; role++)
            expect(&stage, stage.tokens[role], method, cases[i].path, cases[i].body, 403);
        expect(&stage, stage.stranger, method, cases[i].path, cases[i].body, 403);
        expect(&stage, NULL, method, cases[i].path, cases[i].body, 401);
    }
    g_assert_cmpuint(log_in(&stage, LOGIN("ada@example.com", PASSWORD)), ==, 200);
}

static void everybody_is_listed_and_found_by_id_or_address(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Answer) list = ask(&stage, stage.operator, "GET", "/api/installation/users", NULL);
    g_auto(Answer) by_id = ask(&stage, stage.operator, "GET", "/api/installation/users/" ADA, NULL);
    g_auto(Answer) by_address =
        ask(&stage, stage.operator, "GET", "/api/installation/users/ADA%40example.com", NULL);
    g_assert_cmpuint(json_count(json_member(list.json, "users")), ==, 1);
    g_assert_cmpstr(answer_text(&by_id, "email"), ==, "ada@example.com");
    g_assert_cmpstr(answer_text(&by_address, "id"), ==, ADA);
    g_assert_null(strstr(by_id.body, "argon2"));
    expect(&stage, stage.operator, "GET", "/api/installation/users/" NOBODY, NULL, 404);
    expect(&stage, stage.operator, "PATCH", "/api/installation/users/" NOBODY,
           "{\"disabled\":true}", 404);
    expect(&stage, stage.operator, "PUT", "/api/installation/users/" NOBODY "/password",
           "{\"password\":\"" PASSWORD "\"}", 404);
}

/* --- adding ----------------------------------------------------------------------------------- */

static void somebody_new_gets_a_password_and_a_role(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_autofree char *operator= operator_as(&stage, "admin");
    g_auto(Answer) added =
        ask(&stage, operator, "POST", "/api/installation/users", EVE "member\"}");
    g_assert_cmpuint(added.status, ==, 201);
    g_assert_true(json_member_bool(added.json, "isNew", false));
    g_assert_cmpstr(answer_text(&added, "user.email"), ==, "eve@example.com");
    g_assert_cmpstr(answer_text(&added, "organization.name"), ==, "Alpha");
    g_assert_null(strstr(added.body, PASSWORD));
    g_assert_cmpuint(log_in(&stage, LOGIN("eve@example.com", PASSWORD)), ==, 200);
    expect(&stage, operator, "POST", "/api/installation/users", EVE "member\"}", 409);
    g_assert_cmpuint(noted(&stage, stage.tokens[ROLE_OWNER], "/api/audit?action=user.add"), ==, 1);
}

static void whoever_has_an_account_keeps_his_password(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Answer) added =
        ask_in(&stage, stage.operator, "Beta", "POST", "/api/installation/users",
               "{\"email\":\"ada@example.com\",\"password\":\"another horse battery\","
               "\"role\":\"owner\"}");
    g_assert_cmpuint(added.status, ==, 201);
    g_assert_false(json_member_bool(added.json, "isNew", true));
    g_assert_cmpstr(answer_text(&added, "user.id"), ==, ADA);
    g_assert_cmpuint(log_in(&stage, LOGIN("ada@example.com", "another horse battery")), ==, 401);
    g_assert_cmpuint(log_in(&stage, LOGIN("ada@example.com", PASSWORD)), ==, 200);
    g_assert_cmpuint(noted(&stage, stage.stranger, "/api/audit?action=member.change"), ==, 1);
}

static void wishes_that_cannot_be_are_told_so(void) {
    static const struct {
        const char *body;
        const char *part;
    } cases[] = {
        {"{\"email\":\"eve@example.com\",\"role\":\"member\"}", "/password"},
        {"{\"email\":\"eve@example.com\",\"role\":\"member\",\"password\":\"short\"}", "12"},
        {"{\"email\":\"eve\",\"role\":\"member\",\"password\":\"" PASSWORD "\"}", "e-mail"},
        {EVE "emperor\"}", "/role"},
        {EVE "scanner\"}", "integrations"},
        {EVE "member\",\"expiresAt\":\"2020-01-01T00:00:00Z\"}", "/expiresAt"},
    };
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_autofree char *operator= operator_as(&stage, "owner");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            ask(&stage, operator, "POST", "/api/installation/users", cases[i].body);
        assert_problem(&answer, 400, "CONFIGURATION_ERROR");
        if (!strstr(answer.body, cases[i].part))
            g_error("%s: %s", cases[i].body, answer.body);
    }
    g_auto(Answer) foreign = ask(&stage, operator, "POST", "/api/installation/users",
                                 EVE "scanner\",\"integrations\":[\"" INTEGRATION_B "\"]}");
    assert_problem(&foreign, 404, "CONFIGURATION_ERROR");
}

static void an_organization_takes_in_whom_its_own_people_let_in(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_autofree char *member = operator_as(&stage, "member");
    const char *path = "/api/installation/users";
    g_auto(Answer) outside = ask_in(&stage, stage.operator, "Alpha", "POST", path, EVE "owner\"}");
    assert_problem(&outside, 403, "PERMISSION_DENIED");
    g_auto(Answer) nowhere = ask(&stage, stage.operator, "POST", path, EVE "owner\"}");
    assert_problem(&nowhere, 400, "CONFIGURATION_ERROR");
    g_auto(Answer) unknown = ask_in(&stage, stage.operator, "Gamma", "POST", path, EVE "owner\"}");
    assert_problem(&unknown, 404, "CONFIGURATION_ERROR");
    g_auto(Answer) too_little = ask(&stage, member, "POST", path, EVE "member\"}");
    assert_problem(&too_little, 403, "PERMISSION_DENIED");
    g_assert_cmpuint(log_in(&stage, LOGIN("eve@example.com", PASSWORD)), ==, 401);
}

static void an_admin_who_operates_gives_no_more_than_an_admin(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_autofree char *admin = operator_as(&stage, "admin");
    g_auto(Answer) too_much = ask(&stage, admin, "POST", "/api/installation/users", EVE "owner\"}");
    assert_problem(&too_much, 403, "PERMISSION_DENIED");
}

static void an_organization_of_nobody_gets_its_first_owner(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    const char *path = "/api/installation/users";
    g_auto(Answer) no_owner = ask_in(&stage, stage.operator, "Beta", "POST", path, EVE "member\"}");
    assert_problem(&no_owner, 400, "CONFIGURATION_ERROR");
    g_auto(Answer) first = ask_in(&stage, stage.operator, "Beta", "POST", path, EVE "owner\"}");
    g_assert_cmpuint(first.status, ==, 201);
    g_assert_cmpstr(answer_text(&first, "organization.id"), ==, ORG_B);
    g_auto(Answer) second = ask_in(&stage, stage.operator, ORG_B, "POST", path,
                                   "{\"email\":\"ada@example.com\",\"role\":\"owner\"}");
    assert_problem(&second, 403, "PERMISSION_DENIED");
}

/* --- out, and in again ------------------------------------------------------------------------ */

static void whoever_is_disabled_is_out_until_he_is_let_in(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    const char *path = "/api/installation/users/ada%40example.com";
    g_auto(Answer) session =
        ask(&stage, NULL, "POST", "/api/session", LOGIN("ada@example.com", PASSWORD));
    g_autofree char *set = answer_header(&session, "Set-Cookie");
    g_autofree char *cookie = g_strndup(set, strcspn(set, ";"));
    g_autofree char *header = g_strdup_printf("Cookie: %s\r\n", cookie);
    g_auto(Answer) off = ask(&stage, stage.operator, "PATCH", path, "{\"disabled\":true}");
    g_assert_nonnull(json_member_string(off.json, "disabledAt", NULL));
    g_auto(Answer) out = stage_ask(&stage, &(Ask){.path = "/api/users", .headers = header});
    g_assert_cmpuint(out.status, ==, 401);
    g_assert_cmpuint(log_in(&stage, LOGIN("ada@example.com", PASSWORD)), ==, 401);
    g_auto(Answer) on = ask(&stage, stage.operator, "PATCH", path, "{\"disabled\":false}");
    g_assert_null(json_member_string(on.json, "disabledAt", NULL));
    g_assert_cmpuint(log_in(&stage, LOGIN("ada@example.com", PASSWORD)), ==, 200);
    expect(&stage, stage.operator, "PATCH", path, "{}", 400);
    g_assert_cmpuint(noted(&stage, stage.tokens[ROLE_OWNER], "/api/audit?target=ada@example.com"),
                     ==, 2);
    g_assert_cmpuint(noted(&stage, stage.operator, "/api/installation/audit?action=user."), ==, 2);
}

static void of_two_operators_who_saw_the_same_one_is_refused(void) {
    static const char *const paths[] = {"/api/installation/users/" ADA,
                                        "/api/organizations/" ORG_A};
    static const char *const bodies[] = {"{\"disabled\":true}", "{\"name\":\"Omega\"}"};
    g_auto(Stage) stage;
    open_with_ada(&stage);
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        Ask stale = {.method = "PATCH",
                     .path = paths[i],
                     .token = stage.operator,
                     .headers = "If-Match: \"stale\"\r\n",
                     .body = bodies[i]};
        g_auto(Answer) refused = stage_ask(&stage, &stale);
        assert_problem(&refused, 412, "CONFIGURATION_ERROR");
    }
    g_auto(Answer) seen = ask(&stage, stage.operator, "GET", "/api/installation/users/" ADA, NULL);
    g_autofree char *tag = answer_header(&seen, "ETag");
    g_autofree char *header = g_strdup_printf("If-Match: %s\r\n", tag);
    Ask fresh = {.method = "PATCH",
                 .path = paths[0],
                 .token = stage.operator,
                 .headers = header,
                 .body = bodies[0]};
    g_auto(Answer) done = stage_ask(&stage, &fresh);
    g_auto(Answer) again = stage_ask(&stage, &fresh);
    g_assert_cmpuint(done.status, ==, 200);
    g_assert_cmpuint(again.status, ==, 412);
    g_assert_cmpuint(noted(&stage, stage.operator, "/api/installation/audit?action=user."), ==, 1);
}

static void a_lost_password_is_set_anew(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    const char *path = "/api/installation/users/" ADA "/password";
    expect(&stage, stage.operator, "PUT", path, "{\"password\":\"short\"}", 400);
    expect(&stage, stage.operator, "PUT", path, "{\"password\":\"ada@example.com\"}", 400);
    g_auto(Answer) set =
        ask(&stage, stage.operator, "PUT", path, "{\"password\":\"another horse battery\"}");
    g_assert_cmpuint(set.status, ==, 200);
    g_assert_cmpuint(log_in(&stage, LOGIN("ada@example.com", PASSWORD)), ==, 401);
    g_assert_cmpuint(log_in(&stage, LOGIN("ada@example.com", "another horse battery")), ==, 200);
    g_auto(Answer) log =
        ask(&stage, stage.tokens[ROLE_OWNER], "GET", "/api/audit?action=password.change", NULL);
    const Json *entry = json_item(json_member(log.json, "audit"), 0);
    g_assert_cmpstr(json_text(json_path(entry, "actor.name")), ==, "operator");
    g_assert_null(strstr(log.body, "horse"));
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void a_token_is_let_into_another_organization_by_who_sees_it(void) {
    const char *path = "/api/tokens/01890000-0000-7000-8000-000000007000/access"; /* A's owner's */
    const char *body = "{\"role\":\"member\"}";
    g_auto(Stage) stage;
    open_with_ada(&stage);
    expect(&stage, stage.stranger, "POST", path, body, 404);
    expect(&stage, stage.tokens[ROLE_MEMBER], "POST", path, body, 403);
    expect(&stage, stage.operator, "POST", path, body, 404); /* in no organization */
    expect(&stage, stage.tokens[ROLE_OWNER], "POST", path, body, 409);
    expect(&stage, stage.tokens[ROLE_ADMIN], "POST", path, "{\"role\":\"owner\"}", 403);
    expect(&stage, stage.both, "POST", "/api/tokens/" NOBODY "/access?organizationId=Beta", body,
           404);
    g_auto(Answer) before =
        ask_in(&stage, stage.tokens[ROLE_OWNER], "Beta", "GET", "/api/integrations", NULL);
    g_assert_cmpuint(before.status, ==, 404);
    g_auto(Answer) done = ask_in(&stage, stage.both, "Beta", "POST", path, body);
    g_assert_cmpuint(done.status, ==, 201);
    g_auto(Answer) after =
        ask_in(&stage, stage.tokens[ROLE_OWNER], "Beta", "GET", "/api/integrations", NULL);
    g_assert_cmpuint(after.status, ==, 200);
    g_auto(Answer) no_more =
        ask_in(&stage, stage.tokens[ROLE_OWNER], "Beta", "GET", "/api/tokens", NULL);
    g_assert_cmpuint(no_more.status, ==, 403);
    g_assert_cmpuint(noted(&stage, stage.stranger, "/api/audit?action=token.create&target=owner"),
                     ==, 1);
}

static void a_token_that_the_operator_revokes_is_dead_everywhere(void) {
    const char *path = "/api/installation/tokens/" TOKEN_BOTH;
    g_auto(Stage) stage;
    open_with_ada(&stage);
    expect(&stage, stage.operator, "DELETE", path, NULL, 200);
    expect(&stage, stage.both, "GET", "/api/session", NULL, 401);
    expect(&stage, stage.operator, "DELETE", path, NULL, 404);
    expect(&stage, stage.operator, "DELETE", "/api/installation/tokens/" NOBODY, NULL, 404);
    expect(&stage, stage.tokens[ROLE_OWNER], "POST", "/api/tokens/" TOKEN_BOTH "/access",
           "{\"role\":\"member\"}", 409);
    const char *filter = "/api/audit?action=token.revoke&target=both";
    g_assert_cmpuint(noted(&stage, stage.tokens[ROLE_OWNER], filter), ==, 1);
    g_assert_cmpuint(noted(&stage, stage.stranger, filter), ==, 1);
    g_assert_cmpuint(noted(&stage, stage.operator, "/api/installation/audit?action=token."), ==, 1);
}

/* --- organizations and the log ---------------------------------------------------------------- */

static void any_organization_is_renamed_by_id_or_name(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    g_auto(Answer) by_name =
        ask(&stage, stage.operator, "PATCH", "/api/organizations/Beta", "{\"name\":\"Omega\"}");
    g_assert_cmpstr(answer_text(&by_name, "id"), ==, ORG_B);
    g_auto(Answer) by_id = ask(&stage, stage.operator, "PATCH", "/api/organizations/" ORG_B,
                               "{\"name\":\"Beta Labs\"}");
    g_assert_cmpstr(answer_text(&by_id, "name"), ==, "Beta Labs");
    expect(&stage, stage.operator, "PATCH", "/api/organizations/Beta", "{\"name\":\"x\"}", 404);
    expect(&stage, stage.operator, "PATCH", "/api/organizations/" ORG_B, "{\"name\":\"Alpha\"}",
           409);
    g_assert_cmpuint(noted(&stage, stage.stranger, "/api/audit?action=organization."), ==, 2);
}

static void the_installations_log_is_exported_and_proven(void) {
    g_auto(Stage) stage;
    open_with_ada(&stage);
    int64_t sealed = 0;
    expect(&stage, stage.operator, "DELETE", "/api/installation/tokens/" TOKEN_BOTH, NULL, 200);
    g_auto(Answer) log = ask(&stage, stage.operator, "GET", "/api/installation/audit", NULL);
    const Json *entry = json_item(json_member(log.json, "audit"), 0);
    const char *id = json_member_string(entry, "id", "");
    must(audit_tree_sequence(stage.db, 10, &sealed, &error));
    g_autofree char *path = g_strdup_printf("/api/installation/audit/%s/proof", id);
    g_autofree char *owners = g_strdup_printf("/api/audit/%s/proof", id);
    g_auto(Answer) proof = ask(&stage, stage.operator, "GET", path, NULL);
    g_assert_nonnull(strstr(answer_text(&proof, "record"), "token.revoke"));
    expect(&stage, stage.tokens[ROLE_OWNER], "GET", owners, NULL, 404);
    g_auto(Answer) lines =
        ask(&stage, stage.operator, "GET", "/api/installation/audit/export?order=oldest", NULL);
    g_assert_cmpuint(lines.status, ==, 200);
    g_assert_nonnull(strstr(lines.body, id));
}

/* --- what is sent again ----------------------------------------------------------------------- */

static Answer with_key(const Stage *stage, const char *method, const char *path, const char *body) {
    return stage_ask(stage, &(Ask){.method = method,
                                   .path = path,
                                   .token = stage->operator,
                                   .headers = "Idempotency-Key: key-1\r\n",
                                   .body = body});
}

static void what_the_operator_sends_again_is_done_once(void) {
    static const char path[] = "/api/organizations";
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) refused = with_key(&stage, "POST", path, "{\"name\":\"Alpha\"}");
    assert_problem(&refused, 409, "CONFIGURATION_ERROR");
    g_auto(Answer) first = with_key(&stage, "POST", path, "{\"name\":\"Gamma\"}");
    g_assert_cmpuint(first.status, ==, 201);
    g_auto(Answer) again = with_key(&stage, "POST", path, "{\"name\":\"Gamma\"}");
    g_autofree char *replayed = answer_header(&again, "Idempotent-Replayed");
    g_assert_cmpuint(again.status, ==, 201);
    g_assert_cmpstr(replayed, ==, "true");
    g_assert_cmpstr(again.body, ==, first.body);
    g_auto(Answer) other = with_key(&stage, "POST", path, "{\"name\":\"Delta\"}");
    assert_problem(&other, 422, "CONFIGURATION_ERROR");
    g_auto(Answer) all = ask(&stage, stage.operator, "GET", path, NULL);
    g_assert_cmpuint(json_count(json_member(all.json, "organizations")), ==, 3);
}

/* The handler enters the organization and comes out again. */
static void a_change_of_any_organization_is_kept_for_the_operator(void) {
    static const char path[] = "/api/organizations/" ORG_B;
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) first = with_key(&stage, "PATCH", path, "{\"name\":\"Omega\"}");
    g_assert_cmpuint(first.status, ==, 200);
    expect(&stage, stage.operator, "PATCH", path, "{\"name\":\"Sigma\"}", 200);
    g_auto(Answer) again = with_key(&stage, "PATCH", path, "{\"name\":\"Omega\"}");
    g_assert_cmpstr(again.body, ==, first.body);
    g_auto(Answer) now = ask(&stage, stage.stranger, "GET", "/api/organization", NULL);
    g_assert_cmpstr(answer_text(&now, "name"), ==, "Sigma");
}

static void a_key_is_refused_where_no_answer_is_kept(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) secret = with_key(&stage, "PUT", "/api/installation/users/" ADA "/password",
                                     "{\"password\":\"" PASSWORD "\"}");
    assert_problem(&secret, 400, "CONFIGURATION_ERROR");
    g_auto(Answer) own = with_key(&stage, "DELETE", "/api/sessions/" ADA, NULL);
    assert_problem(&own, 400, "CONFIGURATION_ERROR");
}

#define TEST(name)                                                                                 \
    { #name, name }
static const ApiTest tests[] = {
    TEST(all_of_it_is_the_operators_alone),
    TEST(everybody_is_listed_and_found_by_id_or_address),
    TEST(somebody_new_gets_a_password_and_a_role),
    TEST(whoever_has_an_account_keeps_his_password),
    TEST(wishes_that_cannot_be_are_told_so),
    TEST(an_organization_takes_in_whom_its_own_people_let_in),
    TEST(an_admin_who_operates_gives_no_more_than_an_admin),
    TEST(an_organization_of_nobody_gets_its_first_owner),
    TEST(whoever_is_disabled_is_out_until_he_is_let_in),
    TEST(of_two_operators_who_saw_the_same_one_is_refused),
    TEST(a_lost_password_is_set_anew),
    TEST(a_token_is_let_into_another_organization_by_who_sees_it),
    TEST(a_token_that_the_operator_revokes_is_dead_everywhere),
    TEST(any_organization_is_renamed_by_id_or_name),
    TEST(the_installations_log_is_exported_and_proven),
    TEST(what_the_operator_sends_again_is_done_once),
    TEST(a_change_of_any_organization_is_kept_for_the_operator),
    TEST(a_key_is_refused_where_no_answer_is_kept),
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "accounts", tests, G_N_ELEMENTS(tests));
}
