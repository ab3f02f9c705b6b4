/* Read plans: calls made once, answers cut down to what is read; and GitHub's rows from them. */
#include "provider/definition_load.h"
#include "provider/identity.h"
#include "provider/plan.h"
#include "provider_support.h"

static ReadPlan *plan_of(const Definition *definition) {
    g_autofree const EvidenceType **types = g_new0(const EvidenceType *, definition->type_count);
    for (size_t i = 0; i < definition->type_count; i++)
        types[i] = &definition->types[i];
    GError *error = NULL;
    ReadPlan *plan = read_plan_new(definition, types, definition->type_count, &error);
    g_assert_no_error(error);
    return plan;
}

static const PlanNode *plan_node(const ReadPlan *plan, const char *path) {
    for (size_t i = 0; i < plan->node_count; i++) {
        if (strcmp(plan->nodes[i].path, path) == 0)
            return &plan->nodes[i];
    }
    g_assert_not_reached();
}

/* What is left of an answer for expressions. Caller frees. */
static char *kept(const ReadPlan *plan, const char *path, const char *body) {
    g_autoptr(GString) out = g_string_new(NULL);
    GError *error = NULL;
    g_assert_true(scan_body(plan_node(plan, path)->scan, body, strlen(body), NULL, out, &error));
    g_assert_no_error(error);
    return g_strdup(out->str);
}

/* --- plans ------------------------------------------------------------------------------------ */

static void a_call_shared_by_evidence_types_is_made_once(void) {
    g_autoptr(Definition) github = support_github();
    g_autoptr(ReadPlan) plan = plan_of(github);
    g_assert_cmpuint(plan->node_count, ==, 5);
    const PlanNode *repo = plan_node(plan, "repo");
    g_assert_cmpint(repo->parent, ==, READ_NO_PARENT);
    g_assert_cmpuint(repo->use_count, ==, 2);
    g_assert_cmpuint(repo->child_count, ==, 4);
    for (size_t i = 0; i < plan->node_count; i++) {
        g_assert_cmpint(plan->nodes[i].parent, <, (int)i);
        for (size_t u = 0; u < plan->nodes[i].use_count; u++) {
            PlanUse use = plan->nodes[i].uses[u];
            g_assert_cmpuint(read_plan_find(plan, use.type, use.node), ==, i);
        }
    }
}

static void reads_that_differ_in_any_way_stay_apart(void) {
    g_autoptr(Definition) github = support_github();
    g_autofree char *text = g_strndup(github->text, github->text_size);
    char *second = strstr(strstr(text, "  security_alerts:\n    title"), "(.repo.archived | not)");
    memcpy(second, "(.repo.disabled | not)", strlen("(.repo.disabled | not)"));
    g_autoptr(Definition) changed = NULL;
    GError *error = NULL;
    const EvidenceType *types[2];
    changed = support_load(&(SupportParts){
        .head = text, .settings = "", .auth = "", .http = "", .calls = "", .evidence = ""});
    types[0] = &changed->types[0];
    types[1] = &changed->types[1];
    g_autoptr(ReadPlan) plan = read_plan_new(changed, types, 2, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(plan->node_count, ==, 6);
    g_assert_cmpuint(plan_node(plan, "repo")->use_count, ==, 1);
    g_assert_cmpuint(plan_node(plan, "repo~2")->child_count, ==, 2);
    g_assert_nonnull(plan_node(plan, "repo~2/dependabot"));
}

static void a_plan_of_some_types_reads_only_for_them(void) {
    g_autoptr(Definition) github = support_github();
    const EvidenceType *type = definition_type(github, "security_alerts");
    g_autoptr(ReadPlan) plan = read_plan_new(github, &type, 1, NULL);
    g_assert_cmpuint(plan->node_count, ==, 3);
    g_autofree char *repo =
        kept(plan, "repo", "[{\"default_branch\":\"main\",\"full_name\":\"a/b\",\"name\":\"b\"}]");
    g_assert_cmpstr(repo, ==, "[{\"full_name\":\"a/b\",\"name\":\"b\"}]");
}

static void answers_are_cut_down_to_what_is_read(void) {
    g_autoptr(Definition) github = support_github();
    g_autoptr(ReadPlan) plan = plan_of(github);
    g_autofree char *repo =
        kept(plan, "repo",
             "[{\"id\":1,\"name\":\"b\",\"full_name\":\"a/b\",\"owner\":{\"login\":\"a\",\"id\":2},"
             "\"archived\":false,\"default_branch\":\"main\",\"description\":\"long\"},7]");
    g_assert_cmpstr(repo, ==,
                    "[{\"name\":\"b\",\"full_name\":\"a/b\",\"owner\":{\"login\":\"a\"},"
                    "\"archived\":false,\"default_branch\":\"main\"},7]");
    g_autofree char *alerts =
        kept(plan, "repo/dependabot",
             "[{\"number\":1,\"security_advisory\":{\"severity\":\"high\",\"summary\":\"x\"}},{}]");
    g_assert_cmpstr(alerts, ==, "[{\"security_advisory\":{\"severity\":\"high\"}},{}]");
    g_autofree char *rules =
        kept(plan, "repo/rules",
             "[{\"type\":\"deletion\",\"ruleset_id\":1},"
             "{\"type\":\"pull_request\",\"ruleset_source\":\"a\",\"parameters\":"
             "{\"required_approving_review_count\":2,\"other\":1}}]");
    g_assert_cmpstr(rules, ==,
                    "[{\"type\":\"deletion\"},{\"type\":\"pull_request\",\"parameters\":"
                    "{\"required_approving_review_count\":2,\"other\":1}}]");
}

static void rows_are_counted_even_when_nothing_of_them_is_read(void) {
    g_autoptr(Definition) definition = support_load(&(SupportParts){.head = NULL});
    g_autoptr(ReadPlan) plan = plan_of(definition);
    g_autofree char *keys = kept(plan, "user/keys", "[{\"id\":1},{\"id\":2},{\"id\":3}]");
    g_assert_cmpstr(keys, ==, "[{},{},{}]");
}

static const char kept_calls[] =
    "calls:\n"
    "  users: {get: /users, rows: '.items[]', keep: [.id, .name],\n"
    "          redact: ['.items[].token'],\n"
    "          page: {style: token, from: .meta.next, send: {query: c}}}\n"
    "  keys: {get: '/users/\\(.user.id)/keys', rows: .}\n"
    "  profile: {get: '/users/\\(.user.id)/profile', redact: [.secret]}\n";

static void an_explicit_keep_and_the_cursor_survive(void) {
    g_autoptr(Definition) definition = support_load(&(SupportParts){.calls = kept_calls});
    g_autoptr(ReadPlan) plan = plan_of(definition);
    g_autofree char *users = kept(plan, "user",
                                  "{\"items\":[{\"id\":1,\"name\":\"a\",\"token\":\"t\",\"x\":2}],"
                                  "\"meta\":{\"next\":\"c2\",\"total\":9},\"other\":1}");
    g_assert_cmpstr(users, ==,
                    "{\"items\":[{\"id\":1,\"name\":\"a\"}],\"meta\":{\"next\":\"c2\"}}");
    g_autoptr(GString) recorded = g_string_new(NULL);
    static const char body[] = "{\"items\":[{\"token\":\"hunter2\",\"x\":1}]}";
    g_assert_true(
        scan_body(plan_node(plan, "user")->scan, body, strlen(body), recorded, NULL, NULL));
    g_assert_null(strstr(recorded->str, "hunter2"));
    g_assert_nonnull(strstr(recorded->str, "\"x\":1"));
}

static void a_keep_that_hides_what_is_read_is_refused(void) {
    g_autofree char *calls = g_strdup(kept_calls);
    char *name = strstr(calls, ".name");
    memcpy(name, ".nick", strlen(".nick"));
    g_autofree char *text = support_text(&(SupportParts){.calls = calls});
    g_autoptr(GError) error = NULL;
    g_autoptr(Definition) definition =
        definition_load("demo.yaml", text, strlen(text), NULL, &error);
    g_assert_null(definition);
    g_assert_cmpstr(error->message, ==,
                    "demo.yaml:21:1: the call 'users' does not keep .items[].name, which the read "
                    "'user' looks at");
}

/* --- GitHub's rows ---------------------------------------------------------------------------- */

typedef struct {
    const char *repo;
    const char *protection; /* the answer; NULL: absent */
    const char *rules;
} Reads;

static void put_read(Value *env, const ReadPlan *plan, const char *path, const char *name,
                     const char *body, bool projected) {
    if (body == NULL) {
        value_put(env, name, value_new_null());
        return;
    }
    g_autofree char *cut = projected ? kept(plan, path, body) : g_strdup(body);
    value_put(env, name, support_value(cut));
}

/* The typed row of branch_protection, as JSON. Caller frees. */
static char *protection_row(const Definition *github, const Reads *reads, bool projected) {
    g_autoptr(ReadPlan) plan = plan_of(github);
    const EvidenceType *type = definition_type(github, "branch_protection");
    g_auto(Value) env = value_new_object();
    g_autofree char *list = g_strdup_printf("[%s]", reads->repo);
    g_autofree char *cut = projected ? kept(plan, "repo", list) : g_strdup(list);
    g_auto(Value) repos = support_value(cut);
    value_put(&env, "repo", value_at(repos, 0));
    put_read(&env, plan, "repo/protection", "protection", reads->protection, projected);
    put_read(&env, plan, "repo/rules", "rules", reads->rules, projected);
    g_autofree const Expr **leaves = g_new0(const Expr *, type->row_field_count);
    for (size_t i = 0; i < type->row_field_count; i++)
        leaves[i] = type->row_fields[i].expr;
    g_autoptr(ExprProgram) program = expr_program_new(leaves, type->row_field_count);
    g_autofree ExprResult *results = g_new0(ExprResult, type->row_field_count);
    ExprInput input = {.root = env};
    g_assert_true(expr_program_eval(program, &input, results, NULL));
    g_auto(Value) row = value_new_object();
    for (size_t i = 0; i < type->row_field_count; i++) {
        g_assert_cmpint(results[i].outcome, ==, EXPR_ONE);
        value_put(&row, type->row_fields[i].name, value_copy(results[i].value));
    }
    expr_results_clear(results, type->row_field_count);
    bool readable = false;
    GError *error = NULL;
    g_assert_true(field_set_check(type->fields, row, NULL, &readable, &error));
    g_assert_no_error(error);
    g_assert_true(readable);
    return value_to_json(row);
}

#define REPO                                                                                       \
    "{\"id\":1,\"name\":\"api\",\"full_name\":\"acme/api\",\"owner\":{\"login\":\"acme\"},"        \
    "\"default_branch\":\"main\",\"archived\":false}"
#define CLASSIC                                                                                    \
    "{\"url\":\"x\",\"required_status_checks\":{\"strict\":true,\"contexts\":[\"build\"],"         \
    "\"checks\":[{\"context\":\"build\",\"app_id\":15368}]},\"enforce_admins\":{\"enabled\":true}" \
    ","                                                                                            \
    "\"required_pull_request_reviews\":{\"dismiss_stale_reviews\":true,"                           \
    "\"require_code_owner_reviews\":false,\"required_approving_review_count\":1,"                  \
    "\"require_last_push_approval\":false},\"required_linear_history\":{\"enabled\":false},"       \
    "\"allow_force_pushes\":{\"enabled\":false},\"allow_deletions\":{\"enabled\":true},"           \
    "\"required_conversation_resolution\":{\"enabled\":true},"                                     \
    "\"required_signatures\":{\"enabled\":false},\"lock_branch\":{\"enabled\":false}}"
#define RULES                                                                                      \
    "[{\"type\":\"deletion\",\"ruleset_source_type\":\"Organization\",\"ruleset_id\":42},"         \
    "{\"type\":\"pull_request\",\"parameters\":{\"required_approving_review_count\":2,"            \
    "\"dismiss_stale_reviews_on_push\":true,\"require_code_owner_review\":true,"                   \
    "\"require_last_push_approval\":true,\"required_review_thread_resolution\":true}},"            \
    "{\"type\":\"required_status_checks\",\"parameters\":{\"required_status_checks\":"             \
    "[{\"context\":\"test\"},{\"context\":\"build\"}]}}]"

static void assert_row(const Reads *reads, const char *const *members) {
    g_autoptr(Definition) github = support_github();
    g_autofree char *whole = protection_row(github, reads, false);
    g_autofree char *projected = protection_row(github, reads, true);
    g_assert_cmpstr(projected, ==, whole);
    for (size_t i = 0; members[i] != NULL; i++) {
        if (strstr(whole, members[i]) == NULL)
            g_test_message("%s lacks %s", whole, members[i]);
        g_assert_nonnull(strstr(whole, members[i]));
    }
}

static void classic_protection_becomes_a_row(void) {
    assert_row(&(Reads){REPO, CLASSIC, "[]"},
               (const char *const[]){
                   "\"repository\":\"acme/api\"", "\"branch\":\"main\"", "\"branchExists\":true",
                   "\"protected\":true", "\"source\":\"classic\"", "\"requiresPullRequest\":true",
                   "\"requiredReviewers\":1", "\"requiresStatusChecks\":true",
                   "\"statusChecks\":[\"build\"]", "\"enforcesAdmins\":true",
                   "\"requiresSignedCommits\":false", "\"forcePushesBlocked\":true",
                   "\"deletionsBlocked\":false", "\"dismissesStaleReviews\":true",
                   "\"requiresCodeOwnerReviews\":false", NULL});
}

static void rules_of_rulesets_become_a_row(void) {
    assert_row(&(Reads){REPO, NULL, RULES},
               (const char *const[]){
                   "\"protected\":true", "\"source\":\"ruleset\"", "\"requiresPullRequest\":true",
                   "\"requiredReviewers\":2", "\"statusChecks\":[\"build\",\"test\"]",
                   "\"enforcesAdmins\":null", "\"forcePushesBlocked\":false",
                   "\"deletionsBlocked\":true", "\"requiresCodeOwnerReviews\":true", NULL});
}

static void the_stricter_of_both_sources_wins(void) {
    assert_row(
        &(Reads){REPO, CLASSIC, RULES},
        (const char *const[]){"\"source\":\"classic and ruleset\"", "\"requiredReviewers\":2",
                              "\"statusChecks\":[\"build\",\"test\"]", "\"enforcesAdmins\":true",
                              "\"forcePushesBlocked\":true", "\"deletionsBlocked\":true", NULL});
}

static void no_protection_at_all_becomes_a_row(void) {
    assert_row(&(Reads){REPO, NULL, "[]"},
               (const char *const[]){"\"branchExists\":true", "\"protected\":false",
                                     "\"source\":\"none\"", "\"requiresPullRequest\":false",
                                     "\"requiredReviewers\":0", "\"statusChecks\":[]",
                                     "\"enforcesAdmins\":false", "\"forcePushesBlocked\":false",
                                     NULL});
    assert_row(&(Reads){REPO, NULL, NULL}, (const char *const[]){"\"protected\":false", NULL});
}

static void an_empty_repository_has_no_branch(void) {
    assert_row(&(Reads){REPO, "{\"message\":\"Branch not found\",\"status\":\"404\"}", "[]"},
               (const char *const[]){"\"branchExists\":false", "\"protected\":false",
                                     "\"source\":\"none\"", NULL});
}

/* --- who am I --------------------------------------------------------------------------------- */

static void github_says_who_the_token_belongs_to(void) {
    g_autoptr(Definition) github = support_github();
    g_auto(Value) answer = support_value("{\"login\":\"octocat\",\"id\":1}");
    Identity identity;
    g_autoptr(GError) error = NULL;
    g_assert_true(identity_read(github, answer, &identity, &error));
    g_assert_cmpstr(identity.user, ==, "octocat");
    g_assert_null(identity.account_id);
    g_auto(Value) row = support_value("{\"login\":\"acme\"}");
    g_auto(Value) odd = support_value("{\"login\":{}}");
    identity_add_organization(&identity, github, row);
    identity_add_organization(&identity, github, odd);
    g_assert_cmpuint(identity.organizations->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(identity.organizations, 0), ==, "acme");
    for (int i = 0; i < 2 * IDENTITY_MAX_ORGANIZATIONS; i++)
        identity_add_organization(&identity, github, row);
    g_assert_cmpuint(identity.organizations->len, ==, IDENTITY_MAX_ORGANIZATIONS);
    identity_clear(&identity);
}

static void an_answer_without_a_name_is_no_identity(void) {
    static const char *const answers[] = {
        "{}", "[]", "null", "\"x\"", "{\"login\":null}", "{\"login\":\"\"}", "{\"login\":[1]}"};
    g_autoptr(Definition) github = support_github();
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_auto(Value) answer = support_value(answers[i]);
        Identity identity;
        g_autoptr(GError) error = NULL;
        g_assert_false(identity_read(github, answer, &identity, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE);
        g_assert_null(strstr(error->message, "login"));
    }
}

/* --- indexes and what stands alone ------------------------------------------------------------ */

static void an_index_is_one_shared_list_and_a_lookup(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_autoptr(ReadPlan) plan = plan_of(definition);
    const PlanNode *shared = plan_node(plan, "region/log");
    const PlanNode *lookup = plan_node(plan, "region/vpc/log");
    g_assert_true(shared->shared);
    g_assert_cmpint(shared->source, ==, PLAN_NO_SOURCE);
    g_assert_false(lookup->shared);
    g_assert_cmpint(lookup->source, ==, (int)(shared - plan->nodes));
    g_assert_true(&plan->nodes[shared->parent] == plan_node(plan, "region"));
    g_assert_true(&plan->nodes[lookup->parent] == plan_node(plan, "region/vpc"));
    g_assert_null(lookup->scan);
    /* Both are about the same read of the type: what is said of the list is said of the read. */
    g_assert_cmpuint(shared->use_count, ==, 1);
    g_assert_cmpuint(lookup->use_count, ==, 1);
    g_assert_cmpuint(shared->uses[0].node, ==, lookup->uses[0].node);
    g_assert_true(&plan->nodes[read_plan_find(plan, shared->uses[0].type, shared->uses[0].node)] ==
                  lookup);
    /* The list below a read that stands alone is one of its children. */
    g_assert_true(plan_node(plan, "requested/report")->shared);
    g_assert_cmpint(plan_node(plan, "user/report")->source, ==,
                    (int)(plan_node(plan, "requested/report") - plan->nodes));
}

static void a_shared_list_keeps_key_filter_and_what_rows_read(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_autoptr(ReadPlan) plan = plan_of(definition);
    g_autofree char *logs =
        kept(plan, "region/log",
             "{\"flowLogSet\":{\"item\":[{\"id\":\"fl-1\",\"name\":\"n\","
             "\"resourceId\":\"vpc-1\",\"state\":\"on\"}]},\"nextToken\":\"t\"}");
    g_assert_cmpstr(logs, ==,
                    "{\"flowLogSet\":{\"item\":[{\"id\":\"fl-1\",\"resourceId\":\"vpc-1\","
                    "\"state\":\"on\"}]},\"nextToken\":\"t\"}");
    g_autofree char *report =
        kept(plan, "requested/report",
             "[{\"user\":\"ann\",\"arn\":\"a\",\"password_enabled\":\"true\"}]");
    g_assert_cmpstr(report, ==, "[{\"user\":\"ann\",\"password_enabled\":\"true\"}]");
}

static void requests_regions_and_metadata_are_read_too(void) {
    g_autoptr(Definition) definition = support_aws(NULL, NULL);
    g_autoptr(ReadPlan) plan = plan_of(definition);
    g_autofree char *user =
        kept(plan, "user",
             "{\"IsTruncated\":\"false\",\"Marker\":\"m\",\"Users\":{\"member\":["
             "{\"UserName\":\"ann\",\"Path\":\"/\",\"GroupList\":{\"member\":[\"g\"]}}"
             "]}}");
    g_assert_cmpstr(user, ==,
                    "{\"IsTruncated\":\"false\",\"Marker\":\"m\",\"Users\":{\"member\":["
                    "{\"UserName\":\"ann\",\"GroupList\":{\"member\":[\"g\"]}}]}}");
    g_autofree char *region = kept(plan, "region",
                                   "{\"regionInfo\":{\"item\":[{\"regionName\":\"eu-west-1\","
                                   "\"regionEndpoint\":\"e\"}]}}");
    g_assert_cmpstr(region, ==, "{\"regionInfo\":{\"item\":[{\"regionName\":\"eu-west-1\"}]}}");
    g_autofree char *me = kept(plan, "me", "{\"Account\":\"1\",\"UserId\":\"u\"}");
    g_assert_cmpstr(me, ==, "{\"Account\":\"1\"}");
    g_autofree char *requested = kept(plan, "requested", "{\"State\":\"COMPLETE\",\"Text\":\"t\"}");
    g_assert_cmpstr(requested, ==, "{\"State\":\"COMPLETE\"}");
}

static const char two_types[] =
    "evidence:\n"
    "  a:\n"
    "    title: A\n"
    "    description: A\n"
    "    type: config\n"
    "    read:\n"
    "      region: {each: '[\"eu-west-1\"] | map({regionName: .})'}\n"
    "      vpc: {call: vpcs, for: region}\n"
    "      log: {call: flow_logs, for: vpc, index: {on: .resourceId, key: .vpc.vpcId,\n"
    "        once_per: region}}\n"
    "    row: {id: .vpc.vpcId, log: .log.id}\n"
    "    fields: {id: string, log: 'string?'}\n"
    "  b:\n"
    "    title: B\n"
    "    description: B\n"
    "    type: config\n"
    "    read:\n"
    "      region: {each: '[\"eu-west-1\"] | map({regionName: .})'}\n"
    "      vpc: {call: vpcs, for: region}\n"
    "      log: {call: flow_logs, for: vpc, collect: 3, index: {on: .resourceId,\n"
    "        key: .vpc.vpcId, once_per: region}}\n"
    "      once: {call: flow_logs, for: vpc, collect: 3, index: {on: .resourceId,\n"
    "        key: .vpc.vpcId}}\n"
    "      policy: {first: [encryption, other], for: bucket}\n"
    "      bucket: {each: '[{Name: \"b\", BucketRegion: null}]', for: vpc}\n"
    "    row: {id: .vpc.vpcId, logs: '.log + .once | length', to: '.log[0].destination',\n"
    "      policy: .policy.Policy}\n"
    "    fields: {id: string, logs: int, to: 'string?', policy: 'string?'}\n";
static const char two_calls[] =
    "calls:\n"
    "  vpcs: {aws: ec2.DescribeVpcs, rows: .vpcSet.item}\n"
    "  flow_logs: {aws: ec2.DescribeFlowLogs, rows: .flowLogSet.item, region: null}\n"
    "  encryption: {aws: s3.GetBucketEncryption, get: '/\\(.bucket.Name)?encryption',\n"
    "    redact: [.Key]}\n"
    "  other: {aws: s3.GetOther, get: '/\\(.bucket.Name)?other', keep: [.Policy],\n"
    "    redact: [.Secret]}\n";

static void equal_indexes_of_two_types_are_read_once(void) {
    g_autoptr(Definition) definition = support_aws(two_calls, two_types);
    g_autoptr(ReadPlan) plan = plan_of(definition);
    /* The rows of an expression are shared as calls are, and nothing is scanned for them. */
    g_assert_cmpuint(plan_node(plan, "region")->use_count, ==, 2);
    g_assert_null(plan_node(plan, "region")->scan);
    g_assert_cmpuint(plan_node(plan, "region/log")->use_count, ==, 2);
    /* One row and an array of rows are different lookups in one list. */
    g_assert_cmpint(plan_node(plan, "region/vpc/log")->source, ==,
                    plan_node(plan, "region/vpc/log~2")->source);
    /* Once a run is another list than once per region. */
    g_assert_cmpint(plan_node(plan, "once")->parent, ==, READ_NO_PARENT);
    g_assert_true(plan_node(plan, "once")->shared);
    g_autofree char *logs = kept(plan, "region/log",
                                 "{\"flowLogSet\":{\"item\":[{\"id\":\"1\",\"resourceId\":\"v\","
                                 "\"destination\":\"d\",\"more\":1}]}}");
    g_assert_cmpstr(logs, ==,
                    "{\"flowLogSet\":{\"item\":[{\"id\":\"1\",\"resourceId\":\"v\","
                    "\"destination\":\"d\",\"more\":1}]}}");
}

static void all_calls_of_first_share_one_projection(void) {
    g_autoptr(Definition) definition = support_aws(two_calls, two_types);
    g_autoptr(ReadPlan) plan = plan_of(definition);
    const PlanNode *policy = plan_node(plan, "region/vpc/bucket/policy");
    g_autoptr(GString) recorded = g_string_new(NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    static const char body[] = "{\"Policy\":\"p\",\"Key\":\"k\",\"Secret\":\"s\"}";
    g_assert_true(scan_body(policy->scan, body, strlen(body), recorded, out, NULL));
    g_assert_cmpstr(out->str, ==, "{\"Policy\":\"p\"}");
    g_assert_cmpstr(recorded->str, ==,
                    "{\"Policy\":\"p\",\"Key\":\"[redacted]\",\"Secret\":\"[redacted]\"}");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/plan/" #name, name)
    TEST(a_call_shared_by_evidence_types_is_made_once);
    TEST(reads_that_differ_in_any_way_stay_apart);
    TEST(a_plan_of_some_types_reads_only_for_them);
    TEST(answers_are_cut_down_to_what_is_read);
    TEST(rows_are_counted_even_when_nothing_of_them_is_read);
    TEST(an_explicit_keep_and_the_cursor_survive);
    TEST(a_keep_that_hides_what_is_read_is_refused);
    TEST(an_index_is_one_shared_list_and_a_lookup);
    TEST(a_shared_list_keeps_key_filter_and_what_rows_read);
    TEST(requests_regions_and_metadata_are_read_too);
    TEST(equal_indexes_of_two_types_are_read_once);
    TEST(all_calls_of_first_share_one_projection);
    TEST(classic_protection_becomes_a_row);
    TEST(rules_of_rulesets_become_a_row);
    TEST(the_stricter_of_both_sources_wins);
    TEST(no_protection_at_all_becomes_a_row);
    TEST(an_empty_repository_has_no_branch);
    TEST(github_says_who_the_token_belongs_to);
    TEST(an_answer_without_a_name_is_no_identity);
    return g_test_run();
}
