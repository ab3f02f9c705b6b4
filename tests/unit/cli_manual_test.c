/* The pages of the manual: which there are, what they say, and that it is what the tables say. */
#include "cli/config.h"
#include "cli/environment.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "unit/cli_support.h"

#include <glib/gstdio.h>
#include <string.h>

static char *page(const char *name) {
    g_autofree char *line = g_strconcat("manual ", name, NULL);
    g_auto(Said) said = desk_run(line);
    g_assert_cmpint(said.status, ==, 0);
    g_assert_cmpstr(said.err, ==, "");
    return g_strdup(said.out);
}

/* The page as it is read: without escapes, in one line. */
static char *plain(const char *name) {
    static const char *const pairs[][2] = {{"\\-", "-"},    {"\\(aq", "'"}, {"\\(ti", "~"},
                                           {"\\fB", ""},    {"\\fI", ""},   {"\\fR", ""},
                                           {"\\(dq", "\""}, {"\n", " "}};
    g_autofree char *text = page(name);
    g_autoptr(GString) out = g_string_new(text);
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        g_string_replace(out, pairs[i][0], pairs[i][1], 0);
    return g_strdup(out->str);
}

static void assert_says(const char *name, const char *part) {
    g_autofree char *text = plain(name);
    assert_holds(text, part);
}

static char *written_folder(void) {
    return g_build_filename(desk_folder(), "manual", NULL);
}

/* All pages, written into a folder; what the command said. */
static Json *write_all(void) {
    g_autofree char *folder = written_folder();
    g_autofree char *line = g_strconcat("manual --write ", folder, NULL);
    return desk_json(line, 0);
}

static char *written_page(const char *path) {
    g_autofree char *folder = written_folder();
    g_autofree char *whole = g_build_filename(folder, path, NULL);
    char *text = NULL;
    must(g_file_get_contents(whole, &text, NULL, &error));
    return text;
}

static void the_first_page_is_that_of_the_program(void) {
    g_autofree char *bare = page("");
    g_autofree char *named = page("assay");
    g_assert_cmpstr(bare, ==, named);
    assert_holds(bare, ".TH ASSAY 1 ");
    assert_says("", "assay - " HELP_SUMMARY);
    assert_says("", "jobs cancel call a run off");
    assert_says("", ".BR assay-jobs (1),");
}

static void every_section_that_a_page_has_to_have_is_there(void) {
    static const char *const sections[] = {"NAME",     "SYNOPSIS",    "DESCRIPTION", "COMMANDS",
                                           "OPTIONS",  "EXIT STATUS", "ENVIRONMENT", "FILES",
                                           "EXAMPLES", "SEE ALSO"};
    g_autofree char *text = page("assay");
    const char *at = text;
    for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
        g_autofree char *heading = g_strdup_printf("\n.SH %s\n", sections[i]);
        at = strstr(at, heading);
        g_assert_nonnull(at);
    }
}

static void a_page_is_found_by_command_by_name_and_with_its_section(void) {
    g_autofree char *command = page("jobs");
    g_autofree char *name = page("assay-jobs");
    g_autofree char *section = page("assay-jobs.1");
    g_assert_cmpstr(command, ==, name);
    g_assert_cmpstr(command, ==, section);
}

static void a_command_alone_has_its_options_in_a_section(void) {
    g_autofree char *text = page("sync");
    assert_holds(text, ".TH ASSAY-SYNC 1 ");
    assert_holds(text, "\n.SH OPTIONS\n.TP\n\\fB\\-\\-evidence\\fR \\fITYPE,...\\fR\n");
    assert_lacks(text, ".SS ");
    assert_says("sync", "assay sync INTEGRATION [--evidence TYPE,...]");
    assert_says("sync", "A run that was interrupted goes on where it stopped");
    assert_says("sync", "assay sync acme --controls CC8.1,iso27001_2022:8.32 --json");
}

static void commands_with_a_word_in_common_share_a_page(void) {
    g_autofree char *text = page("schedule");
    assert_holds(text, "\n.SS assay schedule\n");
    assert_holds(text, "\n.SS assay schedule set\n");
    assert_holds(text, "\n.SS assay schedule resume\n");
    assert_says("schedule", "schedule - when integrations are collected from, and when next");
    assert_says("evidence", "assay-evidence - what was collected, and who approved it");
}

static void what_works_here_only_is_said_so(void) {
    assert_says("backup", "takes no --server");
    g_autofree char *both = plain("integrations");
    assert_lacks(both, "takes no");
}

static void every_page_tells_the_exit_statuses_of_the_table(void) {
    for (const HelpStatus *row = help_statuses; row->meaning; row++) {
        g_autofree char *part = g_strdup_printf(".TP %d %s", row->status, row->meaning);
        assert_says("assay", part);
        assert_says("findings", part);
    }
}

static void every_setting_is_told_with_its_variable_and_its_default(void) {
    ConfigSetting setting;
    size_t count = 0;
    for (; config_setting(count, &setting); count++) {
        g_autofree char *term = g_strdup_printf(".TP %s ", setting.name);
        g_autofree char *variable = g_strdup_printf("Environment: %s.", setting.environment);
        g_autofree char *fallback =
            g_strdup_printf("Default: %s.", setting.fallback ? setting.fallback : "");
        assert_says("assay.yaml", term);
        assert_says("assay.yaml", variable);
        if (setting.fallback)
            assert_says("assay.yaml", fallback);
        assert_says("assay", setting.environment);
    }
    g_assert_cmpuint(count, >, 10);
}

static void options_of_settings_are_those_of_the_service(void) {
    assert_says("assay.yaml", "Option: --listen of assay serve.");
    assert_says("assay.yaml", "Option: --grace of assay serve.");
    g_autofree char *text = plain("assay.yaml");
    assert_lacks(text, "Option: --timezone");
}

static void every_variable_of_the_table_is_told(void) {
    for (const EnvironmentVariable *row = environment_variables; row->name; row++) {
        g_autofree char *term = g_strdup_printf(".TP %s ", row->name);
        assert_says("assay", term);
    }
}

/* The lines between the macros around them. */
static char *example_of(const char *text) {
    const char *begin = strstr(text, ".SH EXAMPLES\n.RS 4\n.nf\n");
    g_assert_nonnull(begin);
    begin = strstr(begin, ".nf\n") + strlen(".nf\n");
    const char *end = strstr(begin, "\n.fi\n");
    g_assert_nonnull(end);
    g_autoptr(GString) out = g_string_new_len(begin, end - begin);
    g_string_replace(out, "\\-", "-", 0);
    g_string_replace(out, "\\(aq", "'", 0);
    return g_strdup(out->str);
}

static void what_a_running_service_takes_is_said(void) {
    static const char live[] = " A running service takes it from the file with SIGHUP.";
    assert_says("assay.yaml", "Environment: ASSAY_TRUSTED_PROXIES. A running service takes it");
    assert_says("assay.yaml", "Option: --grace of assay serve. A running service takes it");
    assert_says("assay.yaml", "It has no variable. A running service takes it");
    g_autofree char *text = plain("assay.yaml");
    g_autofree char *listen = g_strconcat("Option: --listen of assay serve.", live, NULL);
    assert_lacks(text, listen);
}

static void the_example_of_the_settings_is_a_file_that_is_read(void) {
    g_autofree char *text = page("assay.yaml");
    g_autofree char *example = example_of(text);
    g_autofree char *line = g_strdup_printf("config --config %s", desk_file("a.yaml", example));
    g_autoptr(Json) json = desk_json(line, 0);
    g_autofree char *shown = json_print(json, 0);
    assert_holds(shown, "https://assay.example.com");
    assert_holds(shown, "limits.github");
}

static void all_pages_are_written_into_folders_by_section(void) {
    g_autoptr(Json) json = write_all();
    const Json *pages = json_member(json, "pages");
    g_assert_true(json_member_bool(json, "success", false));
    g_assert_cmpuint(json_count(pages), >, 25);
    g_assert_cmpstr(json_text(json_item(pages, 0)), ==, "assay.1");
    g_autofree char *sync = written_page("man1/assay-sync.1");
    g_autofree char *settings = written_page("man5/assay.yaml.5");
    g_autofree char *printed = page("sync");
    g_assert_cmpstr(sync, ==, printed);
    assert_holds(settings, ".TH ASSAY.YAML 5 ");
}

static void writing_again_changes_nothing(void) {
    g_autoptr(Json) once = write_all();
    g_autofree char *before = written_page("man1/assay.1");
    g_autoptr(Json) twice = write_all();
    g_autofree char *after = written_page("man1/assay.1");
    g_assert_cmpstr(before, ==, after);
}

static void a_folder_that_cannot_be_made_is_a_mistake(void) {
    g_autofree char *line =
        g_strdup_printf("manual --write %s/below", desk_file("file", "no folder"));
    desk_fails(line, 2, "cannot be made");
}

static void a_page_that_cannot_be_written_is_a_mistake(void) {
    g_autofree char *blocked =
        g_build_filename(desk_folder(), "blocked", "man1", "assay.1", "x", NULL);
    g_autofree char *line = g_strdup_printf("manual --write %s/blocked", desk_folder());
    g_assert_cmpint(g_mkdir_with_parents(blocked, 0700), ==, 0);
    desk_fails(line, 2, "the page cannot be written");
}

static void unknown_pages_are_refused(void) {
    desk_fails("manual nonsense", 2, "there is no page \"nonsense\"");
    desk_fails("manual assay.yaml.1", 2, "there is no page");
    desk_fails("manual sync --write x", 2, "leave the name out");
    desk_fails("manual jobs list", 2, "more arguments than the command takes");
}

static void a_page_is_an_object_with_json(void) {
    g_autoptr(Json) json = desk_json("manual sync", 0);
    g_autofree char *text = page("sync");
    g_assert_cmpstr(json_member_string(json, "name", ""), ==, "assay-sync.1");
    g_assert_cmpstr(json_member_string(json, "text", ""), ==, text);
}

/* Rows as nobody would write them. */
static const Option hostile_options[] = {{".so", OPTION_TEXT, "\\fIX", "'br\n.so /etc/passwd"},
                                         {0}};
static const Command hostile = {.name = "x",
                                .summary = ".so /etc/passwd",
                                .usage = "'NAME' \\ [--a-b]",
                                .about = ".TH x\n\n'sp\n.\\\" gone",
                                .examples = ".fi\n'sp 3\necho \\\\ -n",
                                .options = hostile_options};
static const Command *const hostile_commands[] = {&hostile, NULL};

static void hostile_rows_make_no_requests(void) {
    static const char *const requests[] = {".TH ", ".SH ", ".SS ", ".TP", ".PP", ".BR ",
                                           ".RS ", ".RE",  ".nf",  ".fi", ".nh", ".ad "};
    g_autofree char *text = manual_page(hostile_commands, "x");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines + 1; *line; line++) {
        bool known = **line != '.' && **line != '\'';
        for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
            known = known || g_str_has_prefix(*line, requests[i]);
        if (!known)
            g_error("\"%s\" is a request", *line);
    }
    assert_holds(text, "\n\\&.so /etc/passwd.\n");
    assert_holds(text, "\n\\&.fi\n\\(aqsp 3\necho \\(rs\\(rs \\-n\n");
    assert_holds(text, "\n\\&.TH x\n");
    assert_lacks(text, "\n.TH x");
}

static void each_first_word_has_one_page(void) {
    g_autoptr(GPtrArray) pages = manual_pages(hostile_commands);
    g_assert_cmpuint(pages->len, ==, 3);
    g_assert_cmpstr(pages->pdata[0], ==, "assay.1");
    g_assert_cmpstr(pages->pdata[1], ==, "assay-x.1");
    g_assert_cmpstr(pages->pdata[2], ==, "assay.yaml.5");
    g_assert_null(manual_page(hostile_commands, "y"));
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"the_first_page_is_that_of_the_program", the_first_page_is_that_of_the_program},
        {"every_section_that_a_page_has_to_have_is_there",
         every_section_that_a_page_has_to_have_is_there},
        {"a_page_is_found_by_command_by_name_and_with_its_section",
         a_page_is_found_by_command_by_name_and_with_its_section},
        {"a_command_alone_has_its_options_in_a_section",
         a_command_alone_has_its_options_in_a_section},
        {"commands_with_a_word_in_common_share_a_page",
         commands_with_a_word_in_common_share_a_page},
        {"what_works_here_only_is_said_so", what_works_here_only_is_said_so},
        {"every_page_tells_the_exit_statuses_of_the_table",
         every_page_tells_the_exit_statuses_of_the_table},
        {"every_setting_is_told_with_its_variable_and_its_default",
         every_setting_is_told_with_its_variable_and_its_default},
        {"options_of_settings_are_those_of_the_service",
         options_of_settings_are_those_of_the_service},
        {"every_variable_of_the_table_is_told", every_variable_of_the_table_is_told},
        {"what_a_running_service_takes_is_said", what_a_running_service_takes_is_said},
        {"the_example_of_the_settings_is_a_file_that_is_read",
         the_example_of_the_settings_is_a_file_that_is_read},
        {"all_pages_are_written_into_folders_by_section",
         all_pages_are_written_into_folders_by_section},
        {"writing_again_changes_nothing", writing_again_changes_nothing},
        {"a_folder_that_cannot_be_made_is_a_mistake", a_folder_that_cannot_be_made_is_a_mistake},
        {"a_page_that_cannot_be_written_is_a_mistake", a_page_that_cannot_be_written_is_a_mistake},
        {"unknown_pages_are_refused", unknown_pages_are_refused},
        {"a_page_is_an_object_with_json", a_page_is_an_object_with_json},
        {"hostile_rows_make_no_requests", hostile_rows_make_no_requests},
        {"each_first_word_has_one_page", each_first_word_has_one_page},
    };
    return desk_main(argc, argv, "manual", tests, G_N_ELEMENTS(tests));
}
