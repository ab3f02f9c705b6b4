/* routes.h - all that the API answers: the tables of its resources.
 *
 * A new resource is a file with its own table and one line in routes.c.
 */
#pragma once

#include "api/route.h"

/* Ends in NULL. Static. */
extern const Route *const routes[];
