/* Requests that were sent to services, summed up for the whole installation. */
#include "unit/store_support.h"

#include "base/error.h"
#include "store/service_call.h"

static void adds_some(DbUnit *unit) {
    ServiceCall ok = {.provider = "github", .outcome = "ok", .calls = 3};
    ServiceCall limited = {.provider = "github", .outcome = "rate_limited", .calls = 1};
    store_ok(service_call_add(unit, &ok, &error));
    store_ok(service_call_add(unit, &limited, &error));
}

static void adds_others(DbUnit *unit) {
    ServiceCall ok = {.provider = "github", .outcome = "ok", .calls = 4};
    ServiceCall aws = {.provider = "aws", .outcome = "ok", .calls = 5};
    store_ok(service_call_add(unit, &ok, &error));
    store_ok(service_call_add(unit, &aws, &error));
}

static void has_the_sums(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GString) told = g_string_new(NULL);
    store_ok(service_call_list(unit, &rows, &error));
    for (guint i = 0; i < rows->len; i++) {
        const ServiceCall *row = g_ptr_array_index(rows, i);
        g_string_append_printf(told, "%s %s %" G_GINT64_FORMAT "\n", row->provider, row->outcome,
                               row->calls);
    }
    g_assert_cmpstr(told->str, ==, "aws ok 5\ngithub ok 7\ngithub rate_limited 1\n");
}

static void calls_of_all_organizations_are_one_sum(void) {
    store_in(ORG_A, adds_some);
    store_in(ORG_B, adds_others);
    store_system(has_the_sums);
}

static void refuses_a_nameless_one(DbUnit *unit) {
    ServiceCall nobody = {.outcome = "ok", .calls = 3};
    store_fails(ERROR_CONFIGURATION, service_call_add(unit, &nobody, &error));
}

static void a_call_has_a_provider(void) {
    store_in(ORG_A, refuses_a_nameless_one);
}

static const StoreTest tests[] = {
    {"calls_of_all_organizations_are_one_sum", calls_of_all_organizations_are_one_sum},
    {"a_call_has_a_provider", a_call_has_a_provider},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "service_call", tests, G_N_ELEMENTS(tests));
}
