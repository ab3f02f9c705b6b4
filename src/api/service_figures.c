#include "api/service_figures.h"

#include "api/metrics.h"
#include "store/service_call.h"

static bool list_work(DbUnit *unit, void *data, GError **error) {
    GPtrArray **calls = data;
    g_clear_pointer(calls, g_ptr_array_unref);
    return service_call_list(unit, calls, error);
}

bool service_figures_write(Db *db, GString *out, GError **error) {
    static const DbScope looking = {.actor = "api", .system = true};
    const char *help = "Requests that jobs have sent to services, by what came of them.";
    GPtrArray *read = NULL;
    bool ok = db_run(db, &looking, DB_READ, list_work, &read, error);
    g_autoptr(GPtrArray) calls = read;
    for (guint i = 0; ok && i < calls->len; i++) {
        const ServiceCall *call = g_ptr_array_index(calls, i);
        g_autofree char *provider = g_strescape(call->provider, NULL);
        g_autofree char *labels =
            g_strdup_printf("provider=\"%s\",outcome=\"%s\"", provider, call->outcome);
        metrics_sample(out, &(MetricSample){.name = "assay_provider_calls_total",
                                            .help = help,
                                            .type = "counter",
                                            .labels = labels,
                                            .value = (double)call->calls});
        help = NULL;
    }
    return ok;
}
