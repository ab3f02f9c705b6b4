#include "api/routes.h"

#include "api/configuration.h"
#include "api/connecting.h"
#include "api/evidence.h"
#include "api/findings.h"
#include "api/frameworks.h"
#include "api/health.h"
#include "api/integrations.h"
#include "api/jobs.h"
#include "api/providers.h"
#include "api/schedules.h"

const Route *const routes[] = {
    provider_routes,
    connecting_routes,
    integration_routes,
    job_routes,
    evidence_routes,
    finding_routes,
    framework_routes,
    schedule_routes,
    configuration_routes,
    health_routes,
    NULL,
};
