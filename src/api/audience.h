/* audience.h - how those who watch what happens share the places that there are.
 *
 * A process has so many places for streams of events (api/feed.h). A token has AUDIENCE_OF_TOKEN of
 * them, a user AUDIENCE_OF_USER in all of his sessions, and an organization a quarter of all. A
 * stream of several organizations is counted for each of them, and refused when all of them are
 * full: so whoever fills one keeps nobody out who is also in another, and each stream that is let
 * in has its place out of somebody's share.
 *
 * Nothing here locks: whoever has the viewers does.
 */
#pragma once

#include "api/viewer.h"

#define AUDIENCE_OF_TOKEN 8
#define AUDIENCE_OF_USER 50

/* Of so many places. */
unsigned audience_of_organization(unsigned places);

/* A session has one stream: the ones that it has are told "replaced". Those whom nobody reads any
 * more are to be let go of afterwards. */
void audience_replace(const GPtrArray *viewers, const Viewer *newcomer);

/* Whether there is a place for one more. ERROR_RATE_LIMITED when the token, the user or all of his
 * organizations have as many as they may, ERROR_SERVICE_UNAVAILABLE when all together have. */
bool audience_has_room(const GPtrArray *viewers, const Viewer *newcomer, unsigned places,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
