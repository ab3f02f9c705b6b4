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
        output_field(output, "review", state);
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
    output_field(output, "", json_member_string(json, "description", NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        output_field(output, fields[i].title, fields[i].value);
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

static void print_size(const Output *output, const char *id, int64_t size) {
    g_autofree char *bytes = output_number(size);
    output_line(output, "\nThe data have %s bytes: assay evidence show %s --json prints them.",
                bytes, id);
}

static void print_small(const Output *output, const char *text, size_t size) {
    g_autoptr(Json) data = json_parse(text, size, SHOWN_MAX, NULL);
    g_autofree char *pretty = data ? json_print(data, JSON_PRETTY) : NULL;
    print_lines(output, pretty ? pretty : text);
}

static bool print_data(const Session *session, const Output *output, const Evidence *evidence,
                       int64_t size, GError **error) {
    g_autoptr(GString) text = g_string_new(NULL);
    if (!evidence->document_id)
        return true;
    if (size > SHOWN_MAX) {
        print_size(output, evidence->id, size);
        return true;
    }
    if (!read_document(session, evidence->document_id, take_for_text, text, error))
        return false;
    print_small(output, text->str, text->len);
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

/* --- the same of a server --------------------------------------------------------------------- */

/* An item as the server sent it: its object, and the data behind it as they were collected. */
typedef struct {
    char *body;
    size_t size;
    Json *object;     /* without data */
    const char *data; /* in the body; NULL: there are none */
    size_t data_size;
} Sent;

static void sent_clear(Sent *sent) {
    g_free(sent->body);
    json_free(sent->object);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sent, sent_clear)

/* Where the member `data` of the body begins: the last one, of which every byte counts, so that it
 * is not parsed. NULL when there is none. */
static const char *find_member(const char *body, size_t size) {
    static const char name[] = ",\"data\":";
    bool quoted = false;
    unsigned depth = 0;
    for (size_t i = 0; i + sizeof name < size; i++) {
        if (quoted && body[i] == '\\')
            i++;
        else if (body[i] == '"')
            quoted = !quoted;
        else if (!quoted && (body[i] == '{' || body[i] == '['))
            depth++;
        else if (!quoted && (body[i] == '}' || body[i] == ']'))
            depth--;
        else if (!quoted && depth == 1 && memcmp(body + i, name, strlen(name)) == 0)
            return body + i;
    }
    return NULL;
}

static bool find_data(Sent *sent) {
    const char *member = find_member(sent->body, sent->size);
    if (!member || sent->body[sent->size - 1] != '}')
        return false;
    g_autofree char *head = g_strdup_printf("%.*s}", (int)(member - sent->body), sent->body);
    sent->object = json_parse(head, strlen(head), EVIDENCE_RECORD_MAX, NULL);
    const char *data = strchr(member, ':') + 1;
    sent->data_size = sent->size - 1 - (size_t)(data - sent->body);
    bool none = sent->data_size == strlen("null") && memcmp(data, "null", sent->data_size) == 0;
    sent->data = none ? NULL : data;
    return sent->object != NULL;
}

/* The hash is reckoned here: a server cannot say something else than it has logged. */
static bool check_data(const Sent *sent, const char *id, GError **error) {
    uint8_t hash[DIGEST_SIZE];
    if (!sent->data)
        return true;
    digest_sha256(sent->data, sent->data_size, hash);
    g_autofree char *hex = text_hex(hash, sizeof hash);
    if (strcmp(hex, json_member_string(sent->object, "sha256", "")) == 0)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                "the data that the server sent for the evidence %s do not have the hash that was "
                "logged: they were damaged or altered",
                id);
    return false;
}

static bool ask(Remote *remote, const char *id, Sent *sent, GError **error) {
    g_autofree char *path = remote_path("/api/evidence/{id}", id);
    g_autoptr(GError) failure = NULL;
    sent->body = remote_body(remote, path, NULL, &sent->size, &failure);
    if (sent->body && find_data(sent))
        return check_data(sent, id, error);
    if (sent->body)
        g_set_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                    "%s did not answer with an evidence item and its data", remote_address(remote));
    else if (error_code_of(failure) == ERROR_NOT_FOUND)
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is no evidence \"%s\"; `assay evidence list` shows the ids", id);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    const char *id = arguments_word(call->arguments, 0);
    g_auto(Sent) sent = {0};
    if (!ask(remote, id, &sent, error))
        return false;
    if (call->output->json) {
        fwrite(sent.body, 1, sent.size, call->output->result);
        fputc('\n', call->output->result);
        return true;
    }
    const char *integration_id = json_member_string(sent.object, "integrationId", "");
    g_autoptr(Json) integration = remote_integration(remote, integration_id, NULL);
    print_facts(call->output, sent.object, json_member_string(integration, "name", integration_id));
    if (sent.data && sent.data_size > SHOWN_MAX) {
        print_size(call->output, id, (int64_t)sent.data_size);
    } else if (sent.data) {
        g_autofree char *text = g_strndup(sent.data, sent.data_size);
        print_small(call->output, text, sent.data_size);
    }
    return true;
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
    .remote = run_remote,
};
