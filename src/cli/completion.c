#include "cli/completion.h"

#include "base/error.h"
#include "base/text.h"

#include <string.h>

#define DEPTH 2 /* words in the longest name of a command */

/* --- what is typed already -------------------------------------------------------------------- */

/* The option that a word such as "--name" or "--name=x" means; NULL: none. */
static const Option *option_of(const Option *table, const char *word) {
    size_t length = strcspn(word, "=");
    for (const Option *option = table; option && option->name; option++)
        if (length == strlen(option->name) + 2 && strncmp(word + 2, option->name, length - 2) == 0)
            return option;
    return NULL;
}

static const Option *find_option(const Command *command, const char *word) {
    const Option *own = command ? option_of(command->options, word) : NULL;
    return own ? own : option_of(arguments_global, word);
}

/* Whether the word behind this one is its value. */
static bool takes_next(const Command *command, const char *word) {
    const Option *option =
        text_starts_with(word, "--") && !strchr(word, '=') ? find_option(command, word) : NULL;
    return option && option->kind != OPTION_FLAG;
}

/* "evidence show" of the words typed so far; as much of it as there is. */
typedef struct {
    const char *names[DEPTH];
    size_t count;
    const Command *command; /* NULL: no name is whole yet */
    bool wants_value;       /* the last word is an option's value */
} Typed;

static const Command *find_command(const Command *const *commands, const Typed *typed) {
    g_autofree char *name = typed->count == DEPTH
                                ? g_strdup_printf("%s %s", typed->names[0], typed->names[1])
                                : g_strdup(typed->names[0]);
    for (const Command *const *command = commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

static void take_name(Typed *typed, const Command *const *commands, const char *word) {
    if (typed->count == DEPTH)
        return;
    typed->names[typed->count++] = word;
    const Command *found = find_command(commands, typed);
    if (found)
        typed->command = found;
}

static Typed read_words(const Command *const *commands, const char *const *words, size_t count) {
    Typed typed = {0};
    for (size_t i = 0; i < count; i++) {
        bool value = typed.wants_value;
        typed.wants_value = !value && takes_next(typed.command, words[i]);
        if (!value && words[i][0] != '-')
            take_name(&typed, commands, words[i]);
    }
    return typed;
}

/* --- what fits -------------------------------------------------------------------------------- */

static void add(GPtrArray *lines, const char *word, size_t length, const char *about) {
    char *line = g_strdup_printf("%.*s\t%s", (int)length, word, about);
    for (guint i = 0; i < lines->len; i++) {
        const char *there = lines->pdata[i];
        if (strncmp(there, line, length + 1) == 0) {
            g_free(line);
            return;
        }
    }
    g_ptr_array_add(lines, line);
}

static void add_options(GPtrArray *lines, const Option *table, const char *partial) {
    for (const Option *option = table; option && option->name; option++) {
        g_autofree char *word = g_strdup_printf("--%s", option->name);
        if (g_str_has_prefix(word, partial))
            add(lines, word, strlen(word), option->help);
    }
}

/* The word of a command's name that stands behind those typed; NULL when they are not its own. */
static const char *next_word(const Command *command, const Typed *typed) {
    const char *at = command->name;
    for (size_t i = 0; i < typed->count; i++) {
        size_t length = strlen(typed->names[i]);
        if (strncmp(at, typed->names[i], length) != 0 || at[length] != ' ')
            return NULL;
        at += length + 1;
    }
    return at;
}

static void add_names(GPtrArray *lines, const Command *const *commands, const Typed *typed,
                      const char *partial) {
    for (const Command *const *command = commands; *command; command++) {
        const char *word = next_word(*command, typed);
        if (!word || !g_str_has_prefix(word, partial))
            continue;
        size_t length = strcspn(word, " ");
        bool whole = word[length] == '\0';
        add(lines, word, length, whole ? (*command)->summary : "...");
    }
}

GPtrArray *completion_candidates(const Command *const *commands, const char *const *words) {
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    size_t count = g_strv_length((char **)(uintptr_t)words);
    if (count == 0)
        return lines;
    const char *partial = words[count - 1];
    Typed typed = read_words(commands, words, count - 1);
    if (typed.wants_value)
        return lines;
    if (partial[0] == '-') {
        add_options(lines, typed.command ? typed.command->options : NULL, partial);
        add_options(lines, arguments_global, partial);
        return lines;
    }
    add_names(lines, commands, &typed, partial);
    return lines;
}

/* --- the scripts ------------------------------------------------------------------------------ */

static const char bash[] =
    "_assay() {\n"
    "    local IFS=$'\\n'\n"
    "    COMPREPLY=($(assay completion words -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null"
    " | cut -f1))\n"
    "}\n"
    "complete -o default -F _assay assay\n";

/* _describe wants WORD:WHAT. The file is the body of _assay itself when it is found in fpath. */
static const char zsh[] =
    "#compdef assay\n"
    "_assay() {\n"
    "    local -a found\n"
    "    found=(\"${(@f)$(assay completion words -- \"${(@)words[2,CURRENT]}\" 2>/dev/null |\n"
    "        sed 's/:/\\\\:/g; s/\\t/:/')}\")\n"
    "    if [[ -n \"${found[1]}\" ]]; then\n"
    "        _describe assay found\n"
    "    else\n"
    "        _files\n"
    "    fi\n"
    "}\n"
    "compdef _assay assay\n"
    "if [[ \"${funcstack[1]}\" == _assay ]]; then\n"
    "    _assay \"$@\"\n"
    "fi\n";

static const char fish[] = "function __assay_complete\n"
                           "    set -l words (commandline -opc) (commandline -ct)\n"
                           "    assay completion words -- $words[2..-1] 2>/dev/null\n"
                           "end\n"
                           "complete -c assay -a '(__assay_complete)'\n";

static const struct {
    const char *shell;
    const char *text;
} scripts[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static bool print_script(const Output *output, const char *shell, const char *text) {
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "shell", shell);
    json_put_string(json, "script", text);
    output_json(output, json);
    if (!output->json)
        fputs(text, output->result);
    return true;
}

static bool print_words(const CommandCall *call) {
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (size_t i = 1; i < arguments_words(call->arguments); i++)
        g_ptr_array_add(words, (void *)(uintptr_t)arguments_word(call->arguments, i));
    g_ptr_array_add(words, NULL);
    g_autoptr(GPtrArray) lines =
        completion_candidates(call->commands, (const char *const *)words->pdata);
    for (guint i = 0; i < lines->len; i++)
        output_line(call->output, "%s", (const char *)lines->pdata[i]);
    return true;
}

static bool run(CommandCall *call, GError **error) {
    const char *wanted = arguments_word(call->arguments, 0);
    if (strcmp(wanted, "words") == 0)
        return print_words(call);
    for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++)
        if (strcmp(scripts[i].shell, wanted) == 0 && arguments_words(call->arguments) == 1)
            return print_script(call->output, wanted, scripts[i].text);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "which shell? bash, zsh or fish");
    return false;
}

const Command completion_command = {
    .name = "completion",
    .summary = "a script that completes command lines in bash, zsh or fish",
    .usage = "bash|zsh|fish",
    .examples = "assay completion bash > /etc/bash_completion.d/assay\n"
                "assay completion zsh > \"${fpath[1]}/_assay\"\n"
                "assay completion fish > ~/.config/fish/completions/assay.fish",
    .least = 1,
    .most = ARGUMENTS_MAX,
    .run = run,
};
