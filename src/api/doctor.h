/* doctor.h - whether this installation is in order, for the operator: the findings of `assay
 * doctor`.
 *
 * What is looked at is given by whoever runs the server (ApiConfig.doctor).
 */
#pragma once

#include "api/route.h"

extern const Route doctor_routes[];
