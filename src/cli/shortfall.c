#include "cli/shortfall.h"

#include "cli/grid.h"

static const GridColumn columns[] = {
    {.title = "NOT WHOLE"}, {.title = "WHY"}, {.title = "WHAT TO DO", .gives_way = true}, {0}};

void shortfall_print(const Output *output, const Json *errors) {
    g_autoptr(Grid) grid = grid_new(columns);
    for (size_t i = 0; i < json_count(errors); i++) {
        const Json *entry = json_item(errors, i);
        grid_add(grid, json_member_string(entry, "evidenceType", "-"));
        grid_add_tone(grid, TONE_UNREAD, json_member_string(entry, "code", ""));
        grid_add(grid, json_member_string(entry, "message", ""));
    }
    if (json_count(errors) > 0)
        grid_print(grid, output);
}
