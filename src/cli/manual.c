#include "cli/manual.h"

#include "base/error.h"
#include "base/text.h"
#include "cli/config.h"
#include "cli/environment.h"
#include "cli/help.h"
#include "cli/roff.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define PROGRAM "assay"
#define SERVICE "serve"
#define SETTINGS "assay.yaml"
#define SOURCE "assay " ASSAY_VERSION
#define FOLDER_MODE 0755

typedef struct {
    const char *term;
    const char *text;
} Entry;

static const Entry files[] = {
    {"/var/lib/assay", "The data directory of root (mode 0700)."},
    {"~/.local/share/assay", "The data directory of everybody else, unless XDG_DATA_HOME is set."},
    {"DATA/assay.db", "The database, unless database_url names another one."},
    {"DATA/encryption.key", "The key, unless the environment has one. It is made on first use; "
                            "`assay keys export` keeps it elsewhere."},
    {"DATA/providers/*.yaml", "Definitions of your own, which come before those of the same id "
                              "that Assay brings along."},
};

/* A complete file that the program accepts; a test has it read it. */
static const char settings_example[] = "database_url: postgres://db.internal/assay\n"
                                       "public_url: https://assay.example.com\n"
                                       "listen: 127.0.0.1:8080\n"
                                       "trusted_proxies: [127.0.0.1, 10.0.0.0/8]\n"
                                       "workers: 8\n"
                                       "timezone: Europe/Berlin\n"
                                       "schedule: {daily_sync: '0 6 * * *'}\n"
                                       "retention: {evidence_years: 10}\n"
                                       "limits: {api: 2000/1m, github: 2000/1h}";

/* --- commands of one word --------------------------------------------------------------------- */

static bool has_word(const Command *command, const char *word) {
    size_t length = strlen(word);
    return strncmp(command->name, word, length) == 0 &&
           (command->name[length] == '\0' || command->name[length] == ' ');
}

static char *word_of(const Command *command) {
    return g_strndup(command->name, strcspn(command->name, " "));
}

/* The first words of all commands, each once. */
static GPtrArray *list_words(const Command *const *commands) {
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    for (; *commands; commands++) {
        g_autofree char *word = word_of(*commands);
        if (!g_ptr_array_find_with_equal_func(words, word, g_str_equal, NULL))
            g_ptr_array_add(words, g_steal_pointer(&word));
    }
    return words;
}

GPtrArray *manual_pages(const Command *const *commands) {
    g_autoptr(GPtrArray) words = list_words(commands);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(names, g_strdup(PROGRAM ".1"));
    for (guint i = 0; i < words->len; i++)
        g_ptr_array_add(names, g_strdup_printf(PROGRAM "-%s.1", (char *)words->pdata[i]));
    g_ptr_array_add(names, g_strdup(SETTINGS ".5"));
    return names;
}

/* "What is wrong, and where." of "what is wrong, and where". Caller frees. */
static char *sentence(const char *text) {
    char *made = g_strconcat(text, ".", NULL);
    made[0] = g_ascii_toupper(made[0]);
    return made;
}

/* --- what several pages say ------------------------------------------------------------------- */

static void append_options(GString *page, const Option *options) {
    for (const Option *option = options; option && option->name; option++) {
        g_autofree char *term = g_strconcat("--", option->name, NULL);
        roff_item(page, term, option->value, option->help);
    }
}

static void append_statuses(GString *page) {
    roff_section(page, "EXIT STATUS");
    for (const HelpStatus *row = help_statuses; row->meaning; row++) {
        g_autofree char *term = g_strdup_printf("%d", row->status);
        roff_item(page, term, NULL, row->meaning);
    }
}

static void append_entries(GString *page, const char *title, const Entry *entries, size_t count) {
    roff_section(page, title);
    for (size_t i = 0; i < count; i++)
        roff_item(page, entries[i].term, NULL, entries[i].text);
}

static void append_references(GString *page, const char *const *pages) {
    roff_section(page, "SEE ALSO");
    roff_references(page, pages);
}

/* --- assay(1) --------------------------------------------------------------------------------- */

static void append_commands(GString *page, const Command *const *commands) {
    roff_section(page, "COMMANDS");
    for (; *commands; commands++) {
        g_autofree char *word = word_of(*commands);
        g_autofree char *text = g_strdup_printf("%s; see assay-%s(1).", (*commands)->summary, word);
        roff_item(page, (*commands)->name, NULL, text);
    }
    roff_item(page, "help", "[COMMAND]", "Options and examples, shorter than here.");
    roff_item(page, "--version", NULL, "The version.");
}

static void append_environment(GString *page) {
    ConfigSetting setting;
    roff_section(page, "ENVIRONMENT");
    for (const EnvironmentVariable *row = environment_variables; row->name; row++)
        roff_item(page, row->name, NULL, row->about);
    for (size_t i = 0; config_setting(i, &setting); i++) {
        g_autofree char *text = g_strdup_printf("The setting %s: %s.", setting.name, setting.about);
        roff_item(page, setting.environment, NULL, text);
    }
}

static void append_program_references(GString *page, const Command *const *commands) {
    g_autoptr(GPtrArray) words = list_words(commands);
    g_autoptr(GPtrArray) pages = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < words->len; i++)
        g_ptr_array_add(pages, g_strdup_printf(PROGRAM "-%s(1)", (char *)words->pdata[i]));
    g_ptr_array_add(pages, g_strdup(SETTINGS "(5)"));
    g_ptr_array_add(pages, NULL);
    append_references(page, (const char *const *)pages->pdata);
}

static void write_program(GString *page, const Command *const *commands) {
    roff_title(page, PROGRAM, 1, ASSAY_DATE, SOURCE);
    roff_name(page, PROGRAM, HELP_SUMMARY);
    roff_section(page, "SYNOPSIS");
    roff_synopsis(page, PROGRAM, "COMMAND ...");
    roff_section(page, "DESCRIPTION");
    roff_text(page, HELP_ABOUT);
    append_commands(page, commands);
    roff_section(page, "OPTIONS");
    roff_text(page, "Every command takes these, before its name or behind it:");
    append_options(page, arguments_global);
    append_statuses(page);
    append_environment(page);
    append_entries(page, "FILES", files, G_N_ELEMENTS(files));
    roff_section(page, "EXAMPLES");
    roff_lines(page, HELP_EXAMPLES);
    append_program_references(page, commands);
}

/* --- assay-COMMAND(1) ------------------------------------------------------------------------- */

static void append_about(GString *page, const Command *command) {
    if (command->about)
        roff_text(page, command->about);
    if (!command->remote)
        roff_text(page, "It works on this machine and takes no `--server`.");
}

static void append_command(GString *page, const Command *command) {
    g_autofree char *title = g_strconcat(PROGRAM " ", command->name, NULL);
    g_autofree char *summary = sentence(command->summary);
    roff_subsection(page, title);
    roff_text(page, summary);
    append_about(page, command);
    append_options(page, command->options);
}

static void append_single(GString *page, const Command *command) {
    g_autofree char *summary = sentence(command->summary);
    roff_text(page, summary);
    append_about(page, command);
    if (command->options) {
        roff_section(page, "OPTIONS");
        append_options(page, command->options);
    }
}

static void append_synopses(GString *page, const GPtrArray *members) {
    roff_section(page, "SYNOPSIS");
    for (guint i = 0; i < members->len; i++) {
        const Command *command = members->pdata[i];
        g_autofree char *name = g_strconcat(PROGRAM " ", command->name, NULL);
        roff_synopsis(page, name, command->usage);
    }
}

static void append_examples(GString *page, const GPtrArray *members) {
    g_autoptr(GString) lines = g_string_new(NULL);
    for (guint i = 0; i < members->len; i++) {
        const Command *command = members->pdata[i];
        g_string_append_printf(lines, "%s%s", i > 0 ? "\n" : "", command->examples);
    }
    roff_section(page, "EXAMPLES");
    roff_lines(page, lines->str);
}

static GPtrArray *list_members(const Command *const *commands, const char *word) {
    GPtrArray *members = g_ptr_array_new();
    for (; *commands; commands++)
        if (has_word(*commands, word))
            g_ptr_array_add(members, (void *)(uintptr_t)*commands);
    return members;
}

static void write_word(GString *page, const Command *const *commands, const char *word) {
    static const char *const references[] = {PROGRAM "(1)", SETTINGS "(5)", NULL};
    g_autoptr(GPtrArray) members = list_members(commands, word);
    g_autofree char *name = g_strconcat(PROGRAM "-", word, NULL);
    roff_title(page, name, 1, ASSAY_DATE, SOURCE);
    roff_name(page, name, help_summary(commands, word));
    append_synopses(page, members);
    roff_section(page, "DESCRIPTION");
    if (members->len == 1)
        append_single(page, members->pdata[0]);
    for (guint i = 0; members->len > 1 && i < members->len; i++)
        append_command(page, members->pdata[i]);
    append_statuses(page);
    roff_section(page, "ENVIRONMENT");
    roff_text(page, "assay(1) names the variables, the options that every command takes and the "
                    "files; assay.yaml(5) the settings.");
    append_examples(page, members);
    append_references(page, references);
}

/* --- assay.yaml(5) ---------------------------------------------------------------------------- */

static bool has_option(const Command *command, const char *name) {
    for (const Option *option = command->options; option && option->name; option++)
        if (strcmp(option->name, name) == 0)
            return true;
    return false;
}

/* Settings are options of the service: elsewhere an option of the same name is something else. */
static bool is_option_of_service(const Command *const *commands, const char *name) {
    for (; *commands; commands++)
        if (strcmp((*commands)->name, SERVICE) == 0)
            return has_option(*commands, name);
    return false;
}

static void append_setting(GString *page, const Command *const *commands,
                           const ConfigSetting *setting) {
    g_autofree char *about = sentence(setting->about);
    g_autoptr(GString) text = g_string_new(about);
    g_string_append_printf(text, " A value is %s%s", setting->expected,
                           g_str_has_suffix(setting->expected, ".") ? "" : ".");
    if (setting->fallback)
        g_string_append_printf(text, " Default: `%s`.", setting->fallback);
    g_string_append_printf(text, " Environment: `%s`.", setting->environment);
    if (is_option_of_service(commands, setting->name))
        g_string_append_printf(text, " Option: `--%s` of `assay " SERVICE "`.", setting->name);
    if (setting->live)
        g_string_append(text, " A running service takes it from the file with SIGHUP.");
    roff_item(page, setting->name, NULL, text->str);
}

static void append_settings(GString *page, const Command *const *commands) {
    ConfigSetting setting;
    roff_section(page, "SETTINGS");
    for (size_t i = 0; config_setting(i, &setting); i++)
        append_setting(page, commands, &setting);
    roff_item(page, "limits.PROVIDER", NULL,
              "How often a service is called at most, as a rate such as 30/1m: " CONFIG_LIMIT_ABOUT
              ". It has no variable. A running service takes it from the file with SIGHUP.");
}

static void write_settings(GString *page, const Command *const *commands) {
    static const char *const references[] = {PROGRAM "(1)", PROGRAM "-config(1)",
                                             PROGRAM "-serve(1)", NULL};
    roff_title(page, SETTINGS, 5, ASSAY_DATE, SOURCE);
    roff_name(page, SETTINGS, "settings of Assay");
    roff_section(page, "DESCRIPTION");
    roff_text(page, "A file of settings is read when --config FILE or ASSAY_CONFIG names one. No "
                    "file is looked for otherwise, and none is needed.\n\n"
                    "It is YAML: names with values. What is before the dot of a name is a section, "
                    "in which the rest of the name is a key. An unknown name and a wrong value are "
                    "refused, with file and line.\n\n"
                    "An option of the command line comes before the environment, the environment "
                    "before the file, the file before the default. `assay config` shows what is in "
                    "force, and where it comes from.");
    append_settings(page, commands);
    append_entries(page, "FILES", files, G_N_ELEMENTS(files));
    roff_section(page, "EXAMPLES");
    roff_lines(page, settings_example);
    append_references(page, references);
}

/* --- printing and writing them ---------------------------------------------------------------- */

/* Whether the text is the name of the page, with its section or without. */
static bool is_page(const char *name, const char *page) {
    const char *section = strrchr(page, '.');
    size_t length = section ? (size_t)(section - page) : strlen(page);
    return strcmp(name, page) == 0 || (strlen(name) == length && strncmp(name, page, length) == 0);
}

static const char *find_page(const GPtrArray *pages, const char *name) {
    g_autofree char *command = g_strconcat(PROGRAM "-", name, NULL);
    for (guint i = 0; i < pages->len; i++)
        if (is_page(name, pages->pdata[i]) || is_page(command, pages->pdata[i]))
            return pages->pdata[i];
    return NULL;
}

char *manual_page(const Command *const *commands, const char *name) {
    g_autoptr(GPtrArray) pages = manual_pages(commands);
    const char *found = find_page(pages, name);
    g_autoptr(GString) page = g_string_new(NULL);
    if (!found)
        return NULL;
    g_autofree char *word = g_strndup(found, strlen(found) - 2);
    if (strcmp(word, PROGRAM) == 0)
        write_program(page, commands);
    else if (strcmp(word, SETTINGS) == 0)
        write_settings(page, commands);
    else
        write_word(page, commands, word + strlen(PROGRAM "-"));
    return g_strdup(page->str);
}

static bool write_page(const CommandCall *call, const char *folder, const char *name,
                       GError **error) {
    g_autofree char *text = manual_page(call->commands, name);
    g_autofree char *section = g_strdup_printf("man%s", strrchr(name, '.') + 1);
    g_autofree char *parent = g_build_filename(folder, section, NULL);
    g_autofree char *path = g_build_filename(parent, name, NULL);
    g_autoptr(GError) cause = NULL;
    if (g_mkdir_with_parents(parent, FOLDER_MODE) != 0) {
        int code = errno;
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "the folder %s cannot be made: %s", parent,
                    g_strerror(code));
        return false;
    }
    if (g_file_set_contents(path, text, -1, &cause))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "the page cannot be written: %s", cause->message);
    return false;
}

static bool write_all(const CommandCall *call, const char *folder, GError **error) {
    g_autoptr(GPtrArray) pages = manual_pages(call->commands);
    g_autoptr(Json) json = json_new_object();
    Json *names = json_new_array();
    json_put_bool(json, "success", true);
    json_put_string(json, "folder", folder);
    json_put(json, "pages", names);
    for (guint i = 0; i < pages->len; i++) {
        if (!write_page(call, folder, pages->pdata[i], error))
            return false;
        json_add(names, json_new_string(pages->pdata[i]));
    }
    output_json(call->output, json);
    output_line(call->output, "%u pages written into %s.", pages->len, folder);
    return true;
}

static bool print_page(const CommandCall *call, const char *wanted, GError **error) {
    g_autoptr(GPtrArray) pages = manual_pages(call->commands);
    const char *name = find_page(pages, wanted);
    if (!name) {
        g_autofree char *shown = text_name(wanted);
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                    "there is no page \"%s\"; there is one for each command, and " SETTINGS, shown);
        return false;
    }
    g_autofree char *text = manual_page(call->commands, name);
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "name", name);
    json_put_string(json, "text", text);
    output_json(call->output, json);
    if (!call->output->json)
        fputs(text, call->output->result);
    return true;
}

static bool run(CommandCall *call, GError **error) {
    const char *folder = arguments_text(call->arguments, "write");
    const char *name = arguments_word(call->arguments, 0);
    if (folder && name) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--write writes all pages; leave the name out");
        return false;
    }
    return folder ? write_all(call, folder, error) : print_page(call, name ? name : PROGRAM, error);
}

static const Option options[] = {
    {"write", OPTION_TEXT, "DIR", "write all pages into DIR/man1 and DIR/man5"}, {0}};

const Command manual_command = {
    .name = "manual",
    .summary = "a page of the manual for man, or all of them into a folder",
    .usage = "[COMMAND|assay.yaml] | --write DIR",
    .about = "The pages are made of the same tables as this help, and are installed with the\n"
             "program: man assay, man assay-sync, man assay.yaml.",
    .examples = "assay manual sync | man -l -\n"
                "assay manual assay.yaml | man -l -\n"
                "assay manual --write ~/.local/share/man",
    .options = options,
    .most = 1,
    .run = run,
};
