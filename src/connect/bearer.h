/* bearer.h - the scheme bearer: one token in the Authorization header (RFC 6750 section 2.1). */
#pragma once

#include "connect/authorizer.h"

/* An AuthorizerMake. ERROR_CONFIGURATION when there is no token, or it holds what no header may. */
bool bearer_new(const AuthorizerConfig *config, Authorizer **authorizer_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
