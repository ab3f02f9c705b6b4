/* login.h - sessions of browsers: coming in, going out, who one is, one's own password.
 *
 * Login: the attempt is counted (store/login_attempt.h), the password is looked at elsewhere while
 * the call sleeps, and only then anything is said. An unknown address costs the same and is
 * answered with the same words as a wrong password.
 */
#pragma once

#include "api/route.h"

/* Ends with a route without a method. */
extern const Route login_routes[];
