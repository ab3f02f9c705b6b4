/* naming.h - names that the command line gives: held to what the API holds them to.
 *
 * Checked before anything is opened or asked, so that both ways of a command (command.h) refuse the
 * same names in the same words, and a name that is refused leaves no data directory behind. Names
 * of integrations have rules of their own (connect/connection.h).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether this may be a name of at most so many bytes; NULL (not given) may. The argument is what
 * the message calls it: "--name". ERROR_USAGE. */
bool naming_check(const char *argument, const char *text, size_t most,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
