/* repeat.h - the header Idempotency-Key: a write that is sent again is answered again.
 *
 * The key belongs to the caller within the organization (store/idempotency.h), or within the
 * installation for what the operator does. What succeeded is kept for a day. A failure has done
 * nothing and lets go of the key, so that the request may be sent again. Where no answer can be
 * kept (it holds a secret, or is about the caller himself), a key is refused: whoever sends one
 * relies on it.
 */
#pragma once

#include "api/call.h"

#define REPEAT_HEADER "Idempotency-Key"
#define REPEAT_REPLAYED "Idempotent-Replayed"

/* Before the handler. *answered_out: the stored answer is in the call's reply. Fails when the key
 * is busy or was used for something else. */
bool repeat_begin(Call *call, bool *answered_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* After it: keeps the reply, or lets go of the key. */
void repeat_end(Call *call);
