/* path.h - the text of plain jq paths, taken apart: `.a.b`, `.["x-y"]`, `.items[0]`, `.[].name`.
 *
 * Shared by ValuePath (one value) and the scanner's redact and keep paths (`[]` allowed). Only what
 * jq 1.6 reads in the same way is accepted: names after a dot, string literals without escapes in
 * quotes, whole indexes, no white space inside.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_MAX_STEPS 64

typedef enum { PATH_NAME, PATH_INDEX, PATH_EACH } PathStepKind;

typedef struct {
    PathStepKind kind;
    char *name; /* of PATH_NAME; ends in a NUL and holds none */
    size_t length;
    int64_t index; /* of PATH_INDEX; negative counts from the end */
} PathStep;

typedef struct Path {
    char *text; /* as given, without white space around it */
    size_t count;
    PathStep *steps;
} Path;

/* ERROR_CONFIGURATION when the text is no such path; each says whether `[]` is allowed. */
Path *path_parse(const char *text, bool each, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void path_free(Path *path);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Path, path_free)
