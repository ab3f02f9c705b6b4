/* reconnecting.h - the way back: another credential for an integration that is there, also when it
 * was disconnected.
 *
 * The credential is tested first; then it is stored as a new version, with the auth method, the
 * settings and the account, in one unit of work. Settings that are not given stay. Id, name and
 * history stay, and so does a pause. An account other than before is refused unless the request
 * says anotherAccount: its evidence would stand in one row with that of the first.
 */
#pragma once

#include "api/route.h"

bool reconnecting_begin(Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;
extern const Shape reconnecting_shape;
