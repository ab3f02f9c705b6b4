#include "api/viewer.h"

#include "base/clock.h"
#include "store/membership.h"

#include <string.h>

typedef struct {
    char *organization; /* NULL: taken away */
    int64_t seen;
    Role role;
    char *grants;
    char *integrations;
    int64_t period_from;
    int64_t period_until;
} Seat;

struct Viewer {
    Stream *stream;
    char *caller;
    char *user_id; /* NULL: a token */
    Seat *seats;
    size_t count;
    int64_t sent_ms;
};

/* --- life ------------------------------------------------------------------------------------- */

static void seat_clear(Seat *seat) {
    g_clear_pointer(&seat->organization, g_free);
    g_clear_pointer(&seat->grants, g_free);
    g_clear_pointer(&seat->integrations, g_free);
}

static void add_seat(Viewer *viewer, const UserMembership *membership) {
    Seat *seat = &viewer->seats[viewer->count];
    if (!role_from_name(membership->role, &seat->role))
        return;
    seat->organization = g_strdup(membership->organization_id);
    seat->grants = g_strdup(membership->grants);
    seat->integrations = g_strdup(membership->integrations);
    seat->period_from = membership->period_from;
    seat->period_until = membership->period_until;
    viewer->count++;
}

Viewer *viewer_new(const Caller *caller, Stream *stream) {
    Viewer *viewer = g_new0(Viewer, 1);
    viewer->stream = stream;
    viewer->caller = g_strdup(caller->session_id ? caller->session_id : caller->id);
    viewer->user_id = g_strdup(caller->session_id ? caller->id : NULL);
    viewer->seats = g_new0(Seat, MAX(caller->reach->len, 1));
    for (guint i = 0; i < caller->reach->len; i++) {
        const UserMembership *membership = g_ptr_array_index(caller->reach, i);
        if (!caller->organization || strcmp(caller->organization, membership->organization_id) == 0)
            add_seat(viewer, membership);
    }
    return viewer;
}

void viewer_free(Viewer *viewer) {
    if (!viewer)
        return;
    for (size_t i = 0; i < viewer->count; i++)
        seat_clear(&viewer->seats[i]);
    stream_unref(viewer->stream);
    g_free(viewer->seats);
    g_free(viewer->caller);
    g_free(viewer->user_id);
    g_free(viewer);
}

const char *viewer_caller(const Viewer *viewer) {
    return viewer->caller;
}

const char *viewer_user(const Viewer *viewer) {
    return viewer->user_id;
}

size_t viewer_seats(const Viewer *viewer) {
    return viewer->count;
}

const char *viewer_organization(const Viewer *viewer, size_t seat) {
    return viewer->seats[seat].organization;
}

int64_t viewer_seen(const Viewer *viewer, size_t seat) {
    return viewer->seats[seat].seen;
}

bool viewer_is_there(const Viewer *viewer) {
    return stream_is_wanted(viewer->stream);
}

bool viewer_is_hungry(const Viewer *viewer) {
    return stream_waiting(viewer->stream) < VIEWER_WAITING_MAX;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void append_id(const Viewer *viewer, GString *out) {
    const char *comma = "";
    g_string_append(out, "id: ");
    for (size_t i = 0; i < viewer->count; i++) {
        const Seat *seat = &viewer->seats[i];
        if (!seat->organization)
            continue;
        g_string_append_printf(out, "%s%s.%" G_GINT64_FORMAT, comma, seat->organization,
                               seat->seen);
        comma = ",";
    }
    g_string_append_c(out, '\n');
}

static char *event_text(const Viewer *viewer, const char *name, const char *data) {
    GString *out = g_string_new(NULL);
    append_id(viewer, out);
    g_string_append_printf(out, "event: %s\ndata: %s\n\n", name, data);
    return g_string_free(out, FALSE);
}

static void send(Viewer *viewer, const char *name, const char *data) {
    g_autofree char *text = event_text(viewer, name, data);
    viewer->sent_ms = clock_mono_ms();
    (void)stream_write(viewer->stream, text, strlen(text));
}

void viewer_beat(Viewer *viewer, int64_t since_mono_ms) {
    static const char beat[] = ": heartbeat\n\n";
    if (viewer->sent_ms > since_mono_ms || !viewer_is_hungry(viewer))
        return;
    viewer->sent_ms = clock_mono_ms();
    (void)stream_write(viewer->stream, beat, sizeof beat - 1);
}

void viewer_end(Viewer *viewer, const char *reason) {
    g_autofree char *data = g_strdup_printf("{\"reason\":\"%s\"}", reason);
    g_autofree char *text = event_text(viewer, "end", data);
    (void)stream_write_last(viewer->stream, text, strlen(text));
}

/* --- beginning -------------------------------------------------------------------------------- */

/* The number that a client has seen of an organization, -1: it does not say. */
static int64_t number_in(const char *last_event, const char *organization) {
    g_auto(GStrv) parts = g_strsplit(last_event, ",", VIEWER_SEATS_MAX + 1);
    size_t length = strlen(organization);
    for (char **part = parts; *part; part++) {
        guint64 number = 0;
        if (strncmp(*part, organization, length) == 0 && (*part)[length] == '.' &&
            g_ascii_string_to_unsigned(*part + length + 1, 10, 0, G_MAXINT64, &number, NULL))
            return (int64_t)number;
    }
    return -1;
}

/* Whether all that comes behind this number is there. */
static bool can_resume(int64_t number, const EventRange *range) {
    return number >= range->oldest - 1 && number <= range->last;
}

void viewer_begin(Viewer *viewer, const char *last_event, const EventRange *ranges) {
    g_autoptr(Json) json = json_new_object();
    Json *organizations = json_new_array();
    Json *missed = json_new_array();
    for (size_t i = 0; i < viewer->count; i++) {
        Seat *seat = &viewer->seats[i];
        int64_t number = last_event ? number_in(last_event, seat->organization) : ranges[i].last;
        bool resumes = can_resume(number, &ranges[i]);
        seat->seen = resumes ? number : ranges[i].last;
        json_add_string(organizations, seat->organization);
        if (!resumes)
            json_add_string(missed, seat->organization);
    }
    json_put(json, "organizationIds", organizations);
    json_put(json, "missed", missed);
    g_autofree char *data = json_print(json, JSON_COMPACT);
    send(viewer, "ready", data);
}

/* --- telling ---------------------------------------------------------------------------------- */

static Seat *find_seat(const Viewer *viewer, const char *organization) {
    for (size_t i = 0; i < viewer->count; i++)
        if (g_strcmp0(viewer->seats[i].organization, organization) == 0)
            return &viewer->seats[i];
    return NULL;
}

bool viewer_sits_in(const Viewer *viewer, const char *organization) {
    return find_seat(viewer, organization) != NULL;
}

static bool may_see(const Viewer *viewer, const Seat *seat, const Notice *notice) {
    RoleSubject subject = {.role = seat->role,
                           .user_id = viewer->user_id,
                           .grants = seat->grants,
                           .integrations = seat->integrations,
                           .period_from = seat->period_from,
                           .period_until = seat->period_until};
    RoleResource before = notice->resource;
    before.at = notice->since;
    return role_allows(&subject, notice->action, &notice->resource) &&
           (notice->since == 0 || role_allows(&subject, notice->action, &before));
}

void viewer_tell(Viewer *viewer, const Notice *notice) {
    Seat *seat = find_seat(viewer, notice->organization);
    if (!seat || (notice->seq > 0 && notice->seq <= seat->seen))
        return;
    if (notice->seq > 0)
        seat->seen = notice->seq;
    if (notice->name && may_see(viewer, seat, notice))
        send(viewer, notice->name, notice->data);
}

/* --- what he may ------------------------------------------------------------------------------ */

static bool sits_nowhere(const Viewer *viewer) {
    for (size_t i = 0; i < viewer->count; i++)
        if (viewer->seats[i].organization)
            return false;
    return true;
}

static void replace(char **place, const char *text) {
    if (g_strcmp0(*place, text) == 0)
        return;
    g_free(*place);
    *place = g_strdup(text);
}

void viewer_admit(Viewer *viewer, const char *organization, const Access *access) {
    Seat *seat = find_seat(viewer, organization);
    if (!seat)
        return;
    if (!access || !role_from_name(access->role, &seat->role)) {
        seat_clear(seat);
        if (sits_nowhere(viewer))
            viewer_end(viewer, "revoked");
        return;
    }
    replace(&seat->grants, access->grants);
    replace(&seat->integrations, access->integrations);
    seat->period_from = access->period_from;
    seat->period_until = access->period_until;
}
