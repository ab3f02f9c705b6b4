/* invitations.h - memberships that are offered, and how they are taken up. */
#pragma once

#include "api/route.h"

/* Ends with a route without a method. */
extern const Route invitation_routes[];
