#include "cli/provider_policy.h"

#include "base/error.h"
#include "cli/grid.h"
#include "cli/provider.h"
#include "present/policy_object.h"
#include "provider/policy.h"
#include "provider/rights.h"

#include <string.h>
#include <sys/stat.h>

/* What is asked about. */
typedef struct {
    const Definition *definition;
    const EvidenceType **types;
    size_t count;
} Wanted;

static void wanted_clear(Wanted *wanted) {
    g_free(wanted->types);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wanted, wanted_clear)

static bool read_wanted(Wanted *wanted, const char *const *names, GError **error) {
    wanted->types = policy_types(wanted->definition, names, &wanted->count, error);
    return wanted->types != NULL;
}

/* --- what is needed --------------------------------------------------------------------------- */

/* The document alone is the result, as it is given to AWS. */
static void print_policy(const Output *output, const char *provider, const Json *policy) {
    g_autofree char *text = json_print(policy, JSON_PRETTY);
    output_line(output, "%s", text);
    output_note(output, "Next: make a policy of this, then assay connect %s", provider);
}

static void print_needs(const Output *output, const Json *needs) {
    void *iterator = NULL;
    const char *vocabulary = NULL;
    Json *names = NULL;
    bool several = json_count(needs) > 1;
    if (several)
        output_note(output, "Names of one of these kinds are enough.");
    while (json_next(needs, &iterator, &vocabulary, &names)) {
        output_tone(output, TONE_STRONG, "%s", vocabulary);
        for (size_t i = 0; i < json_count(names); i++)
            output_line(output, "  %s", json_text(json_item(names, i)));
    }
}

static void tell_needs(const Output *output, const Json *json) {
    const Json *policy = json_member(json, "policy");
    output_json(output, json);
    if (!output->json && policy)
        print_policy(output, json_member_string(json, "provider", ""), policy);
    else if (!output->json)
        print_needs(output, json_member(json, "needs"));
}

/* --- what given rights miss ------------------------------------------------------------------- */

static bool read_rights(const char *path, Rights **rights_out, GError **error) {
    struct stat status;
    g_autofree char *text = NULL;
    gsize size = 0;
    g_autoptr(GError) cause = NULL;
    if (stat(path, &status) == 0 &&
        (!S_ISREG(status.st_mode) || status.st_size > RIGHTS_MAX_SIZE)) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT, "%s is no file of at most 1 MiB", path);
        return false;
    }
    if (!g_file_get_contents(path, &text, &size, &cause)) {
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND, "%s cannot be read: %s", path,
                    cause->message);
        return false;
    }
    *rights_out = rights_new(text, size, error);
    if (!*rights_out)
        g_prefix_error(error, "%s: ", path);
    return *rights_out != NULL;
}

static int compare_texts(const void *a, const void *b) {
    const char *const *first = a;
    const char *const *second = b;
    return strcmp(*first, *second);
}

/* The names that the type needs in one vocabulary and that are held as said. */
static Json *lacking_names(const Rights *rights, const EvidenceType *type, const char *vocabulary,
                           Right held) {
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    evidence_type_needs(type, vocabulary, names);
    g_ptr_array_sort(names, compare_texts);
    Json *lacking = json_new_array();
    for (guint i = 0; i < names->len; i++)
        if (rights_find(rights, names->pdata[i]) == held)
            json_add_string(lacking, names->pdata[i]);
    return lacking;
}

/* {"iam": [...]}; a vocabulary of which nothing lacks is left out. */
static Json *lacking_json(const Rights *rights, const Definition *definition,
                          const EvidenceType *type, Right held) {
    g_autoptr(GPtrArray) vocabularies = policy_vocabularies(definition);
    Json *lacking = json_new_object();
    bool whole = rights_unread(rights, type, RIGHT_HELD) == 0;
    for (guint i = 0; !whole && i < vocabularies->len; i++) {
        const char *vocabulary = vocabularies->pdata[i];
        g_autoptr(Json) names = lacking_names(rights, type, vocabulary, held);
        if (json_count(names) > 0)
            json_put(lacking, vocabulary, json_ref(names));
    }
    return lacking;
}

static Json *unread_checks(const EvidenceType *type, uint64_t unread, bool nothing) {
    Json *checks = json_new_array();
    for (size_t i = 0; i < type->check_count; i++)
        if (nothing || (type->checks[i].nodes & unread) != 0)
            json_add_string(checks, type->checks[i].name);
    return checks;
}

static Json *type_json(const Rights *rights, const Definition *definition,
                       const EvidenceType *type) {
    uint64_t unread = rights_unread(rights, type, RIGHT_LIMITED);
    bool nothing = (unread >> type->row_of & 1) != 0;
    bool whole = rights_unread(rights, type, RIGHT_HELD) == 0;
    Json *json = json_new_object();
    json_put_string(json, "name", type->name);
    json_put_string(json, "collected", nothing ? "nothing" : whole ? "everything" : "partly");
    json_put(json, "missing", lacking_json(rights, definition, type, RIGHT_MISSING));
    json_put(json, "limited", lacking_json(rights, definition, type, RIGHT_LIMITED));
    json_put(json, "unreadChecks", unread_checks(type, unread, nothing));
    json_put_int(json, "checks", (int64_t)type->check_count);
    return json;
}

static bool is_whole(const Json *type) {
    return strcmp(json_member_string(type, "collected", ""), "everything") == 0;
}

static Json *have_json(const Rights *rights, const Wanted *wanted) {
    Json *json = json_new_object();
    Json *types = json_new_array();
    bool complete = true;
    for (size_t i = 0; i < wanted->count; i++) {
        Json *type = type_json(rights, wanted->definition, wanted->types[i]);
        complete = complete && is_whole(type);
        json_add(types, type);
    }
    json_put_string(json, "provider", wanted->definition->id);
    json_put_bool(json, "complete", complete);
    json_put(json, "evidenceTypes", types);
    return json;
}

static void append_names(GString *out, const Json *lacking, const char *ending) {
    void *iterator = NULL;
    const char *vocabulary = NULL;
    Json *names = NULL;
    bool several = json_count(lacking) > 1;
    while (json_next(lacking, &iterator, &vocabulary, &names)) {
        for (size_t i = 0; i < json_count(names); i++)
            g_string_append_printf(out, "%s%s%s", out->len > 0 ? ", " : "",
                                   json_text(json_item(names, i)), ending);
        if (several)
            g_string_append_printf(out, " (%s)", vocabulary);
    }
}

static const GridColumn columns[] = {{.title = "EVIDENCE"},
                                     {.title = "COLLECTED"},
                                     {.title = "UNREAD CHECKS", .right = true},
                                     {.title = "MISSING", .gives_way = true},
                                     {0}};

static void print_type(Grid *grid, const Json *type) {
    bool whole = is_whole(type);
    g_autoptr(GString) names = g_string_new(NULL);
    append_names(names, json_member(type, "missing"), "");
    append_names(names, json_member(type, "limited"), " (limited)");
    g_autofree char *checks =
        g_strdup_printf("%zu of %" G_GINT64_FORMAT, json_count(json_member(type, "unreadChecks")),
                        json_member_int(type, "checks", 0));
    grid_add(grid, json_member_string(type, "name", ""));
    grid_add_tone(grid, whole ? TONE_GOOD : TONE_UNREAD, json_member_string(type, "collected", ""));
    grid_add(grid, checks);
    grid_add(grid, names->str);
}

static void print_have(const Output *output, const Json *json, const Wanted *wanted) {
    g_autoptr(Grid) grid = grid_new(columns);
    const Json *types = json_member(json, "evidenceTypes");
    for (size_t i = 0; i < json_count(types); i++)
        print_type(grid, json_item(types, i));
    grid_print(grid, output);
    if (!json_member_bool(json, "complete", false))
        output_note(output, "Next: assay provider policy %s", wanted->definition->id);
}

/* --- the command ------------------------------------------------------------------------------ */

static bool tell_have(CommandCall *call, const Wanted *wanted, const char *path, GError **error) {
    g_autoptr(Rights) rights = NULL;
    if (!read_rights(path, &rights, error))
        return false;
    g_autoptr(Json) json = have_json(rights, wanted);
    if (!json_member_bool(json, "complete", false))
        call->status = STATUS_PARTLY;
    output_json(call->output, json);
    if (!call->output->json)
        print_have(call->output, json, wanted);
    return true;
}

static bool run(CommandCall *call, GError **error) {
    const char *have = arguments_text(call->arguments, "have");
    g_autoptr(Registry) registry = provider_registry(call->arguments, error);
    g_auto(Wanted) wanted = {0};
    wanted.definition =
        registry ? registry_find(registry, arguments_word(call->arguments, 0), error) : NULL;
    if (!wanted.definition ||
        !read_wanted(&wanted, arguments_list(call->arguments, "evidence"), error))
        return false;
    if (have)
        return tell_have(call, &wanted, have, error);
    g_autoptr(Json) json = policy_object(wanted.definition, wanted.types, wanted.count);
    tell_needs(call->output, json);
    return true;
}

/* Rights are held against the definitions of this machine, which the server's need not be. */
static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    const char *const *types = arguments_list(call->arguments, "evidence");
    g_autofree char *path =
        remote_path("/api/providers/{id}/policy", arguments_word(call->arguments, 0));
    g_autofree char *names = types ? g_strjoinv(",", (char **)(uintptr_t)types) : NULL;
    const RemoteField query[] = {{"evidence", names}, {0}};
    if (arguments_text(call->arguments, "have")) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--have is answered on this machine; leave out --server");
        return false;
    }
    g_autoptr(Json) json = remote_get(remote, path, query, error);
    if (!json)
        return false;
    tell_needs(call->output, json);
    return true;
}

static const Option options[] = {
    {"evidence", OPTION_LIST, "TYPE,...", "only for these evidence types"},
    {"have", OPTION_TEXT, "FILE", "what cannot be collected with these rights"},
    {0},
};

const Command provider_policy_command = {
    .name = "provider policy",
    .summary = "the least rights that collecting needs, and what given rights miss",
    .usage = "PROVIDER [--evidence TYPE,...] [--have FILE]",
    .about = "Needs no network. For AWS the result is the policy document to attach, for\n"
             "others the names of scopes or permissions. FILE is a policy document, a JSON\n"
             "array of names, or names by line; * and ? are wildcards. The exit status is 5\n"
             "when something cannot be collected.",
    .examples = "assay provider policy aws\n"
                "assay provider policy aws --evidence iam_users,s3_encryption --json\n"
                "assay provider policy aws --have policy.json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
    .remote = run_remote,
};
