/* doctor_place.h - the data directory: whose it is, who may read it, what room there is.
 *
 * That it is missing is told by doctor_directory() alone.
 */
#pragma once

#include "cli/checkup.h"

void doctor_directory(Examination *examination);
void doctor_files(Examination *examination);
void doctor_disk(Examination *examination);
