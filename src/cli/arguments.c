#include "cli/arguments.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

#define NEAR 3 /* most typing errors in a name that is still recognized */

const Option arguments_global[] = {
    {"json", OPTION_FLAG, NULL, "print the result as JSON, and nothing else"},
    {"data", OPTION_TEXT, "DIR", "the data directory (else ASSAY_DATA)"},
    {"config", OPTION_TEXT, "FILE", "settings in YAML (else ASSAY_CONFIG)"},
    {"organization", OPTION_TEXT, "NAME", "the organization to work in (else \"default\")"},
    {"server", OPTION_TEXT, "URL", "work on this server, not here (else ASSAY_SERVER)"},
    {"token", OPTION_TEXT, "SOURCE", "its token: @FILE, env:VARIABLE, - (else ASSAY_TOKEN)"},
    {"quiet", OPTION_FLAG, NULL, "no progress and no hints"},
    {"help", OPTION_FLAG, NULL, "show help, with examples"},
    {0},
};

typedef struct {
    const Option *option;
    GPtrArray *values; /* char *, ends in NULL */
    int64_t number;
} Given;

struct Arguments {
    const Option *own;
    GPtrArray *words; /* borrowed */
    GPtrArray *given; /* Given */
};

static void given_free(void *pointer) {
    Given *given = pointer;
    g_ptr_array_unref(given->values);
    g_free(given);
}

void arguments_free(Arguments *arguments) {
    if (!arguments)
        return;
    g_ptr_array_unref(arguments->words);
    g_ptr_array_unref(arguments->given);
    g_free(arguments);
}

/* --- options ---------------------------------------------------------------------------------- */

static bool is_option(const char *text) {
    return text[0] == '-' && text[1] != '\0';
}

/* The row of an option written as "--name" or "--name=value"; *value_out is what stands behind
 * '=', or NULL. */
static const Option *find_in(const Option *table, const char *text, const char **value_out) {
    const char *name = text + 2;
    size_t length = strcspn(name, "=");
    for (const Option *option = table; option && option->name; option++) {
        if (strlen(option->name) != length || strncmp(option->name, name, length) != 0)
            continue;
        *value_out = name[length] == '=' ? name + length + 1 : NULL;
        return option;
    }
    return NULL;
}

static const Option *find_option(const Option *own, const char *text, const char **value_out) {
    static const char help[] = "--help";
    if (strcmp(text, "-h") == 0)
        text = help;
    if (!text_starts_with(text, "--"))
        return NULL;
    const Option *option = find_in(own, text, value_out);
    return option ? option : find_in(arguments_global, text, value_out);
}

static void consider(const Option *table, const char *name, const char **best, unsigned *distance) {
    for (const Option *option = table; option && option->name; option++) {
        unsigned here = text_distance(name, option->name, NEAR);
        if (here < *distance) {
            *distance = here;
            *best = option->name;
        }
    }
}

/* Only the name is repeated: what stands behind '=' may be a secret. */
static void set_unknown(const Option *own, const char *text, GError **error) {
    const char *name = text + strspn(text, "-");
    g_autofree char *bare = g_strndup(name, strcspn(name, "="));
    const char *best = NULL;
    unsigned distance = NEAR + 1;
    consider(own, bare, &best, &distance);
    consider(arguments_global, bare, &best, &distance);
    g_autofree char *shown = text_name(bare);
    if (best)
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                    "there is no option --%s here; did you mean --%s?", shown, best);
    else
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                    "there is no option --%s here; --help shows those there are", shown);
}

/* --- values ----------------------------------------------------------------------------------- */

static bool set_wrong(const Option *option, const char *expected, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "--%s wants %s", option->name, expected);
    return false;
}

static bool add_list(Given *given, const char *value, GError **error) {
    g_auto(GStrv) parts = g_strsplit(value, ",", ARGUMENTS_LIST_MAX + 1);
    for (char **part = parts; *part; part++) {
        const char *item = g_strstrip(*part);
        if (*item != '\0')
            g_ptr_array_add(given->values, g_strdup(item));
    }
    if (given->values->len > ARGUMENTS_LIST_MAX)
        return set_wrong(given->option, "at most 1,000 entries", error);
    if (given->values->len == 0)
        return set_wrong(given->option, "at least one entry", error);
    return true;
}

static bool parse_time(const char *value, int64_t *time_out) {
    int64_t ago;
    if (clock_parse(value, time_out))
        return true;
    if (!clock_parse_duration(value, &ago))
        return false;
    *time_out = clock_now_ms() - ago;
    return true;
}

static bool add_number(Given *given, const char *value, GError **error) {
    if (given->option->kind == OPTION_TIME)
        return (parse_time(value, &given->number) && given->number > 0) ||
               set_wrong(given->option, "a time such as 2026-11-20, or how long ago, such as 30d",
                         error);
    gint64 number;
    if (!g_ascii_string_to_signed(value, 10, 1, G_MAXINT32, &number, NULL))
        return set_wrong(given->option, "a whole number from 1", error);
    given->number = number;
    return true;
}

static bool add_value(Given *given, const char *value, GError **error) {
    switch (given->option->kind) {
    case OPTION_LIST:
        return add_list(given, value, error);
    case OPTION_COUNT:
    case OPTION_TIME:
        if (!add_number(given, value, error))
            return false;
        break;
    case OPTION_FLAG:
    case OPTION_TEXT:
    case OPTION_EACH:
        break;
    }
    g_ptr_array_add(given->values, g_strdup(value));
    return true;
}

/* --- parsing ---------------------------------------------------------------------------------- */

static Given *find_given(const Arguments *arguments, const char *name) {
    for (guint i = 0; i < arguments->given->len; i++) {
        Given *given = g_ptr_array_index(arguments->given, i);
        if (strcmp(given->option->name, name) == 0)
            return given;
    }
    return NULL;
}

static bool may_repeat(const Option *option) {
    return option->kind == OPTION_FLAG || option->kind == OPTION_LIST ||
           option->kind == OPTION_EACH;
}

static Given *give(Arguments *arguments, const Option *option, GError **error) {
    Given *given = find_given(arguments, option->name);
    if (given && !may_repeat(option)) {
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "--%s was given twice", option->name);
        return NULL;
    }
    if (given)
        return given;
    given = g_new0(Given, 1);
    given->option = option;
    given->values = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(arguments->given, given);
    return given;
}

/* Takes the option at *index, and its value behind it. */
static bool take_option(Arguments *arguments, const char *const *vector, size_t *index,
                        GError **error) {
    const char *value = NULL;
    const Option *option = find_option(arguments->own, vector[*index], &value);
    if (!option) {
        set_unknown(arguments->own, vector[*index], error);
        return false;
    }
    if (option->kind == OPTION_FLAG && value)
        return set_wrong(option, "no value", error);
    Given *given = give(arguments, option, error);
    if (!given || option->kind == OPTION_FLAG)
        return given != NULL;
    if (!value) {
        value = vector[*index + 1];
        if (!value || text_starts_with(value, "--")) {
            g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "--%s wants a value: --%s %s",
                        option->name, option->name, option->value);
            return false;
        }
        (*index)++;
    }
    return add_value(given, value, error);
}

static bool take_all(Arguments *arguments, const char *const *vector, GError **error) {
    bool ended = false;
    for (size_t i = 0; vector[i]; i++) {
        if (i >= ARGUMENTS_MAX) {
            g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                                "there are more than 1,000 arguments");
            return false;
        }
        if (!ended && strcmp(vector[i], "--") == 0)
            ended = true;
        else if (ended || !is_option(vector[i]))
            g_ptr_array_add(arguments->words, (void *)(uintptr_t)vector[i]);
        else if (!take_option(arguments, vector, &i, error))
            return false;
    }
    return true;
}

Arguments *arguments_parse(const Option *own, const char *const *vector, GError **error) {
    g_autoptr(Arguments) arguments = g_new0(Arguments, 1);
    arguments->own = own;
    arguments->words = g_ptr_array_new();
    arguments->given = g_ptr_array_new_with_free_func(given_free);
    if (!take_all(arguments, vector, error))
        return NULL;
    for (guint i = 0; i < arguments->given->len; i++) {
        const Given *given = g_ptr_array_index(arguments->given, i);
        g_ptr_array_add(given->values, NULL);
    }
    return g_steal_pointer(&arguments);
}

int arguments_first_word(const char *const *vector, GError **error) {
    for (int i = 0; vector[i]; i++) {
        if (!is_option(vector[i]))
            return i;
        const char *value = NULL;
        const Option *option = find_option(NULL, vector[i], &value);
        if (!option) {
            set_unknown(NULL, vector[i], error);
            return -1;
        }
        if (option->kind != OPTION_FLAG && !value && vector[i + 1])
            i++;
    }
    return -1;
}

bool arguments_has_flag(const char *const *vector, const char *name) {
    for (size_t i = 0; vector[i] && strcmp(vector[i], "--") != 0; i++) {
        const char *value = NULL;
        const Option *option = is_option(vector[i]) ? find_option(NULL, vector[i], &value) : NULL;
        if (option && strcmp(option->name, name) == 0)
            return true;
    }
    return false;
}

/* --- reading ---------------------------------------------------------------------------------- */

size_t arguments_words(const Arguments *arguments) {
    return arguments->words->len;
}

const char *arguments_word(const Arguments *arguments, size_t index) {
    return index < arguments->words->len ? g_ptr_array_index(arguments->words, index) : NULL;
}

static bool in_table(const Option *table, const char *name) {
    for (const Option *option = table; option && option->name; option++)
        if (strcmp(option->name, name) == 0)
            return true;
    return false;
}

static const Given *look_up(const Arguments *arguments, const char *name) {
    g_assert(in_table(arguments->own, name) || in_table(arguments_global, name));
    return find_given(arguments, name);
}

bool arguments_flag(const Arguments *arguments, const char *name) {
    return look_up(arguments, name) != NULL;
}

const char *arguments_text(const Arguments *arguments, const char *name) {
    const Given *given = look_up(arguments, name);
    return given ? g_ptr_array_index(given->values, 0) : NULL;
}

const char *const *arguments_list(const Arguments *arguments, const char *name) {
    const Given *given = look_up(arguments, name);
    return given ? (const char *const *)given->values->pdata : NULL;
}

int64_t arguments_count(const Arguments *arguments, const char *name, int64_t fallback) {
    const Given *given = look_up(arguments, name);
    return given ? given->number : fallback;
}

int64_t arguments_time(const Arguments *arguments, const char *name) {
    return arguments_count(arguments, name, 0);
}
