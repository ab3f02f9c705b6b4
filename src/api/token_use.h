/* token_use.h - when API tokens were last used.
 *
 * Collected in memory and written now and then, not with each request: reading with a token writes
 * nothing. What was not written when the process dies is lost. Any thread.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>

#define TOKEN_USE_WRITE_MS 5000

typedef struct TokenUse TokenUse;

TokenUse *token_use_new(void);
void token_use_free(TokenUse *use); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TokenUse, token_use_free)

void token_use_note(TokenUse *use, const char *token_id);

/* Writes what was noted since the last time. Not from a database thread. */
bool token_use_write(TokenUse *use, Db *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
