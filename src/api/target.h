/* target.h - the target of a request: path and query, decoded and bounded.
 *
 * The path is split at '/' before it is decoded, so that an encoded slash stays within its segment.
 * Segments and query are percent-decoded UTF-8 without NUL; "." and ".." are not resolved: no
 * route has them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define TARGET_MAX 8192 /* bytes as sent */
#define TARGET_SEGMENTS_MAX 16
#define TARGET_QUERY_MAX 64 /* parameters */

typedef struct {
    const char *name;
    const char *value;
} TargetParameter;

typedef struct {
    char *path;      /* as sent, without the query; for messages and logs */
    char **segments; /* decoded; ends in NULL */
    TargetParameter query[TARGET_QUERY_MAX];
    size_t query_count;
    char **memory; /* what the query points into */
} Target;

/* False when the text is no target: ERROR_LIMIT when it is too long or has too many parts,
 * ERROR_USAGE when it is badly encoded. */
bool target_init(Target *target, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void target_clear(Target *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Target, target_clear)

/* The first value of a query parameter, or NULL. Borrowed. */
const char *target_query(const Target *target, const char *name);
