/* The least rights of a provider as an object. */
#include "base/error.h"
#include "present/policy_object.h"
#include "provider/registry.h"

#include <string.h>

static Registry *registry;

static const Definition *definition_of(const char *id) {
    g_autoptr(GError) error = NULL;
    const Definition *definition = registry_find(registry, id, &error);
    g_assert_no_error(error);
    return definition;
}

static Json *object_of(const char *id, const char *const *names) {
    g_autoptr(GError) error = NULL;
    size_t count = 0;
    const Definition *definition = definition_of(id);
    g_autofree const EvidenceType **types = policy_types(definition, names, &count, &error);
    g_assert_no_error(error);
    return policy_object(definition, types, count);
}

static void without_names_all_types_are_meant(void) {
    const Definition *github = definition_of("github");
    g_autoptr(Json) json = object_of("github", NULL);
    g_assert_cmpstr(json_member_string(json, "provider", ""), ==, "github");
    g_assert_cmpuint(json_count(json_member(json, "evidenceTypes")), ==, github->type_count);
}

static void a_type_that_is_named_twice_is_meant_once(void) {
    static const char *const names[] = {"iam_users", "s3_encryption", "iam_users", NULL};
    g_autoptr(Json) json = object_of("aws", names);
    const Json *types = json_member(json, "evidenceTypes");
    g_assert_cmpuint(json_count(types), ==, 2);
    g_assert_cmpstr(json_text(json_item(types, 0)), ==, "iam_users");
    g_assert_cmpstr(json_text(json_item(types, 1)), ==, "s3_encryption");
}

static void fewer_types_need_no_more_rights(void) {
    static const char *const names[] = {"iam_users", NULL};
    g_autoptr(Json) some = object_of("aws", names);
    g_autoptr(Json) all = object_of("aws", NULL);
    size_t few = json_count(json_path(some, "needs.iam"));
    g_assert_cmpuint(few, >, 0);
    g_assert_cmpuint(few, <, json_count(json_path(all, "needs.iam")));
}

static void a_document_is_there_where_one_can_be_attached(void) {
    g_autoptr(Json) aws = object_of("aws", NULL);
    g_autoptr(Json) github = object_of("github", NULL);
    const Json *statement = json_item(json_path(aws, "policy.Statement"), 0);
    g_assert_cmpstr(json_member_string(statement, "Effect", ""), ==, "Allow");
    g_assert_cmpuint(json_count(json_member(statement, "Action")), ==,
                     json_count(json_path(aws, "needs.iam")));
    g_assert_null(json_member(github, "policy"));
    g_assert_cmpuint(json_count(json_member(github, "needs")), >, 1);
}

static void a_name_that_is_none_is_told(void) {
    static const char *const names[] = {"iam_users", "weather", NULL};
    g_autoptr(GError) error = NULL;
    size_t count = 0;
    g_assert_null(policy_types(definition_of("aws"), names, &count, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "assay provider show aws"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    registry = registry_new(NULL, &error);
    g_assert_no_error(error);
#define ADD(name) g_test_add_func("/present/policy/" #name, name)
    ADD(without_names_all_types_are_meant);
    ADD(a_type_that_is_named_twice_is_meant_once);
    ADD(fewer_types_need_no_more_rights);
    ADD(a_document_is_there_where_one_can_be_attached);
    ADD(a_name_that_is_none_is_told);
    int status = g_test_run();
    registry_free(registry);
    return status;
}
