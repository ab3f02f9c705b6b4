#include "cli/help.h"

#include "base/text.h"

#include <string.h>

#define INDENT "  "
#define WIDTH 80
#define NAME_WIDTH 23   /* of commands, with the blanks around them */
#define OPTION_WIDTH 29 /* of options */

const HelpStatus help_statuses[] = {
    {0, "done"},
    {1, "internal: the database, the key, a name that is taken"},
    {2, "usage, setting or definition"},
    {3, "not found"},
    {4, "the credential is refused, or may not do this"},
    {5, "partly collected, or rights that are not enough"},
    {6, "try later: a limit is spent or the service is not reachable"},
    {0, NULL},
};

/* First words that are no command by themselves. */
static const struct {
    const char *word;
    const char *summary;
} groups[] = {
    {"jobs", "the runs: what waits, goes on or has ended"},
    {"evidence", "what was collected, and who approved it"},
    {"provider", "the services that are known, and work on definitions"},
    {"keys", "the encryption key"},
    {"users", "people, and what they may"},
    {"tokens", "tokens of programs"},
    {"organizations", "the tenants of the installation"},
};

/* Help is text also with --json: whoever asks for it reads it. */
static Output as_text(const Output *output) {
    Output text = *output;
    text.json = false;
    return text;
}

/* --- lines that end in time ------------------------------------------------------------------- */

/* The next piece that is not to be broken: a word, or what stands in brackets. */
static size_t piece_length(const char *at) {
    size_t length = 0;
    int depth = 0;
    for (; at[length] != '\0' && (at[length] != ' ' || depth > 0); length++)
        depth += (at[length] == '[') - (at[length] == ']');
    return length;
}

/* first, and text behind it from this column on, in as many lines as it takes. */
static void print_filled(const Output *output, const char *first, size_t column, const char *text) {
    g_autoptr(GString) line = g_string_new(first);
    if (line->len > 0 && line->len + 1 > column)
        g_string_append_c(line, ' ');
    while (line->len < column)
        g_string_append_c(line, ' ');
    size_t begin = line->len;
    for (size_t length; *text != '\0'; text += length + (text[length] == ' ')) {
        length = piece_length(text);
        if (line->len > begin && line->len + 1 + length > WIDTH) {
            output_line(output, "%s", line->str);
            g_string_printf(line, "%*s", (int)column, "");
            begin = column;
        }
        g_string_append_printf(line, "%s%.*s", line->len > begin ? " " : "", (int)length, text);
    }
    output_line(output, "%s", line->str);
}

/* Paragraphs, with empty lines between them, however they were broken. */
static void print_paragraphs(const Output *output, const char *about) {
    g_auto(GStrv) paragraphs = g_strsplit(about, "\n\n", -1);
    for (char **one = paragraphs; *one; one++) {
        g_strdelimit(*one, "\n", ' ');
        output_line(output, "%s", "");
        print_filled(output, "", 0, *one);
    }
}

static void print_indented(const Output *output, const char *lines) {
    g_auto(GStrv) split = g_strsplit(lines, "\n", -1);
    for (char **line = split; *line; line++)
        output_line(output, INDENT "%s", *line);
}

/* --- one command ------------------------------------------------------------------------------ */

static void print_options(const Output *output, const char *title, const Option *options) {
    if (!options)
        return;
    output_line(output, "\n%s:", title);
    for (const Option *option = options; option->name; option++) {
        g_autofree char *left =
            g_strdup_printf(INDENT "--%s%s%s", option->name, option->value ? " " : "",
                            option->value ? option->value : "");
        print_filled(output, left, OPTION_WIDTH, option->help);
    }
}

void help_command(const Output *output, const Command *command) {
    Output text = as_text(output);
    g_autofree char *title = g_strdup_printf("assay %s -", command->name);
    g_autofree char *name = g_strdup_printf("Usage: assay %s", command->name);
    print_filled(&text, title, strlen(title) + 1, command->summary);
    output_line(&text, "%s", "");
    print_filled(&text, name, strlen(name) + (*command->usage != '\0'), command->usage);
    if (command->about)
        print_paragraphs(&text, command->about);
    print_options(&text, "Options", command->options);
    print_options(&text, "Everywhere", arguments_global);
    output_line(&text, "\nExamples:");
    print_indented(&text, command->examples);
}

/* --- several ---------------------------------------------------------------------------------- */

const char *help_summary(const Command *const *commands, const char *word) {
    for (; *commands; commands++)
        if (strcmp((*commands)->name, word) == 0)
            return (*commands)->summary;
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        if (strcmp(groups[i].word, word) == 0)
            return groups[i].summary;
    return NULL;
}

static void print_row(const Output *output, const char *name, const char *summary) {
    g_autofree char *left = g_strconcat(INDENT, name, NULL);
    print_filled(output, left, NAME_WIDTH, summary);
}

void help_group(const Output *output, const Command *const *commands, const char *word) {
    Output text = as_text(output);
    size_t length = strlen(word);
    output_line(&text, "assay %s - %s\n", word, help_summary(commands, word));
    output_line(&text, "Usage: assay %s COMMAND ...\n", word);
    for (const Command *const *command = commands; *command; command++)
        if (text_starts_with((*command)->name, word) && (*command)->name[length] == ' ')
            print_row(&text, (*command)->name, (*command)->summary);
    output_line(&text, "\nassay help %s COMMAND says more.", word);
}

static void print_statuses(const Output *output) {
    output_line(output, "\nExit status:");
    for (const HelpStatus *row = help_statuses; row->meaning; row++)
        output_line(output, INDENT "%d  %s", row->status, row->meaning);
}

void help_program(const Output *output, const Command *const *commands) {
    Output text = as_text(output);
    output_line(&text, "assay - " HELP_SUMMARY "\n");
    output_line(&text, "Usage: assay COMMAND ...\n");
    for (const Command *const *command = commands; *command; command++)
        print_row(&text, (*command)->name, (*command)->summary);
    print_row(&text, "help", "this, or help COMMAND");
    print_row(&text, "--version", "the version");
    print_options(&text, "Everywhere", arguments_global);
    print_statuses(&text);
    output_line(&text, "\nExamples:");
    print_indented(&text, HELP_EXAMPLES);
}
