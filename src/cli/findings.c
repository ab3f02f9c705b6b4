#include "cli/findings.h"

#include "base/clock.h"
#include "cli/fixes.h"
#include "cli/grid.h"
#include "cli/listing.h"
#include "cli/mark.h"
#include "comply/overview.h"

#include <string.h>

bool findings_read(Session *session, const FindingFilter *filter, const char *cursor,
                   Json **json_out, GError **error) {
    Registry *registry = session_registry(session, error);
    if (!registry)
        return false;
    *json_out = overview_findings(session_db(session), session_scope(session), registry, filter,
                                  cursor, error);
    return *json_out != NULL;
}

/* --- words ------------------------------------------------------------------------------------ */

static bool check_words(const Arguments *arguments, GError **error) {
    const char *state = arguments_text(arguments, "state");
    const char *severity = arguments_text(arguments, "severity");
    if (state && strcmp(state, FINDING_OPEN) != 0 && strcmp(state, FINDING_RESOLVED) != 0 &&
        strcmp(state, "all") != 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "--state wants open, resolved or all");
        return false;
    }
    if (severity && fixes_rank(severity) == 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--severity wants critical, high, medium or low");
        return false;
    }
    return true;
}

/* --- for people ------------------------------------------------------------------------------- */

static const GridColumn columns[] = {{.title = "SEVERITY"},
                                     {.title = "RESOURCE"},
                                     {.title = "WHAT SHOULD HOLD", .gives_way = true},
                                     {.title = "INTEGRATION"},
                                     {.title = "STATE"},
                                     {.title = "SINCE"},
                                     {0}};

static void add_row(Grid *grid, const Json *item) {
    const char *state = json_member_string(item, "state", "");
    bool open = strcmp(state, FINDING_OPEN) == 0;
    int64_t since = 0;
    const char *at = json_member_string(item, open ? "openedAt" : "resolvedAt", "");
    if (!clock_parse(at, &since))
        since = 0;
    g_autofree char *age = output_age(since, clock_now_ms());
    mark_add(grid, json_member_string(item, "severity", ""), NULL);
    grid_add(grid, json_member_string(item, "resource", ""));
    grid_add(grid, json_member_string(item, "title", ""));
    grid_add(grid, json_member_string(item, "integration", ""));
    grid_add(grid, state);
    grid_add(grid, age);
}

static void print_none(const Output *output, const Json *integrations) {
    output_line(output, "There are no such findings.");
    output_note(output, json_count(integrations) == 0 ? "Next: assay connect github"
                                                      : "Next: assay controls");
}

static void print(const Output *output, const Json *integrations, const Json *json) {
    g_autoptr(GPtrArray) sorted = fixes_sort(json_member(json, "findings"));
    g_autoptr(Grid) grid = grid_new(columns);
    const char *cursor = json_member_string(json, "nextCursor", NULL);
    if (sorted->len == 0) {
        print_none(output, integrations);
        return;
    }
    for (guint i = 0; i < sorted->len; i++)
        add_row(grid, g_ptr_array_index(sorted, i));
    grid_print(grid, output);
    if (cursor)
        output_note(output, "There are more: --cursor %s", cursor);
    else
        output_note(output, "Next: assay controls says what to fix first");
}

static const Option options[] = {
    {"state", OPTION_TEXT, "STATE", "open (the default), resolved or all"},
    {"severity", OPTION_TEXT, "SEVERITY", "critical, high, medium or low"},
    {"check", OPTION_TEXT, "TYPE.CHECK", "of this check"},
    {"integration", OPTION_TEXT, "NAME", "of this integration, by name or id"},
    {"limit", OPTION_COUNT, "N", "at most so many (1,000)"},
    {"cursor", OPTION_TEXT, "CURSOR", "go on behind a nextCursor"},
    {0}};

static const Listing listing = {.path = "/api/findings",
                                .options = options,
                                .usual = STORE_LIST_MAX,
                                .most = STORE_LIST_MAX,
                                .print = print};

/* --- here and there --------------------------------------------------------------------------- */

static FindingFilter make_filter(const Arguments *arguments, const Integration *integration) {
    const char *state = arguments_text(arguments, "state");
    bool all = g_strcmp0(state, "all") == 0;
    return (FindingFilter){.state = all     ? NULL
                                    : state ? state
                                            : FINDING_OPEN,
                           .severity = arguments_text(arguments, "severity"),
                           .check_id = arguments_text(arguments, "check"),
                           .integration_id = integration ? integration->id : NULL,
                           .limit = listing_limit(&listing, arguments)};
}

static bool run(CommandCall *call, GError **error) {
    g_autoptr(Json) json = NULL;
    g_autoptr(Integration) integration = NULL;
    if (!check_words(call->arguments, error))
        return false;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !listing_integration(call, session, &integration, error))
        return false;
    FindingFilter filter = make_filter(call->arguments, integration);
    return findings_read(session, &filter, arguments_text(call->arguments, "cursor"), &json,
                         error) &&
           listing_show(call, &listing, session, json, error);
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    return check_words(call->arguments, error) && listing_there(call, &listing, remote, error);
}

const Command findings_command = {
    .name = "findings",
    .summary = "what is wrong, and where",
    .usage = "[--state open|resolved|all] [--severity SEVERITY] [--integration NAME]",
    .examples = "assay findings\n"
                "assay findings --severity high\n"
                "assay findings --state resolved --json",
    .options = options,
    .run = run,
    .remote = run_remote,
};
