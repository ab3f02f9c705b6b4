#include "cli/controls.h"

#include "base/clock.h"
#include "cli/findings.h"
#include "cli/fixes.h"
#include "cli/grid.h"
#include "cli/integrations.h"
#include "cli/mark.h"
#include "comply/control.h"
#include "comply/overview.h"

#include <string.h>

#define FIXES_SHOWN 5

/* --- the status filter ------------------------------------------------------------------------ */

/* A status as in JSON, or the word that people see for it ("failing"). */
static bool find_status(const char *wanted, const char **status_out, GError **error) {
    g_autoptr(GString) known = g_string_new(NULL);
    *status_out = NULL;
    if (!wanted)
        return true;
    for (int state = 0; state < CONTROL_STATES; state++) {
        const char *name = control_state_name((ControlState)state);
        if (strcmp(wanted, name) == 0 || strcmp(wanted, mark_of(name).word) == 0) {
            *status_out = name;
            return true;
        }
        g_string_append_printf(known, "%s%s", state > 0 ? ", " : "", name);
    }
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "--status wants one of %s", known->str);
    return false;
}

/* --- one framework, for people ---------------------------------------------------------------- */

static const GridColumn columns[] = {{.title = "CONTROL"},
                                     {.title = "STATUS"},
                                     {.title = "CONFIDENCE", .right = true},
                                     {.title = "TITLE", .gives_way = true},
                                     {.title = "WHY", .gives_way = true},
                                     {0}};

static void add_row(Grid *grid, const Json *control) {
    const Json *confidence = json_member(control, "confidence");
    bool judged = json_count(json_member(control, "checks")) > 0;
    g_autofree char *share = judged ? g_strdup_printf("%.2f", json_number_or(confidence, 0)) : NULL;
    grid_add(grid, json_member_string(control, "id", ""));
    mark_add(grid, json_member_string(control, "status", ""),
             json_member_string(control, "verdict", NULL));
    grid_add(grid, share);
    grid_add(grid, json_member_string(control, "title", ""));
    grid_add(grid, json_member_string(control, "reason", NULL));
}

/* Controls that nothing automatic speaks for would hide the others; they are counted below. */
static bool is_shown(const Json *control, const char *wanted) {
    return wanted || strcmp(json_member_string(control, "status", ""), "manual") != 0;
}

static void print_controls(const Output *output, const Json *json, const char *wanted) {
    const Json *controls = json_member(json, "controls");
    g_autoptr(Grid) grid = grid_new(columns);
    for (size_t i = 0; i < json_count(controls); i++) {
        const Json *control = json_item(controls, i);
        if (is_shown(control, wanted))
            add_row(grid, control);
    }
    if (grid_rows(grid) > 0)
        grid_print(grid, output);
    else
        output_line(output, wanted ? "No control has this status."
                                   : "No control of this framework is assessed by automation.");
}

/* "2 compliant, 3 failing", without those of no controls. */
static char *describe_counts(const Json *counts) {
    GString *text = g_string_new(NULL);
    for (int state = 0; state < CONTROL_STATES; state++) {
        const char *name = control_state_name((ControlState)state);
        int64_t count = json_member_int(counts, name, 0);
        if (count > 0)
            g_string_append_printf(text, "%s%" G_GINT64_FORMAT " %s", text->len > 0 ? ", " : "",
                                   count, mark_of(name).word);
    }
    return g_string_free(text, FALSE);
}

static char *percent(const Json *score) {
    /* Rounded down: 100 % means all of them. */
    return g_strdup_printf("%d %%", (int)(json_member_real(score, "score", 0) * 100));
}

static void print_score(const Output *output, const Json *json) {
    const Json *score = json_member(json, "score");
    int64_t unserved = json_member_int(json, "unserved", 0);
    g_autofree char *share = percent(score);
    g_autofree char *counts = describe_counts(json_member(score, "counts"));
    output_line(output, "%s", "");
    output_tone(output, TONE_STRONG, "%s: %s", json_member_string(json, "name", ""), share);
    const Json *points = json_member(score, "points");
    output_line(
        output, "  %g of %g applicable %s are met. %s.", json_member_real(score, "metWeight", 0),
        json_member_real(score, "applicableWeight", 0), points ? "points" : "controls", counts);
    if (points)
        output_line(output,
                    "  Out of %g: %g if all that was not assessed is met, %g if none of it is.",
                    json_member_real(points, "start", 0), json_member_real(points, "highest", 0),
                    json_member_real(points, "lowest", 0));
    if (unserved > 0)
        output_line(output,
                    "  %" G_GINT64_FORMAT " could be served by services that are not connected.",
                    unserved);
}

/* What stands beside the controls: what is wrong, and what is connected. */
typedef struct {
    Json *findings; /* open ones */
    Json *integrations;
} Around;

static void around_clear(Around *around) {
    json_free(around->findings);
    json_free(around->integrations);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Around, around_clear)

static void print_fixes(const Output *output, const Json *findings) {
    if (json_count(findings) == 0)
        return;
    output_line(output, "%s", "");
    fixes_print(output, findings, FIXES_SHOWN);
    output_note(output, "Next: assay findings");
}

/* --- what to do when there is nothing to see -------------------------------------------------- */

static void print_next(const Output *output, const Json *integrations) {
    for (size_t i = 0; i < json_count(integrations); i++) {
        const Json *integration = json_item(integrations, i);
        if (!json_member_string(integration, "lastSyncAt", NULL))
            output_note(output, "Next: assay sync %s", json_member_string(integration, "name", ""));
    }
    if (json_count(integrations) == 0)
        output_note(output, "Nothing is connected. Next: assay connect github");
}

static void print_one(const Output *output, const Around *around, const Json *json,
                      const char *wanted) {
    print_controls(output, json, wanted);
    print_score(output, json);
    print_fixes(output, around->findings);
    print_next(output, around->integrations);
}

/* --- all frameworks --------------------------------------------------------------------------- */

static const GridColumn framework_columns[] = {{.title = "FRAMEWORK"},
                                               {.title = "SCORE", .right = true},
                                               {.title = "NAME"},
                                               {.title = "CONTROLS", .gives_way = true},
                                               {0}};

static void add_framework(Grid *grid, const Json *json) {
    const Json *score = json_member(json, "score");
    g_autofree char *share = percent(score);
    g_autofree char *counts = describe_counts(json_member(score, "counts"));
    grid_add(grid, json_member_string(json, "framework", ""));
    grid_add_tone(grid, TONE_STRONG, share);
    grid_add(grid, json_member_string(json, "name", ""));
    grid_add(grid, counts);
}

static void print_all(const Output *output, const Around *around, const Json *json) {
    const Json *list = json_member(json, "frameworks");
    g_autoptr(Grid) grid = grid_new(framework_columns);
    for (size_t i = 0; i < json_count(list); i++)
        add_framework(grid, json_item(list, i));
    grid_print(grid, output);
    print_fixes(output, around->findings);
    print_next(output, around->integrations);
    output_note(output, "One in full: assay controls --framework soc2");
}

static void print(const Output *output, const Around *around, const Json *json, bool one,
                  const char *wanted) {
    output_json(output, json);
    if (output->json)
        return;
    if (one)
        print_one(output, around, json, wanted);
    else
        print_all(output, around, json);
}

/* --- the command ------------------------------------------------------------------------------ */

static bool read_one(Session *session, const char *id, const char *status, Json **json_out,
                     GError **error) {
    Registry *registry = session_registry(session, error);
    const Framework *framework = registry ? framework_find(id, error) : NULL;
    if (!framework)
        return false;
    OverviewControls wish = {.framework = framework, .status = status, .now_ms = clock_now_ms()};
    *json_out =
        overview_controls(session_db(session), session_scope(session), registry, &wish, error);
    return *json_out != NULL;
}

static bool read_all(Session *session, const char *status, Json **json_out, GError **error) {
    g_autoptr(Json) json = json_new_object();
    Json *list = json_new_array();
    json_put(json, "frameworks", list);
    for (const char *const *id = framework_ids(); *id; id++) {
        Json *one = NULL;
        if (!read_one(session, *id, status, &one, error))
            return false;
        json_add(list, one);
    }
    *json_out = g_steal_pointer(&json);
    return true;
}

/* Only people want it. */
static bool read_around(Session *session, Around *around, GError **error) {
    g_autoptr(Json) open = NULL;
    FindingFilter filter = {.state = FINDING_OPEN, .limit = STORE_LIST_MAX};
    if (!findings_read(session, &filter, NULL, &open, error))
        return false;
    around->findings = json_ref(json_member(open, "findings"));
    around->integrations = integrations_here(session, error);
    return around->integrations != NULL;
}

static bool run(CommandCall *call, GError **error) {
    const char *status = NULL;
    const char *framework = arguments_text(call->arguments, "framework");
    g_autoptr(Json) json = NULL;
    g_auto(Around) around = {0};
    if (!find_status(arguments_text(call->arguments, "status"), &status, error) ||
        (framework && !framework_find(framework, error)))
        return false;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session ||
        !(framework ? read_one(session, framework, status, &json, error)
                    : read_all(session, status, &json, error)) ||
        (!call->output->json && !read_around(session, &around, error)))
        return false;
    print(call->output, &around, json, framework != NULL, status);
    return true;
}

/* --- the same of a server --------------------------------------------------------------------- */

static Json *ask_one(Remote *remote, const char *framework, const char *status, GError **error) {
    const RemoteField query[] = {{"framework", framework}, {"status", status}, {0}};
    Json *json = remote_get(remote, "/api/controls", query, error);
    if (json)
        json_remove(json, "nextCursor");
    return json;
}

static Json *ask_all(Remote *remote, const char *status, GError **error) {
    g_autoptr(Json) json = json_new_object();
    Json *list = json_new_array();
    json_put(json, "frameworks", list);
    g_autoptr(Json) known = remote_list(remote, "/api/frameworks", NULL, "frameworks", error);
    if (!known)
        return NULL;
    for (size_t i = 0; i < json_count(known); i++) {
        const char *id = json_member_string(json_item(known, i), "id", "");
        Json *one = ask_one(remote, id, status, error);
        if (!one)
            return NULL;
        json_add(list, one);
    }
    return g_steal_pointer(&json);
}

static bool ask_around(Remote *remote, Around *around, GError **error) {
    around->findings = remote_list(remote, "/api/findings", NULL, "findings", error);
    if (around->findings)
        around->integrations = integrations_there(remote, error);
    return around->integrations != NULL;
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    const char *status = NULL;
    const char *framework = arguments_text(call->arguments, "framework");
    g_auto(Around) around = {0};
    if (!find_status(arguments_text(call->arguments, "status"), &status, error))
        return false;
    g_autoptr(Json) json =
        framework ? ask_one(remote, framework, status, error) : ask_all(remote, status, error);
    if (!json || (!call->output->json && !ask_around(remote, &around, error)))
        return false;
    print(call->output, &around, json, framework != NULL, status);
    return true;
}

static const Option options[] = {
    {"framework", OPTION_TEXT, "ID", "soc2, iso27001_2022 ...; else all, in short"},
    {"status", OPTION_TEXT, "STATUS", "only controls of this status"},
    {0}};

const Command controls_command = {
    .name = "controls",
    .summary = "where the controls stand, the score, and what to fix next",
    .usage = "[--framework ID] [--status STATUS]",
    .about = "A control that could not be read is never counted as met, and none that nothing\n"
             "automatic speaks for (manual).",
    .examples = "assay controls\n"
                "assay controls --framework soc2\n"
                "assay controls --framework soc2 --status non_compliant --json",
    .options = options,
    .run = run,
    .remote = run_remote,
};
