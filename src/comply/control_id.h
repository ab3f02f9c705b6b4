/* control_id.h - ids of controls in the styles seen in the wild.
 *
 * An id is read as its runs of letters and digits: "CC6.1", "CC 6.1" and "cc_6_1" are all
 * CC.6.1. "A1.2" (SOC 2) stays apart from "A.12" (ISO 2013). Numbers are kept as written, leading
 * zeros included.
 */
#pragma once

#include <stdbool.h>

#define CONTROL_ID_MAX 64 /* bytes of an id as given */

/* The key under which ids are compared, such as "CC.6.1"; "ISO" and "ISO 27001" before it are
 * dropped, and so is the letter when it stands alone in front of a number (letter may be NULL).
 * *lettered_out, which may be NULL, tells that it was. NULL when the text is no id. Caller frees.
 */
char *control_id_key(const char *text, const char *letter, bool *lettered_out);

/* Orders ids by their numeric parts: 3.1.2 before 3.1.10. As strcmp(). */
int control_id_compare(const char *a, const char *b);
