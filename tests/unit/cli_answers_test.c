/* What a person gave for a connection, and what is asked. */
#include "cli/answers.h"
#include "provider/definition_load.h"
#include "unit/cli_support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char text[] = "assay: 1\n"
                           "id: sample\n"
                           "name: Sample\n"
                           "icon: box\n"
                           "category: devops\n"
                           "summary: A service\n"
                           "docs: https://example.com/docs\n"
                           "checked: 2026-11-20\n"
                           "hosts: [api.example.com]\n"
                           "settings:\n"
                           "  workspace: {label: Workspace, pattern: '[a-z]+'}\n"
                           "  page_size: {label: Page size, type: int, default: '10'}\n"
                           "auth:\n"
                           "  token:\n"
                           "    label: Token\n"
                           "    scheme: bearer\n"
                           "    fields:\n"
                           "      access_token: {label: Token, secret: true}\n"
                           "http:\n"
                           "  base_url: '\"https://api.example.com\"'\n"
                           "identity: {call: me, reply: {user: .login}}\n"
                           "calls:\n"
                           "  me: {get: /me}\n"
                           "  users: {get: /users, rows: .}\n"
                           "evidence:\n"
                           "  users:\n"
                           "    title: Users\n"
                           "    description: Everybody\n"
                           "    type: config\n"
                           "    read: {user: {call: users}}\n"
                           "    row: {name: .user.name}\n"
                           "    fields: {name: string}\n"
                           "schedule: {default: 4h, min: 1h, max: 24h}\n";

static const char role[] = "  role:\n"
                           "    label: Role\n"
                           "    scheme: aws_role\n"
                           "    fields:\n"
                           "      role_arn: {label: ARN of the role}\n"
                           "      external_id: {label: External id}\n";

static const Prompt nobody = {-1, -1};

static Definition *load(void) {
    Definition *definition = NULL;
    must((definition = definition_load("sample", text, strlen(text), NULL, &error)) != NULL);
    return definition;
}

/* Answers to a line of "set KEY=VALUE" and "credential NAME=SOURCE" words. */
static bool take(const Definition *definition, const char *set, const char *credentials,
                 Prompt prompt, Answers *answers, GError **error) {
    g_auto(GStrv) sets = g_strsplit(set, " ", -1);
    g_auto(GStrv) sources = g_strsplit(credentials, " ", -1);
    Questions questions = {.definition = definition,
                           .set = *set != '\0' ? (const char *const *)sets : NULL,
                           .credentials =
                               *credentials != '\0' ? (const char *const *)sources : NULL,
                           .prompt = prompt};
    return answers_init(answers, &questions, error);
}

static void refuse(const char *set, const char *credentials, ErrorCode code, const char *part) {
    g_autoptr(Definition) definition = load();
    g_auto(Answers) answers = {0};
    must_fail(code, part, take(definition, set, credentials, nobody, &answers, &error));
}

static void settings_and_secrets_are_gathered(void) {
    g_autoptr(Definition) definition = load();
    g_auto(Answers) answers = {0};
    g_autofree char *source = g_strdup_printf("accessToken=@%s", desk_file("token", PLANTED "\n"));
    must(take(definition, "workspace=acme pageSize=5", source, nobody, &answers, &error));
    g_assert_cmpstr(answers.auth->name, ==, "token");
    g_assert_cmpstr(json_member_string(answers.settings, "workspace", ""), ==, "acme");
    g_assert_cmpstr(json_member_string(answers.settings, "pageSize", ""), ==, "5");
    g_assert_cmpuint(credentials_count(answers.credentials), ==, 1);
    const Secret *secret = credentials_get(answers.credentials, "access_token");
    g_assert_cmpstr(secret_text(secret), ==, PLANTED);
}

static void plain_secrets_are_refused_in_every_place(void) {
    refuse("workspace=acme", "access_token=" PLANTED, ERROR_USAGE, "not taken as an argument");
    refuse("access_token=" PLANTED, "", ERROR_USAGE, "not taken as an argument");
    refuse("accessToken=" PLANTED, "", ERROR_USAGE, "not taken as an argument");
    refuse(PLANTED, "", ERROR_USAGE, "--set wants KEY=VALUE");
    refuse("", PLANTED, ERROR_USAGE, "--credential wants NAME=");
}

/* The definition with a second way to sign in. */
static Definition *load_with_role(void) {
    const char *http = strstr(text, "http:\n");
    g_autofree char *before = g_strndup(text, (gsize)(http - text));
    g_autofree char *whole = g_strconcat(before, role, http, NULL);
    Definition *definition = NULL;
    must((definition = definition_load("sample", whole, strlen(whole), NULL, &error)) != NULL);
    return definition;
}

static void external_id_of_a_role_is_made_when_it_is_not_given(void) {
    g_autoptr(Definition) definition = load_with_role();
    const char *arn = "arn:aws:iam::123456789012:role/assay";
    g_autofree char *set = g_strdup_printf("workspace=acme role_arn=%s", arn);
    g_autofree char *previous = NULL;
    for (int i = 0; i < 2; i++) {
        g_auto(Answers) answers = {0};
        must(take(definition, set, "", nobody, &answers, &error));
        g_assert_cmpstr(answers.auth->name, ==, "role");
        g_assert_true(answers.external_id_made);
        const Secret *id = credentials_get(answers.credentials, "external_id");
        g_assert_true(g_regex_match_simple("^assay-[0-9a-f]{32}$", secret_text(id), 0, 0));
        g_assert_cmpstr(previous, !=, secret_text(id));
        g_free(previous);
        previous = g_strdup(secret_text(id));
    }
}

static void external_id_that_is_given_is_kept(void) {
    g_autoptr(Definition) definition = load_with_role();
    g_auto(Answers) answers = {0};
    must(take(definition,
              "workspace=acme role_arn=arn:aws:iam::123456789012:role/assay external_id=assay-42",
              "", nobody, &answers, &error));
    g_assert_false(answers.external_id_made);
    const Secret *id = credentials_get(answers.credentials, "external_id");
    g_assert_cmpstr(secret_text(id), ==, "assay-42");
}

static void other_ways_get_no_external_id(void) {
    g_autoptr(Definition) definition = load_with_role();
    g_auto(Answers) answers = {0};
    g_autofree char *source = g_strdup_printf("accessToken=@%s", desk_file("token", PLANTED "\n"));
    must(take(definition, "workspace=acme", source, nobody, &answers, &error));
    g_assert_false(answers.external_id_made);
    g_assert_cmpuint(credentials_count(answers.credentials), ==, 1);
}

static void unknown_fields_are_told_with_the_known_ones(void) {
    refuse("", "acess_token=env:X", ERROR_USAGE,
           "has no credential field \"acess_token\"; it has: access_token");
}

static void nothing_is_given_twice(void) {
    g_autofree char *twice = g_strdup_printf("access_token=@%s access_token=@%s",
                                             desk_file("a", PLANTED), desk_file("b", PLANTED));
    refuse("", twice, ERROR_USAGE, "access_token was given twice");
    refuse("workspace=a workspace=b", "", ERROR_USAGE, "workspace was given twice");
    refuse("", "access_token=- access_token=-", ERROR_USAGE, "standard input holds one secret");
}

static void what_is_missing_is_told_when_nobody_can_be_asked(void) {
    refuse("workspace=acme", "", ERROR_USAGE,
           "the credential field access_token is missing; give --credential access_token=@FILE");
}

static void an_unknown_way_to_sign_in_lists_the_known_ones(void) {
    g_autoptr(Definition) definition = load();
    g_auto(Answers) answers = {0};
    Questions questions = {.definition = definition, .auth = "oauth", .prompt = nobody};
    must_fail(ERROR_CONFIGURATION, "can be connected with: token (access_token)",
              answers_init(&answers, &questions, &error));
}

static void a_person_is_asked_for_what_is_missing(void) {
    g_autoptr(Definition) definition = load();
    g_auto(Answers) answers = {0};
    int person = posix_openpt(O_RDWR | O_NOCTTY);
    g_assert_cmpint(grantpt(person), ==, 0);
    g_assert_cmpint(unlockpt(person), ==, 0);
    int terminal = open(ptsname(person), O_RDWR | O_NOCTTY);
    const Prompt prompt = {terminal, terminal};
    g_autofree char *source = g_strdup_printf("access_token=@%s", desk_file("t", PLANTED));
    g_assert_cmpint((int)write(person, "acme\n", 5), ==, 5);
    must(take(definition, "", source, prompt, &answers, &error));
    g_assert_cmpstr(json_member_string(answers.settings, "workspace", ""), ==, "acme");
    /* What has a default is not asked. */
    g_assert_null(json_member(answers.settings, "page_size"));
    close(terminal);
    close(person);
}

static void an_answer_that_does_not_fit_is_refused(void) {
    g_autoptr(Definition) definition = load();
    g_auto(Answers) answers = {0};
    int person = posix_openpt(O_RDWR | O_NOCTTY);
    g_assert_cmpint(grantpt(person), ==, 0);
    g_assert_cmpint(unlockpt(person), ==, 0);
    int terminal = open(ptsname(person), O_RDWR | O_NOCTTY);
    const Prompt prompt = {terminal, terminal};
    g_assert_cmpint((int)write(person, "ACME 1\n", 7), ==, 7);
    must_fail(ERROR_CONFIGURATION, "Workspace", take(definition, "", "", prompt, &answers, &error));
    close(terminal);
    close(person);
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"external_id_of_a_role_is_made_when_it_is_not_given",
         external_id_of_a_role_is_made_when_it_is_not_given},
        {"external_id_that_is_given_is_kept", external_id_that_is_given_is_kept},
        {"other_ways_get_no_external_id", other_ways_get_no_external_id},
        {"settings_and_secrets_are_gathered", settings_and_secrets_are_gathered},
        {"plain_secrets_are_refused_in_every_place", plain_secrets_are_refused_in_every_place},
        {"unknown_fields_are_told_with_the_known_ones",
         unknown_fields_are_told_with_the_known_ones},
        {"nothing_is_given_twice", nothing_is_given_twice},
        {"what_is_missing_is_told_when_nobody_can_be_asked",
         what_is_missing_is_told_when_nobody_can_be_asked},
        {"an_unknown_way_to_sign_in_lists_the_known_ones",
         an_unknown_way_to_sign_in_lists_the_known_ones},
        {"a_person_is_asked_for_what_is_missing", a_person_is_asked_for_what_is_missing},
        {"an_answer_that_does_not_fit_is_refused", an_answer_that_does_not_fit_is_refused},
    };
    return desk_main(argc, argv, "answers", tests, G_N_ELEMENTS(tests));
}
