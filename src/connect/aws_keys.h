/* aws_keys.h - the scheme aws_keys: an access key signs each attempt (Signature Version 4). */
#pragma once

#include "connect/authorizer.h"

/* An AuthorizerMake over the fields of aws_identity.h. */
bool aws_keys_new(const AuthorizerConfig *config, Authorizer **authorizer_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
