#include "cli/help.h"

#include <string.h>

#define INDENT "  "

/* Help is text also with --json: whoever asks for it reads it. */
static Output as_text(const Output *output) {
    Output text = *output;
    text.json = false;
    return text;
}

static void print_options(const Output *output, const char *title, const Option *options) {
    if (!options)
        return;
    output_line(output, "\n%s:", title);
    for (const Option *option = options; option->name; option++) {
        g_autofree char *left = g_strdup_printf("--%s%s%s", option->name, option->value ? " " : "",
                                                option->value ? option->value : "");
        output_line(output, INDENT "%-26s %s", left, option->help);
    }
}

static void print_indented(const Output *output, const char *lines) {
    g_auto(GStrv) split = g_strsplit(lines, "\n", -1);
    for (char **line = split; *line; line++)
        output_line(output, INDENT "%s", *line);
}

void help_command(const Output *output, const Command *command) {
    Output text = as_text(output);
    output_line(&text, "assay %s - %s\n", command->name, command->summary);
    output_line(&text, "Usage: assay %s%s%s", command->name, *command->usage != '\0' ? " " : "",
                command->usage);
    if (command->about)
        output_line(&text, "\n%s", command->about);
    print_options(&text, "Options", command->options);
    print_options(&text, "Everywhere", arguments_global);
    output_line(&text, "\nExamples:");
    print_indented(&text, command->examples);
}

static void print_row(const Output *output, const Command *command) {
    output_line(output, INDENT "%-16s %s", command->name, command->summary);
}

void help_group(const Output *output, const Command *const *commands, const char *word) {
    Output text = as_text(output);
    size_t length = strlen(word);
    output_line(&text, "Usage: assay %s COMMAND ...\n", word);
    for (const Command *const *command = commands; *command; command++)
        if (strncmp((*command)->name, word, length) == 0 && (*command)->name[length] == ' ')
            print_row(&text, *command);
    output_line(&text, "\nassay help %s COMMAND says more.", word);
}

void help_program(const Output *output, const Command *const *commands) {
    Output text = as_text(output);
    output_line(&text, "assay - collects compliance evidence, and proves it\n");
    output_line(&text, "Usage: assay COMMAND ...\n");
    for (const Command *const *command = commands; *command; command++)
        print_row(&text, *command);
    output_line(&text, INDENT "%-16s %s", "help", "this, or help COMMAND");
    output_line(&text, INDENT "%-16s %s", "--version", "the version");
    print_options(&text, "Everywhere", arguments_global);
    output_line(&text, "\nExit status: 0 done, 1 internal, 2 usage or definition, 3 not found, 4 "
                       "authentication\nor permission, 5 partly collected, 6 try later.");
    output_line(&text, "\nExamples:");
    print_indented(&text, "assay connect github --name acme\n"
                          "assay sync acme\n"
                          "assay controls --framework soc2");
}
