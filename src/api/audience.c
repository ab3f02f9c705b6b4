#include "api/audience.h"

#include "base/error.h"

#include <string.h>

#define ORGANIZATIONS 4 /* so many may have all that they are allowed at the same time */

unsigned audience_of_organization(unsigned places) {
    return MAX(places / ORGANIZATIONS, 1);
}

static bool is_of_caller(const Viewer *viewer, const Viewer *other) {
    return strcmp(viewer_caller(viewer), viewer_caller(other)) == 0;
}

static bool is_of_user(const Viewer *viewer, const Viewer *other) {
    return viewer_user(viewer) && g_strcmp0(viewer_user(viewer), viewer_user(other)) == 0;
}

void audience_replace(const GPtrArray *viewers, const Viewer *newcomer) {
    for (guint i = 0; i < viewers->len; i++) {
        Viewer *other = g_ptr_array_index(viewers, i);
        if (viewer_user(other) && is_of_caller(other, newcomer))
            viewer_end(other, "replaced");
    }
}

static unsigned count(const GPtrArray *viewers, const Viewer *newcomer,
                      bool (*is_of)(const Viewer *, const Viewer *)) {
    unsigned sum = 0;
    for (guint i = 0; i < viewers->len; i++)
        sum += is_of(g_ptr_array_index(viewers, i), newcomer) ? 1 : 0;
    return sum;
}

static unsigned count_in(const GPtrArray *viewers, const char *organization) {
    unsigned sum = 0;
    for (guint i = 0; i < viewers->len; i++)
        sum += viewer_sits_in(g_ptr_array_index(viewers, i), organization) ? 1 : 0;
    return sum;
}

static bool fits_somewhere(const GPtrArray *viewers, const Viewer *newcomer, unsigned share) {
    for (size_t i = 0; i < viewer_seats(newcomer); i++)
        if (count_in(viewers, viewer_organization(newcomer, i)) < share)
            return true;
    return false;
}

static bool refuse(const char *whose, unsigned share, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_RATE_LIMITED,
                "%s %u streams of events already; close one of them.", whose, share);
    return false;
}

bool audience_has_room(const GPtrArray *viewers, const Viewer *newcomer, unsigned places,
                       GError **error) {
    unsigned share = audience_of_organization(places);
    bool one = viewer_seats(newcomer) == 1;
    if (!viewer_user(newcomer) && count(viewers, newcomer, is_of_caller) >= AUDIENCE_OF_TOKEN)
        return refuse("This token has", AUDIENCE_OF_TOKEN, error);
    if (count(viewers, newcomer, is_of_user) >= AUDIENCE_OF_USER)
        return refuse("This user has", AUDIENCE_OF_USER, error);
    if (!fits_somewhere(viewers, newcomer, share))
        return refuse(one ? "This organization has" : "Each of these organizations has", share,
                      error);
    if (viewers->len < places)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                        "Too many streams of events are open; try again later.");
    return false;
}
