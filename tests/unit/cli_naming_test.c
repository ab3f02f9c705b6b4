/* Names that the command line gives are held to what the API holds them to, both ways alike. */
#include "cli/naming.h"
#include "store/api_token.h"
#include "store/organization.h"
#include "store/user.h"
#include "unit/cli_support.h"

#include <string.h>

#define ESCAPE "a\033[2Jb"
#define TURNED "a\u202eb\u202c" /* turns around what is in it */

static const struct {
    const char *line;     /* the name stands at %s */
    const char *argument; /* what the message calls it */
    size_t most;
} ways[] = {
    {"organizations create %s", "NAME", ORGANIZATION_NAME_MAX},
    {"organizations rename %s", "NEW-NAME", ORGANIZATION_NAME_MAX},
    {"tokens create %s --role member", "NAME", API_TOKEN_NAME_MAX},
    {"users add eve@example.com --role member --password env:NEW --name %s", "--name",
     USER_NAME_MAX},
};

/* "organizations create NAME"; the caller frees it. */
static char *line_of(size_t way, const char *name) {
    const char *line = ways[way].line;
    const char *at = strstr(line, "%s");
    return g_strdup_printf("%.*s%s%s", (int)(at - line), line, name, at + 2);
}

static void refuse(size_t way, const char *name, const char *fault) {
    g_autofree char *line = line_of(way, name);
    g_autofree char *sentence = g_strdup_printf("%s %s", ways[way].argument, fault);
    desk_fails(line, 2, sentence);
    desk_refuse_same(line, 2);
}

static void what_does_not_show_as_it_is_makes_no_name(void) {
    static const char *const odd[] = {ESCAPE, TURNED, "a\tb", "a\nb", "\177", "a\xff"};
    desk_serve("owner", true);
    for (size_t way = 0; way < G_N_ELEMENTS(ways); way++)
        for (size_t i = 0; i < G_N_ELEMENTS(odd); i++)
            refuse(way, odd[i], "must not have control characters");
}

static void a_name_has_an_end(void) {
    desk_serve("owner", true);
    for (size_t way = 0; way < G_N_ELEMENTS(ways); way++) {
        g_autofree char *fault =
            g_strdup_printf("must not be longer than %zu bytes", ways[way].most);
        g_autofree char *name = g_strnfill(ways[way].most + 1, 'n');
        refuse(way, name, fault);
    }
}

static void the_longest_name_is_taken_in_both_ways(void) {
    g_setenv("NEW", "correct horse battery", TRUE);
    desk_serve("owner", true);
    for (size_t way = 0; way < G_N_ELEMENTS(ways); way++) {
        g_autofree char *name = g_strnfill(ways[way].most, (char)('a' + way));
        g_autofree char *line = line_of(way, name);
        g_auto(Said) said = desk_run(way == 2 ? desk_there(line) : line);
        if (said.status != 0)
            g_error("%s: %s", line, said.err);
    }
}

static void letters_of_any_script_make_a_name(void) {
    must(naming_check("--name", "Zoë Müller-Łukasz 株式会社", 200, &error));
    must(naming_check("--name", NULL, 1, &error));
    must_fail(ERROR_USAGE, "--name wants a name", naming_check("--name", "", 200, &error));
    must_fail(ERROR_USAGE, "--name must not be longer than 3 bytes",
              naming_check("--name", "four", 3, &error));
}

/* The message does not repeat what would turn the line around. */
static void a_refused_name_is_not_repeated(void) {
    must_fail(ERROR_USAGE, "NAME must not have", naming_check("NAME", PLANTED ESCAPE, 200, &error));
}

static void an_organization_that_is_made_has_a_name_that_shows(void) {
    g_autofree char *name = g_strnfill(ORGANIZATION_NAME_MAX + 1, 'n');
    g_autofree char *longer = g_strdup_printf("init --organization %s", name);
    desk_fails("init --organization " ESCAPE, 2, "--organization must not have control characters");
    desk_fails(longer, 2, "--organization must not be longer than 200 bytes");
    desk_fails("users add eve@example.com --organization " TURNED, 2, "--organization must not");
    g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
}

static bool found_odd(DbUnit *unit, void *data, GError **error) {
    return session_found(unit, data, ESCAPE, error);
}

/* One that was made before there were rules is still found, and can get another name. */
static void an_organization_with_an_odd_name_is_still_found(void) {
    g_autoptr(Session) session = desk_session();
    static char id[] = "01890000-0000-7000-8000-000000000001";
    DbScope scope = session_founding_scope(id);
    must(db_run(session_db(session), &scope, DB_WRITE, found_odd, id, &error));
    g_autoptr(Json) renamed = desk_json("organizations rename labs --organization " ESCAPE, 0);
    g_assert_cmpstr(json_text(json_path(renamed, "organization.name")), ==, "labs");
}

static void a_reviewer_has_a_name_that_shows(void) {
    g_autoptr(Session) session = desk_session();
    desk_fails("evidence review 01890000-0000-7000-8000-000000000001 --approve --by " ESCAPE, 2,
               "--by must not have control characters");
}

static void an_integrations_name_is_refused_before_anything_is_made(void) {
    g_autofree char *name = g_strnfill(101, 'n');
    g_autofree char *longer = g_strdup_printf("connect github --name %s", name);
    desk_fails("connect github --name " ESCAPE, 2, "--name: the name of an integration");
    desk_fails(longer, 2, "--name: the name of an integration has 1 to 100 bytes");
    g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
    desk_serve("owner", false);
    desk_refuse_same("connect github --name " ESCAPE, 2);
    desk_refuse_same(longer, 2);
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"what_does_not_show_as_it_is_makes_no_name", what_does_not_show_as_it_is_makes_no_name},
        {"a_name_has_an_end", a_name_has_an_end},
        {"the_longest_name_is_taken_in_both_ways", the_longest_name_is_taken_in_both_ways},
        {"letters_of_any_script_make_a_name", letters_of_any_script_make_a_name},
        {"a_refused_name_is_not_repeated", a_refused_name_is_not_repeated},
        {"an_organization_that_is_made_has_a_name_that_shows",
         an_organization_that_is_made_has_a_name_that_shows},
        {"an_organization_with_an_odd_name_is_still_found",
         an_organization_with_an_odd_name_is_still_found},
        {"a_reviewer_has_a_name_that_shows", a_reviewer_has_a_name_that_shows},
        {"an_integrations_name_is_refused_before_anything_is_made",
         an_integrations_name_is_refused_before_anything_is_made},
    };
    return desk_main(argc, argv, "naming", tests, G_N_ELEMENTS(tests));
}
