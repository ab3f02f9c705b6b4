/* literals.h - regular expressions that are nothing but literals, as jq's test() takes them.
 *
 * `secondary rate limit|abuse detection`, `^Upgrade to`, `(must be|not) enabled|is disabled`:
 * alternatives, groups without a repetition, ^ and $, and characters that stand for themselves
 * (some with a backslash). Such a pattern is a short list of texts to look for. What is more than
 * that, and whatever Oniguruma might read in another way, is refused.
 *
 * As in Oniguruma's Perl syntax, which jq uses, ^ is the beginning of the text, and $ its end or
 * the place before a newline that ends it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Most texts, and most bytes of them together, that a pattern may stand for. */
#define LITERALS_MAX 64
#define LITERALS_MAX_BYTES 4096

typedef struct Literals Literals;

/* NULL when the pattern is more than literals. Cases are only folded between ASCII letters. */
Literals *literals_new(const char *pattern, size_t length, bool fold);
void literals_free(Literals *literals);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Literals, literals_free)

/* Whether the answer is right for this text: other alphabets have letters that fold to ASCII. */
bool literals_can_judge(const Literals *literals, const char *text, size_t length);
/* Whether any of the texts occurs. */
bool literals_occur(const Literals *literals, const char *text, size_t length);
