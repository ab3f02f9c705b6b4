/* audit.h - the audit log of an organization, its proofs, and what people see of it. */
#pragma once

#include "api/route.h"

/* Ends with a route without a method. */
extern const Route audit_routes[];
