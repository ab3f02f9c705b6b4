/* exceptions.h - controls that somebody excepts: /api/controls/{id}/exception. */
#pragma once

#include "api/route.h"

extern const Route exception_routes[];
