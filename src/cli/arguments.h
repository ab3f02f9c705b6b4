/* arguments.h - a command line held against tables of options.
 *
 * Options stand before or after the words, as "--name value" or "--name=value"; "--" ends them.
 * Nothing is guessed: an unknown option is an error that names the nearest known one. Messages
 * never repeat a value or a surplus word, because people paste secrets into the wrong place.
 *
 * Tables are constant and end with a row whose name is NULL. Arguments borrow the texts of the
 * argument vector they were made from; g_autoptr(Arguments) releases the rest.
 */
#pragma once

#include "base/error.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGUMENTS_MAX 1000      /* words and options on one command line */
#define ARGUMENTS_LIST_MAX 1000 /* entries of one list */

typedef enum {
    OPTION_FLAG,  /* has no value */
    OPTION_TEXT,  /* one value, given once */
    OPTION_LIST,  /* values by comma or repetition */
    OPTION_EACH,  /* one value a time, commas belong to it */
    OPTION_COUNT, /* a whole number from 1 */
    OPTION_TIME   /* RFC 3339, a date, or how long ago ("30d") */
} OptionKind;

typedef struct {
    const char *name; /* without dashes; NULL ends a table */
    OptionKind kind;
    const char *value; /* what help calls the value */
    const char *help;
} Option;

typedef struct Arguments Arguments;

/* Options that every command takes: json, data, config, organization, server, token,
 * quiet, help. */
extern const Option arguments_global[];

/* Reads a vector without the program's name that ends in NULL. own may be NULL. ERROR_USAGE. */
Arguments *arguments_parse(const Option *own, const char *const *vector,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void arguments_free(Arguments *arguments);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Arguments, arguments_free)

/* The index of the first word of the vector when only global options stand before it, -1 when there
 * is none. ERROR_USAGE (and -1) when another option stands before it. */
int arguments_first_word(const char *const *vector, GError **error);

/* Whether a flag without value ("json", "help") is anywhere before "--": for what must be known
 * before the rest is understood. */
bool arguments_has_flag(const char *const *vector, const char *name);

/* The words that are no options. */
size_t arguments_words(const Arguments *arguments);
const char *arguments_word(const Arguments *arguments, size_t index);

/* Values by the option's name, which must be in one of the tables. Borrowed. */
bool arguments_flag(const Arguments *arguments, const char *name);
const char *arguments_text(const Arguments *arguments, const char *name); /* NULL: not given */
/* Ends in NULL; NULL when not given. */
const char *const *arguments_list(const Arguments *arguments, const char *name);
int64_t arguments_count(const Arguments *arguments, const char *name, int64_t fallback);
int64_t arguments_time(const Arguments *arguments, const char *name); /* 0: not given */
