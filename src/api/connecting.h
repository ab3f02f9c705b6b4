/* connecting.h - what asks a service: connect, test, connect again.
 *
 * All are attempts (attempt.h): a worker process tests the credential, and the request waits for
 * it. A connection is stored only when its test has passed, sealed, and its first sync is queued in
 * the same unit of work.
 */
#pragma once

#include "api/route.h"

extern const Route connecting_routes[];
