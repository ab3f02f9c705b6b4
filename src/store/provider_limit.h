/* provider_limit.h - the operator's own limits, by provider.
 *
 * A limit stands beside what the definition declares, for each connection, and so only ever lowers.
 * It belongs to the installation: every function works in any scope, and callers see to it that
 * only the operator changes one.
 */
#pragma once

#include "store/record.h"

typedef struct {
    const char *provider;
    int64_t limit_calls; /* in every window */
    int64_t window_ms;
    int64_t set_at;
} ProviderLimit;

/* ProviderLimit* by provider. The array frees its rows. */
bool provider_limit_list(DbUnit *unit, GPtrArray **limits_out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sets or replaces; set_at 0 is the clock's now. */
bool provider_limit_put(DbUnit *unit, const ProviderLimit *limit,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND when there is none. */
bool provider_limit_drop(DbUnit *unit, const char *provider,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
