#include "api/route.h"

#include <string.h>

bool route_fits(const char *pattern, char *const *segments,
                const char *values_out[ROUTE_PARAMETERS_MAX]) {
    size_t count = 0;
    const char *part = pattern + 1;
    for (; *segments; segments++) {
        size_t length = strcspn(part, "/");
        bool parameter = *part == '{';
        if (parameter && **segments != '\0' && count < ROUTE_PARAMETERS_MAX)
            values_out[count++] = *segments;
        else if (parameter || strncmp(part, *segments, length) != 0 || (*segments)[length] != '\0')
            return false;
        part += length;
        if (*part == '\0')
            return segments[1] == NULL;
        part++;
    }
    return false;
}

size_t route_parameters(const char *pattern) {
    size_t count = 0;
    for (const char *c = pattern; *c; c++)
        count += *c == '{' ? 1 : 0;
    return count;
}

int route_parameter(const char *pattern, const char *name) {
    size_t length = strlen(name);
    int index = 0;
    for (const char *open = strchr(pattern, '{'); open; open = strchr(open + 1, '{'), index++)
        if (strncmp(open + 1, name, length) == 0 && open[length + 1] == '}')
            return index;
    return -1;
}

char **route_parameter_names(const char *pattern) {
    GPtrArray *names = g_ptr_array_new();
    for (const char *open = strchr(pattern, '{'); open; open = strchr(open + 1, '{'))
        g_ptr_array_add(names, g_strndup(open + 1, strcspn(open + 1, "}")));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

/* --- finding ---------------------------------------------------------------------------------- */

typedef struct {
    const char *method;
    char *const *segments;
    RouteMatch *match;
    const char *path; /* the best pattern that fits */
    size_t parameters;
} Search;

static void consider(Search *search, const Route *route) {
    const char *values[ROUTE_PARAMETERS_MAX] = {NULL};
    size_t parameters = route_parameters(route->path);
    bool better = !search->path || parameters < search->parameters;
    bool same = search->path && strcmp(search->path, route->path) == 0;
    if ((!better && !same) || !route_fits(route->path, search->segments, values))
        return;
    if (better) {
        search->path = route->path;
        search->parameters = parameters;
        search->match->route = NULL;
    }
    if (strcmp(route->method, search->method) == 0) {
        search->match->route = route;
        memcpy(search->match->values, values, sizeof values);
    }
}

static bool has_method(const GString *list, const char *method) {
    const char *found = strstr(list->str, method);
    size_t length = strlen(method);
    return found && (found[length] == '\0' || found[length] == ',');
}

static void add_method(GString *list, const char *method) {
    if (!has_method(list, method))
        g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", method);
}

static char *list_methods(const Route *const *tables, const char *path) {
    GString *list = g_string_new(NULL);
    for (; *tables; tables++) {
        for (const Route *route = *tables; route->method; route++) {
            if (strcmp(route->path, path) != 0)
                continue;
            add_method(list, route->method);
            if (strcmp(route->method, "GET") == 0)
                add_method(list, "HEAD");
        }
    }
    add_method(list, "OPTIONS");
    return g_string_free(list, FALSE);
}

void route_find(const Route *const *tables, const char *method, char *const *segments,
                RouteMatch *match_out) {
    *match_out = (RouteMatch){0};
    bool head = strcmp(method, "HEAD") == 0;
    Search search = {.method = head ? "GET" : method, .segments = segments, .match = match_out};
    for (const Route *const *table = tables; *table; table++)
        for (const Route *route = *table; route->method; route++)
            consider(&search, route);
    if (search.path && !match_out->route)
        match_out->allow = list_methods(tables, search.path);
}
