#include "cli/evidence_show.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text.h"
#include "cli/integrations.h"
#include "cli/mark.h"
#include "present/evidence_object.h"
#include "store/document.h"
#include "store/document_reader.h"

#include <string.h>

/* Data up to this size are shown to people; beyond it they are told how to get them. */
#define SHOWN_MAX (64 * 1024)

/* --- the document ----------------------------------------------------------------------------- */

static bool read_document(const Session *session, const char *document_id, DocumentTake take,
                          void *data, GError **error) {
    return document_each(session_db(session), session_scope(session), document_id, take, data,
                         error);
}

static bool take_for_digest(const char *bytes, size_t size, void *digest, GError **error) {
    (void)error;
    digest_update(digest, bytes, size);
    return true;
}

static bool take_for_print(const char *bytes, size_t size, void *stream, GError **error) {
    (void)error;
    fwrite(bytes, 1, size, stream);
    return true;
}

static bool take_for_text(const char *bytes, size_t size, void *text, GError **error) {
    (void)error;
    g_string_append_len(text, bytes, (gssize)size);
    return true;
}

/* Whether the stored bytes are those that were collected. */
static bool check_document(const Session *session, const Evidence *evidence, GError **error) {
    g_autoptr(Digest) digest = digest_new();
    uint8_t hash[DIGEST_SIZE];
    if (!read_document(session, evidence->document_id, take_for_digest, digest, error))
        return false;
    digest_finish(digest, hash);
    g_autofree char *hex = text_hex(hash, sizeof hash);
    if (g_strcmp0(hex, evidence->data_sha256) == 0)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                "the stored data of the evidence %s do not have the hash that was logged: they "
                "were damaged or altered",
                evidence->id);
    return false;
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* The object without its closing brace, then the data as they are. */
static bool print_json(const Session *session, const Output *output, const Evidence *evidence,
                       const Json *json, GError **error) {
    g_autofree char *text = json_print(json, JSON_COMPACT);
    fprintf(output->result, "%.*s,\"data\":", (int)strlen(text) - 1, text);
    if (!evidence->document_id)
        fputs("null", output->result);
    else if (!read_document(session, evidence->document_id, take_for_print, output->result, error))
        return false;
    fputs("}\n", output->result);
    return true;
}

/* --- for people ------------------------------------------------------------------------------- */

static void print_field(const Output *output, const char *title, const char *value) {
    g_autofree char *text = output_text(value);
    if (*text != '\0')
        output_line(output, "  %-12s %s", title, text);
}

static void print_reads(const Output *output, const Json *completeness) {
    const Json *reads = json_member(completeness, "reads");
    bool complete = json_member_bool(completeness, "complete", false);
    output_line(output, "  %-12s %s", "read", complete ? "completely" : "not completely");
    for (size_t i = 0; i < json_count(reads); i++) {
        const Json *read = json_item(reads, i);
        const char *message = json_member_string(read, "message", NULL);
        g_autofree char *node = output_text(json_member_string(read, "node", ""));
        g_autofree char *why = output_text(message);
        g_autofree char *rows = output_number(json_member_int(read, "rows", 0));
        g_autofree char *calls = output_number(json_member_int(read, "requests", 0));
        output_line(output, "  %-12s %s: %s rows, %s calls%s%s", "", node, rows, calls,
                    message ? "; " : "", why);
    }
}

static void print_review(const Output *output, const Json *json) {
    const char *by = json_member_string(json, "reviewedBy", NULL);
    const char *comment = json_member_string(json, "reviewComment", NULL);
    g_autofree char *state = g_strdup_printf(
        "%s by %s, %s%s%s", json_member_string(json, "reviewState", ""), by ? by : "",
        json_member_string(json, "reviewedAt", ""), comment ? ": " : "", comment ? comment : "");
    if (by)
        print_field(output, "review", state);
}

static void print_facts(const Output *output, const Json *json, const char *integration) {
    g_autofree char *title = output_text(json_member_string(json, "title", ""));
    g_autofree char *quality = g_strdup_printf("%.2f", json_member_real(json, "quality", 0));
    g_autofree char *index =
        g_strdup_printf("%" G_GINT64_FORMAT, json_member_int(json, "ledgerIndex", 0));
    const struct {
        const char *title;
        const char *value;
    } fields[] = {
        {"id", json_member_string(json, "id", NULL)},
        {"evidence", json_member_string(json, "evidenceType", NULL)},
        {"integration", integration},
        {"collected", json_member_string(json, "collectedAt", NULL)},
        {"valid until", json_member_string(json, "validUntil", NULL)},
        {"quality", quality},
        {"ledger", index},
        {"sha256", json_member_string(json, "sha256", NULL)},
    };
    output_tone(output, TONE_STRONG, "%s", title);
    print_field(output, "", json_member_string(json, "description", NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        print_field(output, fields[i].title, fields[i].value);
    print_review(output, json);
    print_reads(output, json_member(json, "completeness"));
}

/* Prints the data line by line, each fit for a terminal. */
static void print_lines(const Output *output, const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    output_line(output, "%s", "");
    for (char **line = lines; *line; line++) {
        g_autofree char *safe = output_text(*line);
        output_line(output, "%s", safe);
    }
}

static bool print_data(const Session *session, const Output *output, const Evidence *evidence,
                       int64_t size, GError **error) {
    if (!evidence->document_id)
        return true;
    if (size > SHOWN_MAX) {
        g_autofree char *bytes = output_number(size);
        output_line(output, "\nThe data have %s bytes: assay evidence show %s --json prints them.",
                    bytes, evidence->id);
        return true;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    if (!read_document(session, evidence->document_id, take_for_text, text, error))
        return false;
    g_autoptr(Json) data = json_parse(text->str, text->len, SHOWN_MAX, NULL);
    g_autofree char *pretty = data ? json_print(data, JSON_PRETTY) : NULL;
    print_lines(output, pretty ? pretty : text->str);
    return true;
}

static bool print_text(const Session *session, const Output *output, const Evidence *evidence,
                       const Document *document, const Json *json, GError **error) {
    g_autoptr(Integration) integration = NULL;
    if (!integrations_find(session, evidence->integration_id, &integration, error))
        return false;
    print_facts(output, json, integration->name);
    return print_data(session, output, evidence, document ? document->size : 0, error);
}

/* --- the command ------------------------------------------------------------------------------ */

typedef struct {
    const char *id;
    Evidence *evidence;
    Review *review;     /* NULL: none */
    Document *document; /* NULL: no data */
} GetWork;

static void get_work_clear(GetWork *work) {
    g_clear_pointer(&work->evidence, evidence_free);
    g_clear_pointer(&work->review, review_free);
    g_clear_pointer(&work->document, document_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GetWork, get_work_clear)

static bool get_work(DbUnit *unit, void *data, GError **error) {
    GetWork *work = data;
    get_work_clear(work);
    return evidence_get(unit, work->id, &work->evidence, error) &&
           review_of(unit, work->evidence, &work->review, error) &&
           (!work->evidence->document_id ||
            document_get(unit, work->evidence->document_id, &work->document, error));
}

static bool get(const Session *session, GetWork *work, GError **error) {
    g_autoptr(GError) failure = NULL;
    if (id_is_valid(work->id) && session_run(session, DB_READ, get_work, work, &failure))
        return true;
    if (!failure || error_code_of(failure) == ERROR_NOT_FOUND)
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is no evidence \"%s\"; `assay evidence list` shows the ids", work->id);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool run(CommandCall *call, GError **error) {
    g_auto(GetWork) work = {.id = arguments_word(call->arguments, 0)};
    g_autoptr(Json) json = NULL;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !get(session, &work, error) ||
        !evidence_object(work.evidence, work.review, clock_now_ms(), &json, error) ||
        (work.evidence->document_id && !check_document(session, work.evidence, error)))
        return false;
    return call->output->json
               ? print_json(session, call->output, work.evidence, json, error)
               : print_text(session, call->output, work.evidence, work.document, json, error);
}

const Command evidence_show_command = {
    .name = "evidence show",
    .summary = "one evidence item with its data, as collected",
    .usage = "ID",
    .about = "The data are held against the hash in the ledger before anything is printed.",
    .examples = "assay evidence show 019a9e5c-3f5e-7cc1-b6a5-6d1f0c2a9b11\n"
                "assay evidence show 019a9e5c-3f5e-7cc1-b6a5-6d1f0c2a9b11 --json > evidence.json",
    .least = 1,
    .most = 1,
    .run = run,
};
