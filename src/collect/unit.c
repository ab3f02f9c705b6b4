#include "collect/unit.h"

typedef struct {
    NetClient *client;
    DbWork work;
    UnitDone done;
    void *data;
    GError *error;
} Unit;

static bool run_work(DbUnit *unit, void *data, GError **error) {
    Unit *own = data;
    return own->work(unit, own->data, error);
}

static void tell(void *data) {
    Unit *own = data;
    own->done(own->data, own->error);
    g_clear_error(&own->error);
    g_free(own);
}

static void committed(void *data, const GError *error) {
    Unit *own = data;
    own->error = error ? g_error_copy(error) : NULL;
    net_client_post(own->client, tell, own);
}

void unit_submit(const UnitPlace *place, DbMode mode, DbWork work, UnitDone done, void *data) {
    Unit *own = g_new0(Unit, 1);
    *own = (Unit){.client = place->client, .work = work, .done = done, .data = data};
    DbJob job = {
        .scope = place->scope, .mode = mode, .work = run_work, .done = committed, .data = own};
    GError *error = NULL;
    if (!db_submit(place->db, &job, &error)) {
        own->error = error;
        net_client_post(own->client, tell, own);
    }
}
