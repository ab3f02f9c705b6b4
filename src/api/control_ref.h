/* control_ref.h - the control that a request means, and where it stands. */
#pragma once

#include "api/call.h"
#include "comply/framework.h"

/* By any style of its id, "soc2:CC8.1" among them; framework may be NULL. ERROR_NOT_FOUND, or
 * PROBLEM_CONFLICT when several frameworks have one of this id. */
bool control_ref_find(Call *call, const char *framework, const char *id, ControlRef *ref_out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The API's object of one control, as of now. The caller owns it. */
Json *control_ref_object(Call *call, const ControlRef *ref,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
