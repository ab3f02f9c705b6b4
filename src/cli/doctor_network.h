/* doctor_network.h - the services of the integrations: whether their hosts can be reached.
 *
 * Asked for with --network only. One request without a credential to each host; whatever it
 * answers, it was reached, and the Date of the answer is held against this machine's clock. Hosts
 * that a definition gives as a pattern ("*.example.com") are not asked.
 */
#pragma once

#include "cli/checkup.h"

void doctor_network(Examination *examination);
