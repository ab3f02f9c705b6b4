/* accounts.h - people as the operator of the installation has them: all, in whatever organization.
 *
 * He lists and adds them, keeps them out and lets them in again, and sets the password of somebody
 * who lost his. An account is named by its id or e-mail address. What he does is in the log of the
 * installation and of every organization that the person is in.
 *
 * Whom an organization takes in is not his alone to say: he adds people to one in which his token
 * may do so, and the first owner to one that has nobody yet.
 */
#pragma once

#include "api/route.h"

extern const Route account_routes[];
