#include "api/routes.h"

#include "api/accounts.h"
#include "api/audit.h"
#include "api/configuration.h"
#include "api/connecting.h"
#include "api/control_collect.h"
#include "api/control_mapping.h"
#include "api/doctor.h"
#include "api/events.h"
#include "api/evidence.h"
#include "api/exceptions.h"
#include "api/findings.h"
#include "api/first_user.h"
#include "api/frameworks.h"
#include "api/health.h"
#include "api/integrations.h"
#include "api/invitations.h"
#include "api/jobs.h"
#include "api/limits.h"
#include "api/login.h"
#include "api/organizations.h"
#include "api/providers.h"
#include "api/scans.h"
#include "api/schedules.h"
#include "api/single_sign_on.h"
#include "api/tokens.h"
#include "api/users.h"

const Route *const routes[] = {
    provider_routes,
    connecting_routes,
    integration_routes,
    job_routes,
    evidence_routes,
    finding_routes,
    framework_routes,
    scan_routes,
    exception_routes,
    control_collect_routes,
    schedule_routes,
    configuration_routes,
    login_routes,
    first_user_routes,
    user_routes,
    invitation_routes,
    organization_routes,
    token_routes,
    audit_routes,
    health_routes,
    single_sign_on_routes,
    account_routes,
    limit_routes,
    event_routes,
    doctor_routes,
    control_mapping_routes,
    NULL,
};
