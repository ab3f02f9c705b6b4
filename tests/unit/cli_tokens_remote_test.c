/* Tokens and organizations, asked of a server. */
#include "base/clock.h"
#include "unit/cli_support.h"

#include <string.h>

static void there(const char *line) {
    g_autoptr(Json) said = desk_json(desk_there(line), 0);
    g_assert_true(json_member_bool(said, "success", false));
}

/* The line asked of the server with another token than the desk's. */
static Said run_with(const char *line, const Json *made) {
    g_autofree char *whole = g_strdup(desk_there(line));
    *strstr(whole, " --token ") = '\0';
    g_autofree char *with = g_strdup_printf(
        "%s --token @%s", whole, desk_file("other.token", json_member_string(made, "token", "")));
    return desk_run(with);
}

static int status_with(const char *line, const Json *made) {
    g_auto(Said) said = run_with(line, made);
    return said.status;
}

/* --- list ------------------------------------------------------------------------------------- */

/* The desk's own token is in use, so that its last use moves. */
static void tokens_are_listed_as_here(void) {
    clock_freeze(1790000000000);
    desk_serve("owner", true);
    g_autoptr(Json) made = desk_json("tokens create nightly --role auditor --from 2026-01-01", 0);
    g_autofree char *next =
        g_strdup_printf("tokens list --all --limit 1 --cursor %s",
                        json_text_at(made, "tokenInfo.createdBy")); /* nobody: from the first */
    desk_fails(next, 2, "--cursor");
    g_auto(Said) here = desk_run("tokens list");
    g_auto(Said) far = desk_run(desk_there("tokens list"));
    assert_holds(here.out, "nightly");
    assert_holds(far.out, "nightly");
    g_autoptr(Json) page = desk_json(desk_there("tokens list --all --limit 1"), 0);
    g_autofree char *line = g_strdup_printf("tokens list --all --cursor %s",
                                            json_member_string(page, "nextCursor", ""));
    desk_same(line, 0);
}

static void all_tokens_are_for_the_operator(void) {
    desk_serve("owner", false);
    desk_fails_there("tokens list --all", 4, "operator");
    g_autoptr(Json) page = desk_json(desk_there("tokens list"), 0);
    g_assert_cmpuint(json_count(json_member(page, "tokens")), ==, 1);
}

static void members_do_not_see_tokens(void) {
    desk_serve("member", false);
    desk_fails_there("tokens list", 4, "The role member does not allow this");
    desk_fails_there("tokens create x --role member", 4, "The role member does not allow this");
}

/* --- create ----------------------------------------------------------------------------------- */

static void a_token_is_made_and_shown_once(void) {
    desk_serve("owner", false);
    g_autoptr(Json) made =
        desk_json(desk_there("tokens create nightly --role auditor --expires 90d"), 0);
    g_autoptr(Json) here = desk_json("tokens create nightly2 --role auditor --expires 90d", 0);
    g_assert_cmpuint(json_count(made), ==, json_count(here));
    g_assert_cmpuint(json_count(json_member(made, "tokenInfo")), ==,
                     json_count(json_member(here, "tokenInfo")));
    g_assert_true(g_str_has_prefix(json_text_at(made, "token"), "assay_api_"));
    g_assert_nonnull(json_text(json_path(made, "tokenInfo.expiresAt")));
    g_assert_cmpint(status_with("users list", made), ==, 0);
    g_assert_cmpint(status_with("tokens list", made), ==, 4);
    g_auto(Said) list = desk_run(desk_there("tokens list --json"));
    assert_lacks(list.out, json_text_at(made, "token"));
    g_auto(Said) said = desk_run(desk_there("tokens create third --role member"));
    assert_holds(said.out, "assay_api_");
    assert_holds(said.err, "This is shown once.");
}

static void a_scanners_token_names_integrations_of_the_server(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_serve("owner", false);
    g_autoptr(Json) made =
        desk_json(desk_there("tokens create s --role scanner --integration acme"), 0);
    g_assert_true(g_str_has_prefix(json_text_at(made, "token"), "assay_scan_"));
    desk_fails_there("tokens create s --role scanner --integration nothing", 3, "no integration");
    desk_fails_there("tokens create s --role scanner", 2, "integrations");
    desk_fails_there("tokens create s", 2, "--role is missing");
    desk_fails_there("tokens create s --role member --expires yesterday", 2, "--expires");
}

static void an_operators_token_is_made_on_the_machine_itself(void) {
    desk_serve("owner", true);
    desk_fails_there("tokens create more --operator", 2, "the server's own machine");
    desk_fails_there("tokens create more --role owner --operator", 2, "the server's own machine");
}

static void an_admin_makes_no_owner(void) {
    desk_serve("admin", false);
    desk_fails_there("tokens create more --role owner", 4, "admins any but owner");
    desk_fails_there("tokens create more --role admin --grant credentials:read", 4, "no grants");
}

/* --- allow ------------------------------------------------------------------------------------ */

/* An owner of both organizations, who is not the operator. */
static Json *owner_of_both(void) {
    g_autoptr(Json) acme = desk_json("organizations create acme", 0);
    Json *both = desk_json("tokens create both --role owner", 0);
    g_autoptr(Json) allowed = desk_json("tokens allow both --role owner --organization acme", 0);
    return both;
}

static void a_token_is_let_into_another_organization(void) {
    desk_serve("owner", false);
    g_autoptr(Json) both = owner_of_both();
    g_autoptr(Json) nightly = desk_json("tokens create nightly --role auditor", 0);
    g_assert_cmpint(status_with("users list --organization acme", nightly), ==, 3);
    g_auto(Said) said = run_with("tokens allow nightly --role member --organization acme", both);
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "The token nightly reaches the organization as member.");
    g_assert_cmpint(status_with("users list --organization acme", nightly), ==, 0);
    g_assert_cmpint(status_with("tokens allow nightly --role member --organization acme", both), ==,
                    1);
    g_assert_cmpint(status_with("tokens allow nothing --role member --organization acme", both), ==,
                    3);
    desk_fails_there("tokens allow nightly --role member --organization acme", 3, "organization");
    desk_fails_there("tokens allow nightly", 2, "--role is missing");
}

static void the_operator_finds_every_token_by_name(void) {
    desk_serve("owner", true);
    g_autoptr(Json) both = owner_of_both();
    g_autoptr(Json) far = desk_json("tokens create far --role owner --organization acme", 0);
    there("tokens allow far --role member");
    g_autoptr(Json) again = desk_json("tokens create far --role owner", 0);
    desk_fails_there("tokens allow far --role member", 1, "several tokens have this name");
}

/* --- revoke ----------------------------------------------------------------------------------- */

static void an_owner_ends_what_a_token_may_in_his_organization(void) {
    desk_serve("owner", false);
    g_autoptr(Json) both = owner_of_both();
    g_auto(Said) said = desk_run(desk_there("tokens revoke both"));
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "The token both does not reach the organization any more.");
    g_assert_cmpint(status_with("users list --organization default", both), ==, 3);
    g_assert_cmpint(status_with("users list --organization acme", both), ==, 0);
    desk_fails_there("tokens revoke both", 3, "no such token");
}

static void the_operator_revokes_a_token_everywhere(void) {
    desk_serve("owner", true);
    g_autoptr(Json) both = owner_of_both();
    g_auto(Said) said = desk_run(desk_there("tokens revoke both"));
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "The token both is revoked everywhere.");
    g_assert_cmpint(status_with("users list --organization acme", both), ==, 4);
    desk_fails_there("tokens revoke both", 3, "no such token");
    g_autoptr(Json) first = desk_json("tokens create twin --role member", 0);
    g_autoptr(Json) second = desk_json("tokens create twin --role member", 0);
    desk_fails_there("tokens revoke twin", 1, "several tokens");
    g_autofree char *by_id =
        g_strdup_printf("tokens revoke %s", json_text_at(first, "tokenInfo.id"));
    there(by_id);
    there("tokens revoke twin");
}

/* --- organizations ---------------------------------------------------------------------------- */

static void organizations_are_made_listed_and_renamed_by_the_operator(void) {
    clock_freeze(1790000000000);
    desk_serve("owner", true);
    g_autoptr(Json) made = desk_json(desk_there("organizations create acme"), 0);
    desk_fails_there("organizations create acme", 1, "choose another name");
    g_assert_cmpstr(json_text_at(made, "organization.name"), ==, "acme");
    g_autoptr(Json) renamed =
        desk_json(desk_there("organizations rename labs --organization acme"), 0);
    g_assert_cmpstr(json_text_at(renamed, "organization.id"), ==,
                    json_text_at(made, "organization.id"));
    desk_fails_there("organizations rename default --organization labs", 1, "choose another name");
    desk_fails_there("organizations rename x --organization acme", 3, "no such organization");
    desk_same("organizations list", 0);
    desk_same("organizations list --limit 1", 0);
    desk_same("organizations rename labs --organization labs", 0);
    g_auto(Said) said = desk_run(desk_there("organizations create beta"));
    assert_holds(said.out, "The organization beta was made.");
    assert_holds(said.err, "Next: assay users add E-MAIL --role owner --organization beta");
}

static void an_owner_renames_his_own_and_no_other(void) {
    desk_serve("owner", false);
    g_autoptr(Json) acme = desk_json("organizations create acme", 0);
    there("organizations rename labs");
    desk_fails_there("organizations rename mine --organization acme", 3, "you are not in it");
    desk_fails_there("organizations list", 4, "operator");
    desk_fails_there("organizations create more", 4, "operator");
    g_auto(Said) list = desk_run("organizations list");
    assert_holds(list.out, "labs");
    assert_holds(list.out, "acme");
}

static void a_member_renames_nothing(void) {
    desk_serve("member", false);
    desk_fails_there("organizations rename mine", 4, "The role member does not allow this");
}

static const DeskTest tests[] = {
    {"tokens_are_listed_as_here", tokens_are_listed_as_here},
    {"all_tokens_are_for_the_operator", all_tokens_are_for_the_operator},
    {"members_do_not_see_tokens", members_do_not_see_tokens},
    {"a_token_is_made_and_shown_once", a_token_is_made_and_shown_once},
    {"a_scanners_token_names_integrations_of_the_server",
     a_scanners_token_names_integrations_of_the_server},
    {"an_operators_token_is_made_on_the_machine_itself",
     an_operators_token_is_made_on_the_machine_itself},
    {"an_admin_makes_no_owner", an_admin_makes_no_owner},
    {"a_token_is_let_into_another_organization", a_token_is_let_into_another_organization},
    {"the_operator_finds_every_token_by_name", the_operator_finds_every_token_by_name},
    {"an_owner_ends_what_a_token_may_in_his_organization",
     an_owner_ends_what_a_token_may_in_his_organization},
    {"the_operator_revokes_a_token_everywhere", the_operator_revokes_a_token_everywhere},
    {"organizations_are_made_listed_and_renamed_by_the_operator",
     organizations_are_made_listed_and_renamed_by_the_operator},
    {"an_owner_renames_his_own_and_no_other", an_owner_renames_his_own_and_no_other},
    {"a_member_renames_nothing", a_member_renames_nothing},
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "tokens_remote", tests, G_N_ELEMENTS(tests));
}
