#include "api/routes.h"

#include "api/health.h"

const Route *const routes[] = {
    health_routes,
    NULL,
};
