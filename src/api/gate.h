/* gate.h - what a request must pass before its handler: limit, caller, origin, body, organization,
 * role.
 *
 * In this order, so that whoever may not come in learns as little as possible. All on a thread of
 * the pool; a request that fails has said why in the call.
 */
#pragma once

#include "api/call.h"

/* The members by which any body names an organization; they are taken out of it before the handler,
 * where its own shape does not have them. */
extern const Shape gate_organization_shape;

/* The organization that the request names by id or name, or NULL. Borrowed. */
const char *gate_organization(const Call *call);

bool gate_pass(Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes down that a caller was refused what he may not do, here or in a handler: in the log of the
 * organization that he has entered, else in the installation's. Attempts to change something and to
 * read a credential only; mere looking is not in the log, or whoever may not look could fill it. A
 * unit of its own, so not on a thread that must not wait. */
void gate_note_denied(Call *call);
