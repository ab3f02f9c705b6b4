/* row_shape.h - the typed rows of an evidence type whose row is given field by field.
 *
 * What is the same for every row is found out once: the order in which fields are printed, their
 * quoted names, which fields the summary looks at. So a row needs no object of its own: the results
 * of its expressions are held against the declared types and printed where they are.
 *
 * A result is a field's value when its outcome is EXPR_ONE (null included) and no field when it is
 * EXPR_NONE; the caller turns the other outcomes into one of these. The type is borrowed and must
 * outlive the shape. A shape belongs to one thread.
 */
#pragma once

#include "provider/definition.h"
#include "provider/expr.h"

#include <glib.h>

typedef struct RowShape RowShape;

/* Of a type that has row fields: as many as are declared, with the same names. */
RowShape *row_shape_new(const EvidenceType *type);
void row_shape_free(RowShape *shape);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RowShape, row_shape_free)

/* Appends the names of fields that are absent or of another type than declared, in the order of
 * their declaration, unless they are in unread already. Names are borrowed from the type. results
 * are in the order of the type's row fields, here and below. */
void row_shape_check(const RowShape *shape, const ExprResult *results, GPtrArray *unread);

/* The row as far as the summary looks at it. Borrowed, until the next call. */
Value row_shape_summarized(RowShape *shape, const ExprResult *results);

/* Appends the row as value_append_json() prints it, with unread (unless VALUE_NONE) as its member
 * UNREAD_MEMBER. */
void row_shape_append_json(const RowShape *shape, const ExprResult *results, Value unread,
                           GString *out);
