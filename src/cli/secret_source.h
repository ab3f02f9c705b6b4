/* secret_source.h - where a secret on the command line comes from: never from the line itself.
 *
 *   NAME=@FILE     the contents of a file
 *   NAME=env:VAR   an environment variable, which is overwritten and unset
 *   NAME=-         standard input, for one field
 *
 * Line ends behind the secret are taken off. Arguments can be seen by every user of the machine
 * and stay in the shell's history, so anything else is refused without being repeated.
 */
#pragma once

#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>

/* What --credential said. Both texts are borrowed from the argument or owned as said. */
typedef struct {
    char *name;         /* owned: the field, as given */
    const char *source; /* borrowed: what stands behind '=' */
    const char *option; /* as messages call it; NULL: --credential NAME */
} SecretArgument;

/* Splits NAME=SOURCE. ERROR_USAGE. */
bool secret_argument_init(SecretArgument *argument, const char *text,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
void secret_argument_clear(SecretArgument *argument);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SecretArgument, secret_argument_clear)

/* Whether the source is one of the three forms. */
bool secret_source_is_safe(const char *source);

/* Reads the secret; input is the descriptor for "-". ERROR_USAGE for any other form, for an
 * unset variable, an unreadable file or an empty secret. */
Secret *secret_source_read(const SecretArgument *argument, int input,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
