#include "cli/configuration.h"

#include "cli/grid.h"
#include "cli/place.h"

static const GridColumn columns[] = {{.title = "SETTING"},
                                     {.title = "VALUE"},
                                     {.title = "FROM"},
                                     {.title = "LIVE"},
                                     {.title = "ENVIRONMENT", .gives_way = true},
                                     {0}};

static void print(const Output *output, const Json *rows) {
    g_autoptr(Grid) grid = grid_new(columns);
    for (size_t i = 0; i < json_count(rows); i++) {
        const Json *row = json_item(rows, i);
        grid_add(grid, json_member_string(row, "name", ""));
        grid_add(grid, json_member_string(row, "value", "-"));
        grid_add(grid, json_member_string(row, "origin", ""));
        grid_add(grid, json_member_bool(row, "live", false) ? "yes" : "no");
        grid_add(grid, json_member_string(row, "environment", ""));
    }
    grid_print(grid, output);
}

static bool run(CommandCall *call, GError **error) {
    g_auto(Place) place = {0};
    if (!place_init(&place, call->arguments, error))
        return false;
    g_autoptr(Json) json = json_new_object();
    Json *rows = config_describe(place.config);
    json_put(json, "settings", rows);
    output_json(call->output, json);
    print(call->output, rows);
    return true;
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    g_autoptr(Json) json = remote_get(remote, "/api/configuration", NULL, error);
    if (!json)
        return false;
    output_json(call->output, json);
    print(call->output, json_member(json, "settings"));
    return true;
}

const Command config_command = {
    .name = "config",
    .summary = "the effective settings, and where each comes from",
    .usage = "[--config FILE]",
    .about =
        "A flag of a command comes before the environment, the environment before the file of\n"
        "--config or ASSAY_CONFIG, the file before the default. Passwords are not shown. The\n"
        "file is YAML: names as they stand here, what is before the dot as a section. What is\n"
        "live a running service takes from the file with SIGHUP, the rest with a restart.",
    .examples = "assay config\n"
                "assay config --config /etc/assay.yaml --json",
    .run = run,
    .remote = run_remote,
};
