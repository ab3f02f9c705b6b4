/* providers/github.yaml as data: what it offers, which repositories it reads, what its rows,
 * summaries and checks say about them. */
#include "provider_support.h"

#define NOW_MS INT64_C(1795160000000)

/* --- what it offers --------------------------------------------------------------------------- */

static void it_offers_a_token_first_and_lists_the_rest(void) {
    g_autoptr(Definition) github = support_github();
    g_assert_cmpstr(github->name, ==, "GitHub");
    g_assert_cmpstr(github->category, ==, "devops");
    g_assert_cmpuint(github->auth_count, ==, 3);
    size_t offered = 0;
    for (size_t i = 0; i < github->auth_count; i++)
        offered += github->auth[i].supported ? 1 : 0;
    g_assert_cmpuint(offered, ==, 1);
    const DefinitionAuth *pat = definition_auth(github, "pat");
    g_assert_true(pat->supported);
    g_assert_cmpstr(pat->granted_header, ==, "X-OAuth-Scopes");
    g_assert_true(auth_field(pat, "access_token")->secret);
    const DefinitionAuth *app = definition_auth(github, "app");
    g_assert_cmpint(app->scheme, ==, SCHEME_GITHUB_APP);
    g_assert_cmpint(auth_field(app, "private_key")->format, ==, INPUT_FORMAT_PEM);
    g_assert_cmpint(definition_auth(github, "oauth")->scheme, ==, SCHEME_OAUTH2);
}

static void its_limits_and_schedule_are_those_of_the_vendor_and_the_contract(void) {
    g_autoptr(Definition) github = support_github();
    g_assert_cmpuint(github->limit_count, ==, 1);
    const DefinitionLimit *limit = &github->limits[0];
    g_assert_cmpint(limit->quota_count, ==, 5000);
    g_assert_cmpint(limit->quota_window_ms, ==, 3600000);
    g_assert_cmpint(limit->concurrency, ==, 16);
    g_assert_cmpstr(limit->remaining.header, ==, "x-ratelimit-remaining");
    g_assert_cmpint(limit->reset.unit, ==, UNIT_EPOCH_SECONDS);
    g_assert_cmpint(github->schedule_ms, ==, INT64_C(4) * 3600000);
    g_assert_cmpint(github->schedule_min_ms, ==, INT64_C(1) * 3600000);
    g_assert_cmpint(github->schedule_max_ms, ==, INT64_C(24) * 3600000);
}

static void every_call_that_is_read_names_its_permissions(void) {
    g_autoptr(Definition) github = support_github();
    static const struct {
        const char *type;
        const char *vocabulary;
        const char *names[5];
    } cases[] = {
        {"branch_protection", "scope", {"repo"}},
        {"branch_protection", "permission", {"metadata:read", "administration:read"}},
        {"security_alerts", "scope", {"repo", "security_events"}},
        {"security_alerts",
         "permission",
         {"metadata:read", "vulnerability_alerts:read", "security_events:read"}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        evidence_type_needs(definition_type(github, cases[i].type), cases[i].vocabulary, names);
        size_t count = 0;
        while (cases[i].names[count] != NULL)
            count++;
        g_assert_cmpuint(names->len, ==, count);
        for (size_t n = 0; n < count; n++)
            g_assert_cmpstr(g_ptr_array_index(names, n), ==, cases[i].names[n]);
    }
}

static bool maps_to(const DefinitionCheck *check, const char *framework, const char *control) {
    for (size_t i = 0; i < check->control_count; i++) {
        if (strcmp(check->controls[i].framework, framework) == 0)
            return g_strv_contains(check->controls[i].controls, control);
    }
    return false;
}

/* The mapping table of the source, and its 2022 equivalents. */
static void every_check_supports_the_controls_of_the_source(void) {
    static const struct {
        const char *type;
        const char *check;
        Severity severity;
        const char *soc2;
        const char *iso2013;
        const char *iso2022;
    } cases[] = {
        {"branch_protection", "default_branch_protected", SEVERITY_HIGH, "CC8.1", "A.14.2.2",
         "8.32"},
        {"branch_protection", "pull_request_required", SEVERITY_HIGH, "CC8.1", "A.14.2.2", "8.32"},
        {"branch_protection", "review_required", SEVERITY_HIGH, "CC8.1", "A.14.2.2", "8.32"},
        {"branch_protection", "status_checks_required", SEVERITY_MEDIUM, "CC8.1", "A.14.2.8",
         "8.29"},
        {"branch_protection", "admins_included", SEVERITY_MEDIUM, "CC8.1", "A.14.2.2", "8.32"},
        {"branch_protection", "force_push_blocked", SEVERITY_HIGH, "CC8.1", "A.14.2.2", "8.32"},
        {"branch_protection", "deletion_blocked", SEVERITY_MEDIUM, "CC8.1", "A.14.2.2", "8.32"},
        {"branch_protection", "signed_commits_required", SEVERITY_LOW, "CC6.1", "A.9.4.2", "8.5"},
        {"security_alerts", "dependabot_enabled", SEVERITY_MEDIUM, "CC7.1", "A.12.6.1", "8.8"},
        {"security_alerts", "no_critical_dependabot_alerts", SEVERITY_CRITICAL, "CC7.1", "A.12.6.1",
         "8.8"},
        {"security_alerts", "no_high_dependabot_alerts", SEVERITY_HIGH, "CC7.1", "A.12.6.1", "8.8"},
        {"security_alerts", "code_scanning_enabled", SEVERITY_MEDIUM, "CC7.1", "A.12.6.1", "8.8"},
        {"security_alerts", "no_code_scanning_errors", SEVERITY_HIGH, "CC7.1", "A.12.6.1", "8.8"},
    };
    g_autoptr(Definition) github = support_github();
    size_t checks = 0;
    for (size_t i = 0; i < github->type_count; i++)
        checks += github->types[i].check_count;
    g_assert_cmpuint(checks, ==, G_N_ELEMENTS(cases));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const EvidenceType *type = definition_type(github, cases[i].type);
        const DefinitionCheck *check = evidence_type_check(type, cases[i].check);
        g_assert_nonnull(check);
        g_assert_cmpint(check->severity, ==, cases[i].severity);
        g_assert_cmpint(check->require, ==, REQUIRE_ALL);
        g_assert_true(maps_to(check, "soc2", cases[i].soc2));
        g_assert_true(maps_to(check, "iso27001_2013", cases[i].iso2013));
        g_assert_true(maps_to(check, "iso27001_2022", cases[i].iso2022));
        g_assert_cmpuint(strlen(check->remediation), >, 20);
    }
}

/* A denied read spoils what depends on it and nothing else. */
static void checks_depend_on_the_reads_of_their_fields_only(void) {
    g_autoptr(Definition) github = support_github();
    const EvidenceType *type = definition_type(github, "security_alerts");
    uint64_t repo = UINT64_C(1) << evidence_type_node(type, "repo");
    uint64_t dependabot = UINT64_C(1) << evidence_type_node(type, "dependabot");
    uint64_t scanning = UINT64_C(1) << evidence_type_node(type, "code_scanning");
    g_assert_cmpuint(evidence_type_check(type, "dependabot_enabled")->nodes, ==, repo | dependabot);
    g_assert_cmpuint(evidence_type_check(type, "no_high_dependabot_alerts")->nodes, ==,
                     repo | dependabot);
    g_assert_cmpuint(evidence_type_check(type, "no_code_scanning_errors")->nodes, ==,
                     repo | scanning);
}

/* --- which repositories ----------------------------------------------------------------------- */

static bool is_read(const Definition *github, const char *settings, const char *repo) {
    const EvidenceType *type = definition_type(github, "branch_protection");
    const Expr *where = type->nodes[evidence_type_node(type, "repo")].where;
    g_autofree char *json = g_strdup_printf("{\"settings\":%s,\"repo\":%s}", settings, repo);
    g_auto(Value) root = support_value(json);
    ExprInput input = {.root = root};
    g_auto(Value) value = VALUE_NONE;
    GError *error = NULL;
    g_assert_true(expr_eval_once(where, &input, &value, &error));
    g_assert_no_error(error);
    g_assert_cmpint(value_kind(value), ==, VALUE_KIND_BOOL);
    return value_truth(value);
}

static void archived_repositories_are_left_out_unless_asked_for(void) {
    static const char live[] = "{\"name\":\"api\",\"full_name\":\"acme/api\",\"archived\":false}";
    static const char old[] = "{\"name\":\"old\",\"full_name\":\"acme/old\",\"archived\":true}";
    g_autoptr(Definition) github = support_github();
    g_assert_true(is_read(github, "{}", live));
    g_assert_false(is_read(github, "{}", old));
    g_assert_false(is_read(github, "{\"include_archived\":false}", old));
    g_assert_true(is_read(github, "{\"include_archived\":true}", old));
    g_assert_true(is_read(github, "{\"include_archived\":\"true\"}", old));
}

static void a_list_of_repositories_restricts_the_run(void) {
    static const struct {
        const char *repositories;
        bool read;
    } cases[] = {
        {"[]", true},
        {"null", true},
        {"[\"api\"]", true},
        {"[\"web\",\"API\"]", true},
        {"[\"acme/api\"]", true},
        {"[\"other/api\"]", false},
        {"[\"web\"]", false},
        {"[\"ap\"]", false},
    };
    g_autoptr(Definition) github = support_github();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *settings = g_strdup_printf("{\"repositories\":%s}", cases[i].repositories);
        g_assert_cmpint(is_read(github, settings,
                                "{\"name\":\"Api\",\"full_name\":\"acme/Api\",\"archived\":false}"),
                        ==, cases[i].read);
    }
}

/* --- alerts ----------------------------------------------------------------------------------- */

/* Folds a list of alerts as a run does, one by one. */
static char *folded(const Definition *github, const char *node, const char *alerts) {
    const EvidenceType *type = definition_type(github, "security_alerts");
    const ReadNode *read = &type->nodes[evidence_type_node(type, node)];
    g_autoptr(Summary) summary = summary_new(read->fold, VALUE_NONE, NOW_MS);
    g_auto(Value) list = support_value(alerts);
    for (size_t i = 0; i < value_count(list); i++) {
        g_auto(Value) alert = value_at(list, i);
        g_assert_true(summary_feed(summary, alert, NULL, NULL));
    }
    g_assert_true(summary_finish(summary, NULL));
    g_auto(Value) object = summary_object(summary);
    return value_to_json(object);
}

static void alerts_are_counted_by_severity(void) {
    g_autoptr(Definition) github = support_github();
    g_autofree char *dependabot =
        folded(github, "dependabot",
               "[{\"security_advisory\":{\"severity\":\"critical\"}},"
               "{\"security_advisory\":{\"severity\":\"high\"}},"
               "{\"security_advisory\":{\"severity\":\"high\"}},"
               "{\"security_advisory\":{\"severity\":\"medium\"}},"
               "{\"security_advisory\":{\"severity\":\"low\"}},"
               "{\"security_advisory\":{\"severity\":\"odd\"}},{\"security_advisory\":null},{}]");
    g_assert_cmpstr(dependabot, ==,
                    "{\"critical\":1,\"high\":2,\"low\":1,\"medium\":1,\"total\":8}");
    g_autofree char *scanning =
        folded(github, "code_scanning",
               "[{\"rule\":{\"severity\":\"error\"}},{\"rule\":{\"severity\":\"warning\"}},"
               "{\"rule\":{\"severity\":\"note\"}},{\"rule\":{\"severity\":null}}]");
    g_assert_cmpstr(scanning, ==, "{\"error\":1,\"total\":4,\"warning\":1}");
    g_autofree char *none = folded(github, "dependabot", "[]");
    g_assert_cmpstr(none, ==, "{\"critical\":0,\"high\":0,\"low\":0,\"medium\":0,\"total\":0}");
}

/* The typed row from what the reads gave. Owned. */
static Value row_of(const EvidenceType *type, const char *env) {
    g_auto(Value) root = support_value(env);
    g_autofree const Expr **leaves = g_new0(const Expr *, type->row_field_count);
    for (size_t i = 0; i < type->row_field_count; i++)
        leaves[i] = type->row_fields[i].expr;
    g_autoptr(ExprProgram) program = expr_program_new(leaves, type->row_field_count);
    g_autofree ExprResult *results = g_new0(ExprResult, type->row_field_count);
    ExprInput input = {.root = root};
    g_assert_true(expr_program_eval(program, &input, results, NULL));
    Value row = value_new_object();
    for (size_t i = 0; i < type->row_field_count; i++)
        value_put(&row, type->row_fields[i].name, value_copy(results[i].value));
    expr_results_clear(results, type->row_field_count);
    bool readable = false;
    g_assert_true(field_set_check(type->fields, row, NULL, &readable, NULL));
    g_assert_true(readable);
    return row;
}

#define COUNTS(critical, high)                                                                     \
    "{\"total\":9,\"critical\":" critical ",\"high\":" high ",\"medium\":1,\"low\":1}"

static void a_product_that_is_off_is_null_and_not_zero(void) {
    g_autoptr(Definition) github = support_github();
    const EvidenceType *type = definition_type(github, "security_alerts");
    g_auto(Value) off = row_of(type, "{\"repo\":{\"full_name\":\"acme/api\"},\"dependabot\":null,"
                                     "\"code_scanning\":null}");
    g_autofree char *json = value_to_json(off);
    g_assert_cmpstr(json, ==,
                    "{\"codeScanningAlerts\":null,\"codeScanningEnabled\":false,"
                    "\"dependabotAlerts\":null,\"dependabotEnabled\":false,"
                    "\"repository\":\"acme/api\"}");
}

/* --- documents -------------------------------------------------------------------------------- */

static char *text_of(const Template *template, Value root) {
    size_t count = template_leaf_count(template);
    g_autofree const Expr **leaves = g_new0(const Expr *, count + 1);
    for (size_t i = 0; i < count; i++)
        leaves[i] = template_leaf(template, i);
    g_autofree ExprResult *results = g_new0(ExprResult, count + 1);
    g_autoptr(ExprProgram) program = expr_program_new(leaves, count);
    ExprInput input = {.root = root};
    if (count > 0)
        g_assert_true(expr_program_eval(program, &input, results, NULL));
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(template_render(template, results, out, NULL));
    expr_results_clear(results, count);
    return g_strdup(out->str);
}

/* Summary, title, description and metadata over these rows. */
static void assert_document(const EvidenceType *type, const char *rows, const char *members,
                            const char *title, const char *description) {
    g_autoptr(Summary) summary = summary_new(type->summary, VALUE_NONE, NOW_MS);
    g_auto(Value) list = support_value(rows);
    for (size_t i = 0; i < value_count(list); i++) {
        g_auto(Value) row = value_at(list, i);
        g_assert_true(summary_feed(summary, row, NULL, NULL));
    }
    g_assert_true(summary_finish(summary, NULL));
    g_autoptr(GString) json = g_string_new(NULL);
    summary_append_json(summary, json);
    g_assert_cmpstr(json->str, ==, members);
    g_auto(Value) root = summary_object(summary);
    value_put(&root, "settings", support_value("{\"organization\":\"acme\"}"));
    g_autofree char *titled = text_of(type->title, root);
    g_autofree char *described = text_of(type->description, root);
    g_assert_cmpstr(titled, ==, title);
    g_assert_cmpstr(described, ==, description);
    ExprInput input = {.root = root};
    g_auto(Value) metadata = VALUE_NONE;
    g_assert_true(expr_eval_once(type->metadata, &input, &metadata, NULL));
    g_autofree char *shown = value_to_json(metadata);
    g_assert_cmpstr(shown, ==, "{\"organization\":\"acme\"}");
}

static void documents_have_the_names_of_the_source(void) {
    g_autoptr(Definition) github = support_github();
    const EvidenceType *protection = definition_type(github, "branch_protection");
    g_assert_cmpstr(protection->type, ==, "config");
    assert_document(protection, "[{\"protected\":true},{\"protected\":false},{\"protected\":true}]",
                    "\"totalRepositories\":3,\"protectedRepositories\":2,"
                    "\"unprotectedRepositories\":1",
                    "Branch Protection Status", "Branch protection rules for 3 repositories");
    const EvidenceType *alerts = definition_type(github, "security_alerts");
    g_assert_cmpstr(alerts->type, ==, "report");
    assert_document(
        alerts,
        "[{\"dependabotAlerts\":" COUNTS("2", "3") "},{\"dependabotAlerts\":null},"
                                                   "{\"dependabotAlerts\":" COUNTS("1", "0") "}]",
        "\"totalRepositories\":3,\"totalDependabotAlerts\":18,\"criticalAlerts\":3",
        "Security Alerts Summary", "Security alerts across 3 repositories");
    assert_document(alerts, "[]",
                    "\"totalRepositories\":0,\"totalDependabotAlerts\":0,\"criticalAlerts\":0",
                    "Security Alerts Summary", "Security alerts across 0 repositories");
}

/* --- checks ----------------------------------------------------------------------------------- */

typedef enum { PASSES, FAILS, NOT_APPLICABLE } Judgement;

static Judgement judged(const DefinitionCheck *check, Value row) {
    ExprInput input = {.root = row};
    if (check->applies != NULL) {
        g_auto(Value) applies = VALUE_NONE;
        g_assert_true(expr_eval_once(check->applies, &input, &applies, NULL));
        g_assert_cmpint(value_kind(applies), ==, VALUE_KIND_BOOL);
        if (!value_truth(applies))
            return NOT_APPLICABLE;
    }
    g_auto(Value) resource = VALUE_NONE;
    g_assert_true(expr_eval_once(check->resource, &input, &resource, NULL));
    g_assert_cmpstr(value_text(resource), ==, "acme/api");
    g_auto(Value) pass = VALUE_NONE;
    g_assert_true(expr_eval_once(check->pass, &input, &pass, NULL));
    g_assert_cmpint(value_kind(pass), ==, VALUE_KIND_BOOL);
    return value_truth(pass) ? PASSES : FAILS;
}

#define REPO "\"repo\":{\"full_name\":\"acme/api\",\"default_branch\":\"main\"}"
#define STRONG                                                                                     \
    "{\"required_pull_request_reviews\":{\"required_approving_review_count\":2},"                  \
    "\"required_status_checks\":{\"contexts\":[\"ci\"]},\"enforce_admins\":{\"enabled\":true},"    \
    "\"required_signatures\":{\"enabled\":true},\"allow_force_pushes\":{\"enabled\":false},"       \
    "\"allow_deletions\":{\"enabled\":false}}"
#define WEAK                                                                                       \
    "{\"required_pull_request_reviews\":{\"required_approving_review_count\":0},"                  \
    "\"enforce_admins\":{\"enabled\":false},\"required_signatures\":{\"enabled\":false},"          \
    "\"allow_force_pushes\":{\"enabled\":true},\"allow_deletions\":{\"enabled\":true}}"

static void checks_of_branch_protection_judge_rows(void) {
    static const char *const names[] = {"default_branch_protected", "pull_request_required",
                                        "review_required",          "status_checks_required",
                                        "admins_included",          "force_push_blocked",
                                        "deletion_blocked",         "signed_commits_required"};
    static const struct {
        const char *env;
        Judgement expected[8];
    } cases[] = {
        {"{" REPO ",\"protection\":" STRONG ",\"rules\":[]}",
         {PASSES, PASSES, PASSES, PASSES, PASSES, PASSES, PASSES, PASSES}},
        {"{" REPO ",\"protection\":" WEAK ",\"rules\":[]}",
         {PASSES, PASSES, FAILS, FAILS, FAILS, FAILS, FAILS, FAILS}},
        {"{" REPO ",\"protection\":null,\"rules\":[]}",
         {FAILS, FAILS, FAILS, FAILS, FAILS, FAILS, FAILS, FAILS}},
        {"{" REPO ",\"protection\":null,\"rules\":[{\"type\":\"non_fast_forward\"},"
         "{\"type\":\"pull_request\",\"parameters\":{\"required_approving_review_count\":1}}]}",
         {PASSES, PASSES, PASSES, FAILS, NOT_APPLICABLE, PASSES, FAILS, FAILS}},
        {"{" REPO ",\"protection\":{\"message\":\"Branch not found\"},\"rules\":[]}",
         {NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE,
          NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE}},
        {"{" REPO ",\"protection\":" WEAK ",\"rules\":[{\"type\":\"required_signatures\"},"
         "{\"type\":\"deletion\"},{\"type\":\"unheard_of\",\"parameters\":7}]}",
         {PASSES, PASSES, FAILS, FAILS, FAILS, FAILS, PASSES, PASSES}},
    };
    g_autoptr(Definition) github = support_github();
    const EvidenceType *type = definition_type(github, "branch_protection");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Value) row = row_of(type, cases[i].env);
        for (size_t c = 0; c < G_N_ELEMENTS(names); c++)
            g_assert_cmpint(judged(evidence_type_check(type, names[c]), row), ==,
                            cases[i].expected[c]);
    }
}

static void checks_of_security_alerts_judge_rows(void) {
    static const char *const names[] = {"dependabot_enabled", "no_critical_dependabot_alerts",
                                        "no_high_dependabot_alerts", "code_scanning_enabled",
                                        "no_code_scanning_errors"};
    static const struct {
        const char *env;
        Judgement expected[5];
    } cases[] = {
        {"{" REPO ",\"dependabot\":" COUNTS("0", "0") ",\"code_scanning\":"
                                                      "{\"total\":1,\"error\":0,\"warning\":1}}",
         {PASSES, PASSES, PASSES, PASSES, PASSES}},
        {"{" REPO ",\"dependabot\":" COUNTS("1", "0") ",\"code_scanning\":"
                                                      "{\"total\":1,\"error\":1,\"warning\":0}}",
         {PASSES, FAILS, PASSES, PASSES, FAILS}},
        {"{" REPO ",\"dependabot\":" COUNTS("0", "4") ",\"code_scanning\":null}",
         {PASSES, PASSES, FAILS, FAILS, NOT_APPLICABLE}},
        {"{" REPO ",\"dependabot\":null,\"code_scanning\":null}",
         {FAILS, NOT_APPLICABLE, NOT_APPLICABLE, FAILS, NOT_APPLICABLE}},
    };
    g_autoptr(Definition) github = support_github();
    const EvidenceType *type = definition_type(github, "security_alerts");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Value) row = row_of(type, cases[i].env);
        for (size_t c = 0; c < G_N_ELEMENTS(names); c++)
            g_assert_cmpint(judged(evidence_type_check(type, names[c]), row), ==,
                            cases[i].expected[c]);
    }
}

/* What the provider mistypes makes a row that nobody may judge, not a wrong one. */
static void mistyped_answers_make_unread_fields(void) {
    static const struct {
        const char *env;
        const char *unread;
    } cases[] = {
        {"{\"repo\":{\"full_name\":7,\"default_branch\":\"main\"},\"protection\":null,\"rules\":[]"
         "}",
         "repository"},
        {"{" REPO ",\"protection\":{\"required_pull_request_reviews\":"
         "{\"required_approving_review_count\":\"two\"}},\"rules\":[]}",
         "requiredReviewers"},
        {"{" REPO ",\"protection\":{\"required_status_checks\":{\"contexts\":[1]}},\"rules\":[]}",
         "statusChecks"},
    };
    g_autoptr(Definition) github = support_github();
    const EvidenceType *type = definition_type(github, "branch_protection");
    g_autofree const Expr **leaves = g_new0(const Expr *, type->row_field_count);
    for (size_t i = 0; i < type->row_field_count; i++)
        leaves[i] = type->row_fields[i].expr;
    g_autoptr(ExprProgram) program = expr_program_new(leaves, type->row_field_count);
    g_autofree ExprResult *results = g_new0(ExprResult, type->row_field_count);
    for (size_t c = 0; c < G_N_ELEMENTS(cases); c++) {
        g_auto(Value) root = support_value(cases[c].env);
        ExprInput input = {.root = root};
        g_assert_true(expr_program_eval(program, &input, results, NULL));
        g_auto(Value) row = value_new_object();
        for (size_t i = 0; i < type->row_field_count; i++) {
            if (results[i].outcome == EXPR_ONE)
                value_put(&row, type->row_fields[i].name, value_copy(results[i].value));
        }
        expr_results_clear(results, type->row_field_count);
        g_autoptr(GPtrArray) unread = g_ptr_array_new();
        g_assert_true(field_set_check(type->fields, row, unread, NULL, NULL));
        g_assert_cmpuint(unread->len, ==, 1);
        g_assert_cmpstr(g_ptr_array_index(unread, 0), ==, cases[c].unread);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/github/" #name, name)
    TEST(it_offers_a_token_first_and_lists_the_rest);
    TEST(its_limits_and_schedule_are_those_of_the_vendor_and_the_contract);
    TEST(every_call_that_is_read_names_its_permissions);
    TEST(every_check_supports_the_controls_of_the_source);
    TEST(checks_depend_on_the_reads_of_their_fields_only);
    TEST(archived_repositories_are_left_out_unless_asked_for);
    TEST(a_list_of_repositories_restricts_the_run);
    TEST(alerts_are_counted_by_severity);
    TEST(a_product_that_is_off_is_null_and_not_zero);
    TEST(documents_have_the_names_of_the_source);
    TEST(checks_of_branch_protection_judge_rows);
    TEST(checks_of_security_alerts_judge_rows);
    TEST(mistyped_answers_make_unread_fields);
    return g_test_run();
}
