/* prompt.h - questions to the person at the terminal.
 *
 * A secret is typed without echo; the terminal is put back as it was also when the person leaves
 * with a signal (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP), which then takes its usual course,
 * whenever it comes. Who goes on after a stop is asked again. One thread asks at a time.
 */
#pragma once

#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    int input;  /* descriptor of a terminal */
    int output; /* where the question goes */
} Prompt;

/* Standard input and standard error. */
extern const Prompt prompt_standard;

/* Whether there is somebody to ask. */
bool prompt_possible(const Prompt *prompt);

/* One line, without its end; NULL with ERROR_CANCELLED at end of input. Caller frees. */
char *prompt_line(const Prompt *prompt, const char *question,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One line typed without echo. ERROR_CANCELLED at end of input, ERROR_LIMIT when too long. */
Secret *prompt_secret(const Prompt *prompt, const char *question,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
