#include "cli/evidence.h"

#include "base/clock.h"
#include "cli/grid.h"
#include "cli/integrations.h"
#include "cli/listing.h"
#include "present/evidence_object.h"

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct {
    EvidenceFilter filter;
    GPtrArray *rows;
    GPtrArray *reviews; /* Review, or NULL, of each row */
} ListWork;

static void free_review(void *review) {
    review_free(review);
}

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    g_clear_pointer(&work->reviews, g_ptr_array_unref);
    work->reviews = g_ptr_array_new_with_free_func(free_review);
    if (!evidence_list(unit, &work->filter, &work->rows, error) || !work->rows)
        return false;
    for (guint i = 0; i < work->rows->len; i++) {
        Review *review = NULL;
        if (!review_of(unit, g_ptr_array_index(work->rows, i), &review, error))
            return false;
        g_ptr_array_add(work->reviews, review);
    }
    return true;
}

/* The cursor is the id of the last one shown; there is none behind the last page. */
static bool list_json(const ListWork *work, int64_t limit, Json **json_out, GError **error) {
    const GPtrArray *rows = work->rows;
    g_autoptr(Json) json = json_new_object();
    Json *list = json_new_array();
    json_put(json, "evidence", list);
    for (guint i = 0; i < rows->len && i < limit; i++) {
        Json *item = NULL;
        if (!evidence_object(g_ptr_array_index(rows, i), g_ptr_array_index(work->reviews, i),
                             clock_now_ms(), &item, error))
            return false;
        json_add(list, item);
    }
    const Evidence *last = rows->len > limit ? g_ptr_array_index(rows, limit - 1) : NULL;
    json_put_string(json, "nextCursor", last ? last->id : NULL);
    *json_out = g_steal_pointer(&json);
    return true;
}

static bool make_filter(const Arguments *arguments, Session *session, EvidenceFilter *filter,
                        GError **error) {
    const char *source = arguments_text(arguments, "source");
    *filter = (EvidenceFilter){.source = source,
                               .evidence_type = arguments_text(arguments, "type"),
                               .from_ms = arguments_time(arguments, "from"),
                               .to_ms = arguments_time(arguments, "to"),
                               .before_id = arguments_text(arguments, "cursor")};
    Registry *registry = session_registry(session, error);
    if (!registry)
        return false;
    const char *known = source ? registry_resolve(registry, source) : NULL;
    if (known)
        filter->source = known;
    return true;
}

/* --- for people ------------------------------------------------------------------------------- */

static const GridColumn columns[] = {{.title = "COLLECTED"},
                                     {.title = "EVIDENCE"},
                                     {.title = "INTEGRATION"},
                                     {.title = "WHAT IT SAYS", .gives_way = true},
                                     {.title = "READ", .right = true},
                                     {.title = "ID"},
                                     {0}};

static void add_row(Grid *grid, const Json *item, const Json *integrations) {
    int64_t collected = 0;
    if (!clock_parse(json_member_string(item, "collectedAt", ""), &collected))
        collected = 0;
    double share = json_member_real(json_member(item, "qualityParts"), "completeness", 0);
    g_autofree char *age = output_age(collected, clock_now_ms());
    g_autofree char *read = g_strdup_printf("%d %%", (int)(share * 100));
    grid_add(grid, age);
    grid_add(grid, json_member_string(item, "evidenceType", ""));
    grid_add(grid,
             integrations_called(integrations, json_member_string(item, "integrationId", "")));
    grid_add(grid, json_member_string(item, "description", NULL));
    grid_add_tone(grid, share < 1 ? TONE_UNREAD : TONE_PLAIN, read);
    grid_add(grid, json_member_string(item, "id", ""));
}

static void print_none(const Output *output, const Json *integrations) {
    output_line(output, "There is no such evidence.");
    if (json_count(integrations) == 0)
        output_note(output, "Next: assay connect github");
    else
        output_note(output, "Next: assay sync %s",
                    json_member_string(json_item(integrations, 0), "name", ""));
}

static void print(const Output *output, const Json *integrations, const Json *json) {
    const Json *list = json_member(json, "evidence");
    g_autoptr(Grid) grid = grid_new(columns);
    if (json_count(list) == 0) {
        print_none(output, integrations);
        return;
    }
    for (size_t i = 0; i < json_count(list); i++)
        add_row(grid, json_item(list, i), integrations);
    grid_print(grid, output);
    const char *cursor = json_member_string(json, "nextCursor", NULL);
    if (cursor)
        output_note(output, "There is more: --cursor %s", cursor);
    else
        output_note(output, "Next: assay evidence show ID");
}

static const Option options[] = {
    {"integration", OPTION_TEXT, "NAME", "of this integration, by name or id"},
    {"type", OPTION_TEXT, "TYPE", "of this evidence type"},
    {"source", OPTION_TEXT, "PROVIDER", "of this service"},
    {"from", OPTION_TIME, "TIME", "collected at this time or later; 30d: in the last 30 days"},
    {"to", OPTION_TIME, "TIME", "collected before this time"},
    {"limit", OPTION_COUNT, "N", "at most so many (100, and never more than 999)"},
    {"cursor", OPTION_TEXT, "CURSOR", "go on behind a nextCursor"},
    {0}};

static const Listing listing = {.path = "/api/evidence",
                                .options = options,
                                .usual = 100,
                                .most = STORE_LIST_MAX - 1,
                                .print = print};

/* --- here and there --------------------------------------------------------------------------- */

static bool run(CommandCall *call, GError **error) {
    ListWork work = {0};
    g_autoptr(Json) json = NULL;
    g_autoptr(Integration) integration = NULL;
    int64_t limit = listing_limit(&listing, call->arguments);
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !make_filter(call->arguments, session, &work.filter, error) ||
        !listing_integration(call, session, &integration, error))
        return false;
    work.filter.integration_id = integration ? integration->id : NULL;
    work.filter.limit = limit + 1; /* one more tells whether there is more */
    bool ok = session_run(session, DB_READ, list_work, &work, error) &&
              list_json(&work, limit, &json, error);
    g_clear_pointer(&work.rows, g_ptr_array_unref);
    g_clear_pointer(&work.reviews, g_ptr_array_unref);
    return ok && listing_show(call, &listing, session, json, error);
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    return listing_there(call, &listing, remote, error);
}

const Command evidence_list_command = {
    .name = "evidence list",
    .summary = "what was collected, the newest first",
    .usage = "[--integration NAME] [--type TYPE] [--source PROVIDER] [--from TIME] [--to TIME]",
    .examples = "assay evidence list\n"
                "assay evidence list --type branch_protection --from 30d\n"
                "assay evidence list --integration acme --json",
    .options = options,
    .run = run,
    .remote = run_remote,
};
