/* doctor_key.h - the encryption key: there, the right one, and kept elsewhere too.
 */
#pragma once

#include "cli/checkup.h"

/* Takes ENCRYPTION_KEY out of the environment: after doctor_settings(). */
void doctor_key(Examination *examination);
