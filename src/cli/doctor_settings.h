/* doctor_settings.h - settings that work and yet are no good idea; Redis, when one is set.
 */
#pragma once

#include "cli/checkup.h"

/* Before doctor_key(): looks for ENCRYPTION_KEY in the environment. */
void doctor_settings(Examination *examination);
void doctor_redis(Examination *examination);
