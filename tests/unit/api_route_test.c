#include "api/route.h"

#include "api/routes.h"
#include "api/target.h"
#include "base/error.h"
#include "unit/api_support.h"

#include <string.h>

/* --- paths ------------------------------------------------------------------------------------ */

static void a_pattern_fits_paths_of_its_form_only(void) {
    static const struct {
        const char *pattern;
        const char *path;
        bool fits;
        const char *value;
    } cases[] = {
        {"/healthz", "/healthz", true, NULL},
        {"/healthz", "/healthz/", false, NULL},
        {"/healthz", "/health", false, NULL},
        {"/healthz", "/healthzz", false, NULL},
        {"/healthz", "/", false, NULL},
        {"/api/jobs/{id}", "/api/jobs/7", true, "7"},
        {"/api/jobs/{id}", "/api/jobs/", false, NULL},
        {"/api/jobs/{id}", "/api/jobs", false, NULL},
        {"/api/jobs/{id}", "/api/jobs/7/x", false, NULL},
        {"/api/jobs/{id}/events", "/api/jobs/a%2Fb/events", true, "a/b"},
        {"/api/jobs/{id}/events", "/api/jobs/7/event", false, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Target) target = {0};
        const char *values[ROUTE_PARAMETERS_MAX] = {NULL};
        must(target_init(&target, cases[i].path, &error));
        g_assert_true(route_fits(cases[i].pattern, target.segments, values) == cases[i].fits);
        if (cases[i].value)
            g_assert_cmpstr(values[0], ==, cases[i].value);
    }
}

static void parameters_are_found_by_name(void) {
    static const char pattern[] = "/api/a/{one}/b/{other}";
    g_auto(GStrv) names = route_parameter_names(pattern);
    g_assert_cmpuint(route_parameters(pattern), ==, 2);
    g_assert_cmpint(route_parameter(pattern, "one"), ==, 0);
    g_assert_cmpint(route_parameter(pattern, "other"), ==, 1);
    g_assert_cmpint(route_parameter(pattern, "on"), ==, -1);
    g_assert_cmpstr(names[1], ==, "other");
    g_assert_null(names[2]);
}

/* --- the table -------------------------------------------------------------------------------- */

static bool nothing(Call *call, GError **error) {
    (void)call;
    (void)error;
    return true;
}

static const Route things[] = {{.method = "GET", .path = "/things/{id}", .handle = nothing},
                               {.method = "PATCH", .path = "/things/{id}", .handle = nothing},
                               {0}};
static const Route more_things[] = {{.method = "GET", .path = "/things/list", .handle = nothing},
                                    {.method = "DELETE", .path = "/things/{id}", .handle = nothing},
                                    {0}};
static const Route *const tables[] = {things, more_things, NULL};

static void find(const char *method, const char *path, RouteMatch *match) {
    g_auto(Target) target = {0};
    must(target_init(&target, path, &error));
    route_find(tables, method, target.segments, match);
}

static void a_literal_is_never_taken_for_a_parameter(void) {
    RouteMatch match;
    find("GET", "/things/list", &match);
    g_assert_true(match.route == &more_things[0]);
    find("GET", "/things/lists", &match);
    g_assert_true(match.route == &things[0]);
    find("PATCH", "/things/list", &match);
    g_assert_null(match.route);
    g_assert_cmpstr(match.allow, ==, "GET, HEAD, OPTIONS");
    g_free(match.allow);
}

static void methods_of_a_path_are_gathered_from_all_tables(void) {
    RouteMatch match;
    find("PUT", "/things/7", &match);
    g_assert_null(match.route);
    g_assert_cmpstr(match.allow, ==, "GET, HEAD, PATCH, DELETE, OPTIONS");
    g_free(match.allow);
    find("HEAD", "/things/7", &match);
    g_assert_true(match.route == &things[0]);
    find("GET", "/nothing", &match);
    g_assert_null(match.route);
    g_assert_null(match.allow);
}

/* What would answer wrongly, or could not be described, is found here. */
static void every_route_of_the_api_is_complete_and_no_two_are_the_same(void) {
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    for (const Route *const *table = routes; *table; table++) {
        for (const Route *route = *table; route->method; route++) {
            g_test_message("%s %s", route->method, route->path);
            g_assert_true(
                g_hash_table_add(seen, g_strdup_printf("%s %s", route->method, route->path)));
            g_assert_true(g_hash_table_add(ids, (void *)(uintptr_t)route->id));
            g_assert_nonnull(route->tag);
            g_assert_nonnull(route->summary);
            g_assert_nonnull(route->handle);
            g_assert_cmpuint(route_parameters(route->path), <=, ROUTE_PARAMETERS_MAX);
            g_assert_true(strcmp(route->method, "GET") != 0 || !route->body);
        }
    }
}

/* --- targets ---------------------------------------------------------------------------------- */

static void a_query_is_decoded_as_a_form(void) {
    g_auto(Target) target = {0};
    must(target_init(&target, "/a%20b?x=1+2%2B3&y=&z&x=other&&w=%C3%A9", &error));
    g_assert_cmpstr(target.segments[0], ==, "a b");
    g_assert_cmpstr(target_query(&target, "x"), ==, "1 2+3");
    g_assert_cmpstr(target_query(&target, "y"), ==, "");
    g_assert_cmpstr(target_query(&target, "z"), ==, "");
    g_assert_cmpstr(target_query(&target, "w"), ==, "\xc3\xa9");
    g_assert_null(target_query(&target, "v"));
    g_assert_cmpstr(target.path, ==, "/a%20b");
}

static void a_target_that_is_none_leaves_nothing_behind(void) {
    static const struct {
        const char *text;
        ErrorCode code;
    } cases[] = {
        {"", ERROR_USAGE},
        {"*", ERROR_USAGE},
        {"a", ERROR_USAGE},
        {"/%", ERROR_USAGE},
        {"/%4", ERROR_USAGE},
        {"/%00", ERROR_USAGE},
        {"/?%80", ERROR_USAGE},
        {"/?a=%G0", ERROR_USAGE},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", ERROR_LIMIT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Target) target = {0};
        g_autoptr(GError) error = NULL;
        g_assert_false(target_init(&target, cases[i].text, &error));
        g_assert_error(error, ASSAY_ERROR, (int)cases[i].code);
        g_assert_null(target.path);
    }
}

static const ApiTest tests[] = {
    {"a_pattern_fits_paths_of_its_form_only", a_pattern_fits_paths_of_its_form_only},
    {"parameters_are_found_by_name", parameters_are_found_by_name},
    {"a_literal_is_never_taken_for_a_parameter", a_literal_is_never_taken_for_a_parameter},
    {"methods_of_a_path_are_gathered_from_all_tables",
     methods_of_a_path_are_gathered_from_all_tables},
    {"every_route_of_the_api_is_complete_and_no_two_are_the_same",
     every_route_of_the_api_is_complete_and_no_two_are_the_same},
    {"a_query_is_decoded_as_a_form", a_query_is_decoded_as_a_form},
    {"a_target_that_is_none_leaves_nothing_behind", a_target_that_is_none_leaves_nothing_behind},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "route", tests, G_N_ELEMENTS(tests));
}
