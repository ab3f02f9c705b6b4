/* Who may do what, and docs/roles.md beside it. */
#include "store/role.h"

#include <string.h>

static RoleSubject subject_of(Role role) {
    return (RoleSubject){.role = role, .user_id = "ada"};
}

/* --- the document ----------------------------------------------------------------------------- */

/* The cells of "| a | b |", trimmed. */
static GStrv cells_of(const char *line) {
    g_auto(GStrv) parts = g_strsplit(line, "|", -1);
    guint count = g_strv_length(parts);
    g_autoptr(GPtrArray) cells = g_ptr_array_new();
    for (guint i = 1; i + 1 < count; i++)
        g_ptr_array_add(cells, g_strdup(g_strstrip(parts[i])));
    g_ptr_array_add(cells, NULL);
    return (GStrv)g_ptr_array_free(g_steal_pointer(&cells), FALSE);
}

static bool action_from_name(const char *quoted, RoleAction *action_out) {
    for (unsigned action = 0; action < ACTIONS; action++) {
        g_autofree char *name = g_strdup_printf("`%s`", role_action_name(action));
        if (strcmp(name, quoted) != 0)
            continue;
        *action_out = action;
        return true;
    }
    return false;
}

static void compare_row(char *const *cells, bool *seen) {
    RoleAction action;
    if (!action_from_name(cells[0], &action))
        g_error("docs/roles.md names %s, which is no action", cells[0]);
    g_assert_cmpuint(g_strv_length((char **)(uintptr_t)cells), ==, 2 + ROLES);
    for (unsigned role = 0; role <= ROLE_NONE; role++)
        if (strcmp(cells[1 + role], role_cell(action, role)) != 0)
            g_error("docs/roles.md: %s of %s is \"%s\", the program says \"%s\"", cells[0],
                    role_name(role), cells[1 + role], role_cell(action, role));
    g_assert_false(seen[action]);
    seen[action] = true;
}

static void the_document_and_the_program_say_the_same(void) {
    bool seen[ACTIONS] = {false};
    g_autofree char *path = g_build_filename(g_getenv("ASSAY_SOURCE"), "docs", "roles.md", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (!g_str_has_prefix(*line, "| `"))
            continue;
        g_auto(GStrv) cells = cells_of(*line);
        compare_row(cells, seen);
    }
    for (unsigned action = 0; action < ACTIONS; action++)
        if (!seen[action])
            g_error("docs/roles.md lacks %s", role_action_name(action));
}

/* --- cells ------------------------------------------------------------------------------------ */

static void owners_do_everything_in_their_organization_and_nothing_of_the_installation(void) {
    RoleSubject owner = subject_of(ROLE_OWNER);
    g_assert_true(role_allows(&owner, ACTION_ORGANIZATION_DELETE, NULL));
    g_assert_true(role_allows(&owner, ACTION_INTEGRATION_PURGE, NULL));
    g_assert_false(role_allows(&owner, ACTION_ORGANIZATION_CREATE, NULL));
    g_assert_false(role_allows(&owner, ACTION_HOST_SETTING, NULL));
}

static void nobody_reads_credentials_without_the_grant(void) {
    RoleSubject owner = subject_of(ROLE_OWNER);
    RoleSubject member = subject_of(ROLE_MEMBER);
    g_assert_false(role_allows(&owner, ACTION_CREDENTIAL_READ, NULL));
    owner.grants = "other:thing credentials:read";
    member.grants = owner.grants;
    g_assert_true(role_allows(&owner, ACTION_CREDENTIAL_READ, NULL));
    g_assert_false(role_allows(&member, ACTION_CREDENTIAL_READ, NULL));
    owner.grants = "credentials:reading xcredentials:read";
    g_assert_false(role_allows(&owner, ACTION_CREDENTIAL_READ, NULL));
}

static void members_change_what_is_theirs_or_shared(void) {
    RoleSubject member = subject_of(ROLE_MEMBER);
    RoleResource own = {.integration_id = "i", .owner_user_id = "ada"};
    RoleResource shared = {.integration_id = "i"};
    RoleResource other = {.integration_id = "i", .owner_user_id = "eve"};
    g_assert_true(role_allows(&member, ACTION_INTEGRATION_CHANGE, &own));
    g_assert_true(role_allows(&member, ACTION_INTEGRATION_CHANGE, &shared));
    g_assert_false(role_allows(&member, ACTION_INTEGRATION_CHANGE, &other));
    g_assert_true(role_allows(&member, ACTION_INTEGRATION_READ, &other));
    member.user_id = NULL;
    g_assert_false(role_allows(&member, ACTION_INTEGRATION_CHANGE, &own));
}

static void scanners_see_named_integrations_only(void) {
    RoleSubject scanner = subject_of(ROLE_SCANNER);
    scanner.integrations = "one two";
    g_assert_true(
        role_allows(&scanner, ACTION_CREDENTIAL_READ, &(RoleResource){.integration_id = "two"}));
    g_assert_false(
        role_allows(&scanner, ACTION_CREDENTIAL_READ, &(RoleResource){.integration_id = "tw"}));
    g_assert_false(role_allows(&scanner, ACTION_CREDENTIAL_READ,
                               &(RoleResource){.integration_id = "one two"}));
    g_assert_false(role_allows(&scanner, ACTION_EVIDENCE_READ, &(RoleResource){0}));
    g_assert_true(role_allows(&scanner, ACTION_INTEGRATION_READ, NULL));
    scanner.integrations = "";
    g_assert_false(role_allows(&scanner, ACTION_INTEGRATION_READ, NULL));
}

static void auditors_see_their_period(void) {
    RoleSubject auditor = subject_of(ROLE_AUDITOR);
    auditor.period_from = 100;
    auditor.period_until = 200;
    const struct {
        int64_t at;
        bool allowed;
    } cases[] = {{99, false}, {100, true}, {199, true}, {200, false}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_true(role_allows(&auditor, ACTION_EVIDENCE_READ,
                                  &(RoleResource){.at = cases[i].at}) == cases[i].allowed);
    auditor.period_until = 0;
    g_assert_true(role_allows(&auditor, ACTION_EVIDENCE_READ, &(RoleResource){.at = INT64_MAX}));
    g_assert_false(role_allows(&auditor, ACTION_EVIDENCE_REVIEW, NULL));
}

static void operators_have_their_own_actions_and_no_tenant_data(void) {
    RoleSubject operator_only = {.role = ROLE_NONE, .operator= true };
    RoleSubject both = {.role = ROLE_AUDITOR, .operator= true };
    g_assert_true(role_allows(&operator_only, ACTION_DEFINITION_CHANGE, NULL));
    g_assert_false(role_allows(&operator_only, ACTION_EVIDENCE_READ, NULL));
    g_assert_false(role_allows(&operator_only, ACTION_AUDIT_READ, NULL));
    g_assert_true(role_allows(&both, ACTION_EVIDENCE_READ, NULL));
    g_assert_false(role_allows(&both, ACTION_INTEGRATION_CHANGE, NULL));
}

static void what_is_out_of_range_is_not_allowed(void) {
    RoleSubject owner = subject_of(ROLE_OWNER);
    RoleSubject none = subject_of(ROLE_NONE);
    RoleSubject odd = subject_of((Role)77);
    g_assert_false(role_allows(&owner, (RoleAction)ACTIONS, NULL));
    g_assert_false(role_allows(&owner, (RoleAction)-1, NULL));
    g_assert_false(role_allows(&none, ACTION_ORGANIZATION_READ, NULL));
    g_assert_false(role_allows(&odd, ACTION_ORGANIZATION_READ, NULL));
    g_assert_cmpstr(role_cell((RoleAction)ACTIONS, ROLE_OWNER), ==, "no");
    g_assert_cmpstr(role_action_name((RoleAction)ACTIONS), ==, "none");
    g_assert_cmpstr(role_name((Role)77), ==, "none");
}

static void admins_make_neither_owners_nor_readers_of_credentials(void) {
    RoleSubject owner = subject_of(ROLE_OWNER);
    RoleSubject admin = subject_of(ROLE_ADMIN);
    RoleSubject member = subject_of(ROLE_MEMBER);
    g_assert_true(role_may_assign(&owner, ROLE_OWNER, ROLE_GRANT_CREDENTIALS));
    g_assert_true(role_may_assign(&admin, ROLE_ADMIN, NULL));
    g_assert_false(role_may_assign(&admin, ROLE_OWNER, NULL));
    g_assert_false(role_may_assign(&admin, ROLE_ADMIN, ROLE_GRANT_CREDENTIALS));
    g_assert_false(role_may_assign(&member, ROLE_MEMBER, NULL));
}

static void names_lead_back_to_roles(void) {
    Role role;
    for (unsigned i = 0; i < ROLES; i++) {
        g_assert_true(role_from_name(role_name(i), &role));
        g_assert_cmpuint(role, ==, i);
    }
    g_assert_false(role_from_name("none", &role));
    g_assert_false(role_from_name("Owner", &role));
    g_assert_false(role_from_name(NULL, &role));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/store/role/" #name, name)
    ADD(the_document_and_the_program_say_the_same);
    ADD(owners_do_everything_in_their_organization_and_nothing_of_the_installation);
    ADD(nobody_reads_credentials_without_the_grant);
    ADD(members_change_what_is_theirs_or_shared);
    ADD(scanners_see_named_integrations_only);
    ADD(auditors_see_their_period);
    ADD(operators_have_their_own_actions_and_no_tenant_data);
    ADD(what_is_out_of_range_is_not_allowed);
    ADD(admins_make_neither_owners_nor_readers_of_credentials);
    ADD(names_lead_back_to_roles);
    return g_test_run();
}
