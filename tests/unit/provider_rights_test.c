/* Rights at hand: policy documents and lists of names, and the reads that they allow. */
#include "base/error.h"
#include "base/json.h"
#include "provider/rights.h"
#include "provider_support.h"

#include <string.h>

static Rights *rights_of(const char *text) {
    g_autoptr(GError) error = NULL;
    Rights *rights = rights_new(text, strlen(text), &error);
    g_assert_no_error(error);
    g_assert_nonnull(rights);
    return rights;
}

static Right find(const char *text, const char *name) {
    g_autoptr(Rights) rights = rights_of(text);
    return rights_find(rights, name);
}

static void refused(const char *text, ErrorCode code, const char *part) {
    g_autoptr(GError) error = NULL;
    g_assert_null(rights_new(text, strlen(text), &error));
    g_assert_error(error, ASSAY_ERROR, (int)code);
    g_assert_nonnull(strstr(error->message, part));
}

#define HELD(text, name) g_assert_cmpint(find(text, name), ==, RIGHT_HELD)
#define LIMITED(text, name) g_assert_cmpint(find(text, name), ==, RIGHT_LIMITED)
#define MISSING(text, name) g_assert_cmpint(find(text, name), ==, RIGHT_MISSING)

/* --- lists ------------------------------------------------------------------------------------ */

static void names_stand_in_lines_words_and_arrays(void) {
    static const char *const lists[] = {"iam:ListUsers\nrepo\n", "iam:ListUsers, repo",
                                        "# what it may do\r\n\tiam:ListUsers # users\r\n\r\nrepo",
                                        "[\"iam:ListUsers\", \"repo\"]"};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        HELD(lists[i], "iam:ListUsers");
        HELD(lists[i], "repo");
        MISSING(lists[i], "iam:ListUser");
        MISSING(lists[i], "iam:ListUsersX");
        MISSING(lists[i], "users");
    }
}

static void a_star_stands_for_any_text_and_a_question_mark_for_one_character(void) {
    static const struct {
        const char *pattern;
        const char *name;
        Right right;
    } cases[] = {
        {"*", "iam:ListUsers", RIGHT_HELD},
        {"iam:*", "iam:ListUsers", RIGHT_HELD},
        {"iam:*", "iams:ListUsers", RIGHT_MISSING},
        {"iam:List*", "iam:List", RIGHT_HELD},
        {"iam:*s", "iam:ListUsers", RIGHT_HELD},
        {"iam:*User", "iam:ListUsers", RIGHT_MISSING},
        {"*:*List*s*", "iam:ListUsers", RIGHT_HELD},
        {"iam:L*t*r*s", "iam:ListUsers", RIGHT_HELD},
        {"iam:ListUser?", "iam:ListUsers", RIGHT_HELD},
        {"iam:ListUsers?", "iam:ListUsers", RIGHT_MISSING},
        {"iam:?istUsers", "iam:ListUsers", RIGHT_HELD},
        {"IAM:LISTUSERS", "iam:ListUsers", RIGHT_HELD},
        {"iam:listusers", "iam:ListUsers", RIGHT_HELD},
        {"iam.ListUsers", "iam:ListUsers", RIGHT_MISSING},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(find(cases[i].pattern, cases[i].name), ==, cases[i].right);
}

static void no_pattern_takes_long(void) {
    g_autoptr(GString) pattern = g_string_new("");
    g_autoptr(GString) name = g_string_new("");
    for (size_t i = 0; i < 100; i++)
        g_string_append(pattern, "*a");
    g_string_append(pattern, "*b");
    for (size_t i = 0; i < 10000; i++)
        g_string_append(name, "a");
    MISSING(pattern->str, name->str);
}

/* --- policy documents ------------------------------------------------------------------------- */

#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":" statements "}"
#define ALLOW(rest) "{\"Effect\":\"Allow\"," rest "}"
#define DENY(rest) "{\"Effect\":\"Deny\"," rest "}"
#define ON_ALL ",\"Resource\":\"*\""

static void statements_and_actions_are_one_or_many(void) {
    HELD(POLICY(ALLOW("\"Action\":\"iam:ListUsers\"" ON_ALL)), "iam:ListUsers");
    HELD(POLICY("[" ALLOW("\"Action\":[\"s3:*\",\"iam:L*\"],\"Resource\":[\"x\",\"*\"]") "]"),
         "iam:ListUsers");
    HELD(" \n" POLICY("[" ALLOW("\"Action\":\"a\"" ON_ALL) "," ALLOW("\"Action\":\"iam:*\"" ON_ALL
                                                                     ",\"Condition\":{}") "]"),
         "iam:ListUsers");
    MISSING(POLICY("[]"), "iam:ListUsers");
}

static void a_denial_goes_before_every_grant(void) {
    static const char policy[] = POLICY(
        "[" DENY("\"Action\":\"iam:ListUsers\"" ON_ALL) "," ALLOW("\"Action\":\"*\"" ON_ALL) "]");
    MISSING(policy, "iam:ListUsers");
    HELD(policy, "iam:ListRoles");
}

static void what_stands_under_a_condition_or_on_some_resources_is_limited(void) {
    LIMITED(POLICY(ALLOW("\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::logs\"")),
            "s3:GetBucketAcl");
    LIMITED(POLICY(ALLOW("\"Action\":\"*\",\"NotResource\":\"arn:aws:s3:::logs\"")),
            "s3:GetBucketAcl");
    LIMITED(POLICY(ALLOW("\"Action\":\"*\"" ON_ALL
                         ",\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"true\"}}")),
            "s3:GetBucketAcl");
    LIMITED(POLICY("[" ALLOW("\"Action\":\"*\"" ON_ALL) "," DENY(
                "\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::logs\"") "]"),
            "s3:GetBucketAcl");
    MISSING(POLICY(DENY("\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::logs\"")),
            "s3:GetBucketAcl");
    HELD(POLICY("[" ALLOW("\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::logs\"") "," ALLOW(
             "\"Action\":\"s3:Get*\"" ON_ALL) "]"),
         "s3:GetBucketAcl");
}

static void not_action_is_everything_else(void) {
    static const char policy[] = POLICY(ALLOW("\"NotAction\":[\"iam:*\",\"sts:*\"]" ON_ALL));
    HELD(policy, "s3:GetBucketAcl");
    MISSING(policy, "iam:ListUsers");
    static const char denying[] = POLICY(
        "[" ALLOW("\"Action\":\"*\"" ON_ALL) "," DENY("\"NotAction\":\"s3:Get*\"" ON_ALL) "]");
    HELD(denying, "s3:GetBucketAcl");
    MISSING(denying, "iam:ListUsers");
}

static void what_is_no_policy_and_no_list_is_refused(void) {
    refused("", ERROR_CONFIGURATION, "there is no name in it");
    refused("# nothing\n", ERROR_CONFIGURATION, "there is no name in it");
    refused("Assay's rights", ERROR_CONFIGURATION, "something in it that is no name");
    refused("\xff", ERROR_CONFIGURATION, "it is no text");
    refused("{", ERROR_CONFIGURATION, "the rights cannot be read");
    refused("{}", ERROR_CONFIGURATION, "no policy document");
    refused("[1]", ERROR_CONFIGURATION, "something in it that is no name");
    refused("[[\"a\"]]", ERROR_CONFIGURATION, "something in it that is no name");
    refused(POLICY("[\"Allow\"]"), ERROR_CONFIGURATION, "neither Allow nor Deny");
    refused(POLICY("{\"Effect\":\"allow\",\"Action\":\"*\"}"), ERROR_CONFIGURATION,
            "neither Allow nor Deny");
    refused(POLICY(ALLOW("\"Resource\":\"*\"")), ERROR_CONFIGURATION, "either Action or NotAction");
    refused(POLICY(ALLOW("\"Action\":\"*\",\"NotAction\":\"*\"" ON_ALL)), ERROR_CONFIGURATION,
            "either Action or NotAction");
    refused(POLICY(ALLOW("\"Action\":7" ON_ALL)), ERROR_CONFIGURATION, "a text or an array");
    refused(POLICY(ALLOW("\"Principal\":\"*\",\"Action\":\"*\"" ON_ALL)), ERROR_CONFIGURATION,
            "the policy of a resource");
}

static void what_is_too_large_is_refused(void) {
    g_autofree char *name = g_strnfill(257, 'a');
    refused(name, ERROR_LIMIT, "more than 256 bytes");
    g_autoptr(GString) names = g_string_new(NULL);
    for (size_t i = 0; i < 20001; i++)
        g_string_append(names, "a ");
    refused(names->str, ERROR_LIMIT, "20000 names");
    g_autofree char *text = g_strnfill(RIGHTS_MAX_SIZE + 1, ' ');
    refused(text, ERROR_LIMIT, "more than 1048576 bytes");
}

/* --- reads ------------------------------------------------------------------------------------ */

static const char calls[] =
    "calls:\n"
    "  caller: {aws: sts.GetCallerIdentity, region: null, needs: {}}\n"
    "  users: {aws: iam.ListUsers, rows: .Users.member}\n"
    "  devices: {aws: iam.ListMFADevices, rows: .MFADevices.member,\n"
    "    needs: {iam: ['iam:ListMFADevices', 'iam:GetUser'], other: [devices]}}\n"
    "  tag: {aws: iam.GetUser, needs: {iam: ['iam:ListUserTags']}}\n"
    "  other_tag: {aws: iam.GetUser, needs: {iam: ['iam:GetUser']}}\n"
    "  listed: {aws: iam.ListVirtualMFADevices, rows: .VirtualMFADevices.member}\n";
static const char evidence[] =
    "evidence:\n"
    "  one:\n"
    "    title: One\n"
    "    description: One\n"
    "    type: config\n"
    "    read:\n"
    "      caller: {call: caller}\n"
    "      side: {call: tag}\n"
    "      user: {call: users}\n"
    "      mfa: {call: devices, for: user, collect: 10}\n"
    "      tag: {first: [tag, other_tag], for: user}\n"
    "      listed: {call: listed, for: user, index: {on: .SerialNumber, key: .user.UserName,\n"
    "        once_per: side}}\n"
    "    row_of: user\n"
    "    row: {a: .user.UserName, b: .mfa | length, c: .tag, d: .listed, e: .side, f: .caller}\n"
    "    fields: {a: string, b: int, c: 'string?', d: 'string?', e: 'string?', f: 'string?'}\n";

/* The names of the nodes that cannot be read, in their order. */
static char *unread(const char *text, Right least) {
    g_autoptr(Definition) definition = support_aws(calls, evidence);
    const EvidenceType *type = definition_type(definition, "one");
    g_autoptr(Rights) rights = rights_of(text);
    uint64_t nodes = rights_unread(rights, type, least);
    GString *names = g_string_new(NULL);
    for (size_t i = 0; i < type->node_count; i++)
        if ((nodes >> i & 1) != 0)
            g_string_append_printf(names, "%s%s", names->len > 0 ? " " : "", type->nodes[i].name);
    return g_string_free(names, FALSE);
}

static void assert_unread(const char *text, Right least, const char *expected) {
    g_autofree char *names = unread(text, least);
    g_assert_cmpstr(names, ==, expected);
}

static void a_read_needs_its_call_and_those_it_hangs_on(void) {
    assert_unread("iam:*", RIGHT_HELD, "");
    assert_unread("nothing", RIGHT_HELD, "side user mfa tag listed");
    assert_unread("iam:List* iam:GetUser", RIGHT_HELD, "");
    assert_unread("iam:ListUsers iam:ListUserTags iam:GetUser", RIGHT_HELD, "mfa listed");
    assert_unread("iam:ListM* iam:ListV* iam:ListUserTags iam:GetUser", RIGHT_HELD,
                  "user mfa tag listed");
}

static void alternatives_are_all_needed(void) {
    assert_unread("iam:List*", RIGHT_HELD, "mfa tag");
}

static void a_list_that_is_read_once_needs_what_it_is_read_for(void) {
    assert_unread("iam:ListUsers iam:ListMFADevices iam:ListVirtualMFADevices iam:GetUser",
                  RIGHT_HELD, "side tag listed");
}

static void the_words_of_one_vocabulary_are_enough(void) {
    assert_unread("iam:ListUser* iam:ListVirtualMFADevices iam:GetUser devices", RIGHT_HELD, "");
}

static void a_limited_right_may_be_enough(void) {
    static const char policy[] = POLICY(
        "[" ALLOW("\"Action\":\"iam:ListUsers\",\"Resource\":\"arn:aws:iam::1:user/x\"") "," ALLOW(
            "\"Action\":[\"iam:ListM*\",\"iam:ListV*\",\"iam:ListUserTags\",\"iam:"
            "GetUser\"]" ON_ALL) "]");
    assert_unread(policy, RIGHT_LIMITED, "");
    assert_unread(policy, RIGHT_HELD, "user mfa tag listed");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(test) g_test_add_func("/provider/rights/" #test, test)
    ADD(names_stand_in_lines_words_and_arrays);
    ADD(a_star_stands_for_any_text_and_a_question_mark_for_one_character);
    ADD(no_pattern_takes_long);
    ADD(statements_and_actions_are_one_or_many);
    ADD(a_denial_goes_before_every_grant);
    ADD(what_stands_under_a_condition_or_on_some_resources_is_limited);
    ADD(not_action_is_everything_else);
    ADD(what_is_no_policy_and_no_list_is_refused);
    ADD(what_is_too_large_is_refused);
    ADD(a_read_needs_its_call_and_those_it_hangs_on);
    ADD(alternatives_are_all_needed);
    ADD(a_list_that_is_read_once_needs_what_it_is_read_for);
    ADD(the_words_of_one_vocabulary_are_enough);
    ADD(a_limited_right_may_be_enough);
    return g_test_run();
}
