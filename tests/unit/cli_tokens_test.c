/* Tokens, organizations and the audit log on the command line. */
#include "base/text.h"
#include "store/api_token.h"
#include "store/audit.h"
#include "store/audit_tree.h"
#include "store/ledger.h"
#include "unit/cli_support.h"
#include "vault/ticket.h"

#include <string.h>

/* --- tokens ----------------------------------------------------------------------------------- */

static void a_token_is_printed_once_and_stored_as_a_hash(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Json) made = desk_json("tokens create nightly --role member --expires 90d", 0);
    const char *token = json_member_string(made, "token", "");
    TicketKind kind;
    g_assert_true(ticket_check(token, &kind));
    g_assert_cmpuint(kind, ==, TICKET_API);
    g_auto(Said) list = desk_run("tokens list --json");
    assert_lacks(list.out, token);
    g_autoptr(Json) listed = json_of(list.out);
    const Json *row = json_item(json_member(listed, "tokens"), 0);
    g_assert_cmpstr(json_member_string(row, "role", ""), ==, "member");
    g_assert_cmpstr(json_member_string(row, "status", ""), ==, "active");
    g_assert_nonnull(json_member_string(row, "expiresAt", NULL));
    g_autofree char *hint = ticket_hint(token);
    g_assert_cmpstr(json_member_string(row, "hint", ""), ==, hint);
}

static void the_kind_of_a_token_is_seen_at_its_prefix(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_auto(Said) scanner = desk_run("tokens create s --role scanner --integration acme");
    g_auto(Said) operator= desk_run("tokens create o --operator");
    g_assert_true(g_str_has_prefix(scanner.out, "assay_scan_"));
    g_assert_true(g_str_has_prefix(operator.out, "assay_op_"));
    assert_holds(scanner.err, "shown once");
    g_auto(Said) all = desk_run("tokens list --all");
    assert_holds(all.out, "operator");
}

static void a_token_without_a_role_is_refused(void) {
    g_autoptr(Session) session = desk_session();
    desk_fails("tokens create x", 2, "--role is missing");
    desk_fails("tokens create x --role scanner", 2, "integrations");
    desk_fails("tokens create x --role member --expires yesterday", 2, "--expires");
    desk_fails("tokens create x --role member --expires 2020-01-01", 2, "--expires");
    desk_fails("tokens create x --role member --grant credentials:read", 2, "owners and admins");
}

static void a_revoked_token_is_dead_and_its_name_free(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Json) first = desk_json("tokens create nightly --role member", 0);
    g_autoptr(Json) second = desk_json("tokens create nightly --role member", 0);
    desk_fails("tokens revoke nightly", 1, "several tokens");
    g_autofree char *by_id =
        g_strdup_printf("tokens revoke %s", json_text(json_path(first, "tokenInfo.id")));
    g_autoptr(Json) revoked = desk_json(by_id, 0);
    g_autoptr(Json) by_name = desk_json("tokens revoke nightly", 0);
    desk_fails("tokens revoke nightly", 3, "no such token");
    g_auto(Said) list = desk_run("tokens list");
    assert_holds(list.out, "revoked");
    assert_lacks(list.out, "active");
}

static void a_token_reaches_further_organizations_with_a_role_in_each(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Json) made = desk_json("tokens create nightly --role admin", 0);
    g_autoptr(Json) acme = desk_json("organizations create acme", 0);
    desk_fails("tokens allow nightly", 2, "--role is missing");
    desk_fails("tokens allow nothing --role member", 3, "no such token");
    desk_fails("tokens allow nightly --role member", 1, "already");
    g_autoptr(Json) allowed =
        desk_json("tokens allow nightly --role member --organization acme", 0);
    g_autoptr(Json) here = desk_json("tokens list", 0);
    g_autoptr(Json) there = desk_json("tokens list --organization acme", 0);
    const Json *admin = json_item(json_member(here, "tokens"), 0);
    const Json *member = json_item(json_member(there, "tokens"), 0);
    g_assert_cmpstr(json_member_string(admin, "id", "a"), ==,
                    json_member_string(member, "id", "b"));
    g_assert_cmpstr(json_member_string(admin, "role", ""), ==, "admin");
    g_assert_cmpstr(json_member_string(member, "role", ""), ==, "member");
}

/* --- organizations ---------------------------------------------------------------------------- */

static void organizations_are_made_listed_and_renamed(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Json) made = desk_json("organizations create acme", 0);
    desk_fails("organizations create acme", 1, "choose another name");
    g_autoptr(Json) renamed = desk_json("organizations rename labs --organization acme", 0);
    g_assert_cmpstr(json_text(json_path(renamed, "organization.id")), ==,
                    json_text(json_path(made, "organization.id")));
    desk_fails("organizations rename default --organization labs", 1, "choose another name");
    desk_fails("organizations rename x --organization acme", 3, "no organization");
    g_auto(Said) list = desk_run("organizations list");
    assert_holds(list.out, "default");
    assert_holds(list.out, "labs");
    assert_lacks(list.out, "acme");
}

static void nothing_is_made_by_looking(void) {
    desk_fails("organizations list", 3, "nothing in");
    desk_fails("users list --all", 3, "nothing in");
    desk_fails("audit --installation", 3, "nothing in");
    g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
}

/* --- audit ------------------------------------------------------------------------------------ */

static void entries_are_filtered(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Json) first = desk_json("tokens create one --role member", 0);
    g_autoptr(Json) second = desk_json("tokens create two --role member", 0);
    g_autoptr(Json) revoked = desk_json("tokens revoke one", 0);
    static const struct {
        const char *line;
        size_t count;
    } cases[] = {
        {"audit", 4}, /* the organization was made, too */
        {"audit --action token.create", 2},
        {"audit --action token.", 3},
        {"audit --action user.", 0},
        {"audit --target one", 2},
        {"audit --result denied", 0},
        {"audit --actor nobody", 0},
        {"audit --from 1h --limit 2", 2},
        {"audit --until 2020-01-01", 0},
        {"audit --installation", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Json) reply = desk_json(cases[i].line, 0);
        g_assert_cmpuint(json_count(json_member(reply, "audit")), ==, cases[i].count);
    }
    g_auto(Said) table = desk_run("audit --limit 2");
    assert_holds(table.out, "token.revoke");
    assert_holds(table.err, "There are more: --cursor ");
}

/* Recomputed from what --json says, by nobody's code but the tree's own hash functions. */
static void a_proof_leads_from_the_record_to_the_root(void) {
    g_autoptr(Session) session = desk_session();
    for (int i = 0; i < 5; i++) {
        g_autoptr(Json) made = desk_json("tokens create one --role member", 0);
    }
    g_autoptr(Json) list = desk_json("audit", 0);
    const Json *third = json_item(json_member(list, "audit"), 2);
    g_autofree char *line =
        g_strdup_printf("audit --proof %s", json_member_string(third, "id", ""));
    g_autoptr(Json) proof = desk_json(line, 0);
    const char *record = json_member_string(proof, "record", "");
    uint8_t salt[AUDIT_SALT_SIZE];
    uint8_t root[DIGEST_SIZE];
    uint8_t hash[DIGEST_SIZE];
    uint8_t input[LEDGER_LEAF_INPUT_SIZE];
    MerklePath path = {.count = json_count(json_member(proof, "path"))};
    g_assert_true(text_unhex(json_member_string(proof, "salt", ""), salt, sizeof salt));
    g_assert_true(text_unhex(json_member_string(proof, "rootHash", ""), root, sizeof root));
    for (size_t i = 0; i < path.count; i++)
        g_assert_true(text_unhex(json_text(json_item(json_member(proof, "path"), i)),
                                 path.hashes[i], DIGEST_SIZE));
    ledger_leaf_input((RecordBytes){salt, sizeof salt}, (RecordBytes){record, strlen(record)},
                      input);
    merkle_leaf_hash(input, sizeof input, hash);
    g_assert_true(merkle_verify(&path, hash, 3, 6, root));
    g_assert_cmpint(json_member_int(proof, "leafIndex", -1), ==, 3);
    desk_fails("audit --proof nothing", 3, "audit row");
}

static const DeskTest tests[] = {
    {"a_token_is_printed_once_and_stored_as_a_hash", a_token_is_printed_once_and_stored_as_a_hash},
    {"the_kind_of_a_token_is_seen_at_its_prefix", the_kind_of_a_token_is_seen_at_its_prefix},
    {"a_token_without_a_role_is_refused", a_token_without_a_role_is_refused},
    {"a_revoked_token_is_dead_and_its_name_free", a_revoked_token_is_dead_and_its_name_free},
    {"a_token_reaches_further_organizations_with_a_role_in_each",
     a_token_reaches_further_organizations_with_a_role_in_each},
    {"organizations_are_made_listed_and_renamed", organizations_are_made_listed_and_renamed},
    {"nothing_is_made_by_looking", nothing_is_made_by_looking},
    {"entries_are_filtered", entries_are_filtered},
    {"a_proof_leads_from_the_record_to_the_root", a_proof_leads_from_the_record_to_the_root},
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "tokens", tests, G_N_ELEMENTS(tests));
}
