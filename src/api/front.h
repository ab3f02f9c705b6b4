/* front.h - a request from its arrival to its reply.
 *
 * Arrival is on a thread of the server: request id, target, route. What needs no database is
 * answered there; everything else goes to the pool: gate, idempotency key, handler. Then the reply
 * gets what every reply has (request id, security headers, entity tag), is counted and logged, and
 * sent. An error becomes a problem document here and nowhere else.
 */
#pragma once

#include "api/call.h"
#include "api/desk.h"
#include "api/server.h"

/* For ServerConfig: data is the Desk. */
void front_handle(Exchange *exchange, void *desk);

/* Goes on with a call that sleeps (call_sleep()), on a thread of the pool. From any thread. */
void front_wake(Call *call);
