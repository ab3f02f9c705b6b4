/* id.h - object ids: UUIDv7 text (RFC 9562 section 5.7), 36 characters, lower case.
 *
 * Ids made by one process sort by creation, also within one millisecond.
 */
#pragma once

#include <stdbool.h>

#define ID_SIZE 37 /* 36 characters and the final NUL */

/* A new id. Caller frees. */
char *id_new(void);

/* Writes a new id into out. */
void id_write(char out[ID_SIZE]);

/* Whether the text is a UUID in its canonical form, of any version. */
bool id_is_valid(const char *text);
