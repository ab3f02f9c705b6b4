/* facts.h - what can be said about an expression from its tokens alone.
 *
 * The second wall around libjq: only builtins of one table and variables that the expression binds
 * itself (beside $settings and $now) pass. On the way it is noted which parts of its root an
 * expression can read, so that only those need to be parsed. The analysis knows where `.` is still
 * the root: until a `|` changes it inside the same brackets. Where it is not sure it says "reads
 * all", never less than the truth.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    bool reads_all;
    bool reads_now;
    bool reads_settings;
    bool generates;            /* may give outputs without end: range, repeat and the like */
    bool alternative_true;     /* `// true` occurs */
    GPtrArray *names;          /* char *: top-level names, sorted, no doubles */
    GPtrArray *reads;          /* char *: paths below the root, in scan's keep syntax */
    GPtrArray *order_compared; /* char *: unguarded paths beside < <= > >= */
} Facts;

/* ERROR_CONFIGURATION names what is refused and where. */
Facts *facts_new(const char *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void facts_free(Facts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Facts, facts_free)

/* Whether the expression calls this builtin anywhere (by its tokens). */
bool facts_calls(const char *source, const char *builtin);
