/* rights.h - rights at hand, and which reads of a definition they allow.
 *
 * Rights come from a text: a policy document of AWS (IAM JSON policy grammar, of an identity), a
 * JSON array of names, or names separated by blanks, commas and lines, with # for comments. Names
 * may have the wildcards * and ?, and their case does not matter, as with IAM actions.
 *
 * A statement with a condition, with NotResource, or for other resources than "*" gives a limited
 * right: it may be enough or not. A denial goes before every grant; a limited denial limits.
 *
 * A call may be made with the names of any one of its vocabularies (a classic token has scopes, a
 * fine-grained one permissions). Immutable; g_autoptr(Rights) frees.
 */
#pragma once

#include "provider/definition.h"

typedef enum { RIGHT_MISSING, RIGHT_LIMITED, RIGHT_HELD } Right;

typedef struct Rights Rights;

#define RIGHTS_MAX_SIZE (1024 * 1024)

/* ERROR_CONFIGURATION says what is wrong with the text; ERROR_LIMIT when it is too large. */
Rights *rights_new(const char *text, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rights_free(Rights *rights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rights, rights_free)

/* What the rights say of one name. */
Right rights_find(const Rights *rights, const char *name);

/* Whether a call may be made; RIGHT_HELD for one that needs nothing. */
Right rights_call(const Rights *rights, const DefinitionCall *call);

/* A bit for each node of the type that cannot be read because a right is missing (or is limited,
 * when least is RIGHT_HELD): its own, or that of a node it hangs on. A read whose rows may be given
 * without a call counts as one that makes it. */
uint64_t rights_unread(const Rights *rights, const EvidenceType *type, Right least);
