/* limit_object.h - where shared limits stand, as the API's JSON objects.
 *
 * The overview: {limits: [{key, provider, integrationId, accountId, kind, declared, inForce,
 * authority, remaining, resetAt, heldUntil, pace, usedAt}], operator: [{provider, limit, origin,
 * setAt}], counted: {in, since, reachable}}. integrationId and accountId are null when the limit is
 * the application's; one of them is set otherwise.
 * Times of the keeper are told as times of this machine's clock.
 */
#pragma once

#include "base/json.h"
#include "sync/budget_view.h"

/* configured: the settings limits.PROVIDER, provider -> "30/1m"; may be NULL. The caller owns the
 * object. */
Json *limit_overview_object(const BudgetOverview *overview, const Json *configured);

/* One limit of the operator's: {provider, limit}; limit is NULL when there is none any more. The
 * caller owns it. */
Json *limit_choice_object(const char *provider, const char *limit);
