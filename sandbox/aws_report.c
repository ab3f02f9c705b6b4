#include "sandbox/aws_report.h"

#include "base/error.h"

#define BLOCK (48 * 1024)

struct AwsReport {
    const Collection *of;
    char *header;
    Template *first;
    Template *row;
};

/* base64 of a text that comes in pieces. */
typedef struct {
    GString *out;
    gint state;
    gint save;
} Encoder;

static void encode(Encoder *encoder, const GString *text) {
    gsize start = encoder->out->len;
    g_string_set_size(encoder->out, start + (text->len / 3 + 1) * 4 + 4);
    gsize written =
        g_base64_encode_step((const guchar *)text->str, text->len, FALSE, encoder->out->str + start,
                             &encoder->state, &encoder->save);
    g_string_set_size(encoder->out, start + written);
}

static void finish(Encoder *encoder) {
    gsize start = encoder->out->len;
    g_string_set_size(encoder->out, start + 8);
    gsize written =
        g_base64_encode_close(FALSE, encoder->out->str + start, &encoder->state, &encoder->save);
    g_string_set_size(encoder->out, start + written);
}

AwsReport *aws_report_load(const Json *json, const TemplateScope *scope, GError **error) {
    g_autoptr(AwsReport) report = g_new0(AwsReport, 1);
    g_autoptr(GString) header = g_string_new(NULL);
    g_autoptr(GString) row = g_string_new(NULL);
    const char *of = json_member_string(json, "of", "");
    const Json *columns = json_member(json, "columns");
    TemplateScope rows = *scope;
    rows.collection = g_hash_table_lookup(scope->collections, of);
    report->of = rows.collection;
    if (rows.collection == NULL || rows.collection->parent != NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "A report is of \"%s\", which is no collection at the top.", of);
        return NULL;
    }
    for (size_t i = 0; i < json_count(columns); i++) {
        const char *name = json_text(json_item(json_item(columns, i), 0));
        const char *text = json_text(json_item(json_item(columns, i), 1));
        g_string_append_printf(header, "%s%s", i == 0 ? "" : ",", name == NULL ? "" : name);
        g_string_append_printf(row, "%s%s", i == 0 ? "" : ",", text == NULL ? "" : text);
    }
    g_string_append_c(row, '\n');
    g_string_append_c(header, '\n');
    report->header = g_string_free(g_steal_pointer(&header), FALSE);
    report->first = template_compile_text(json_member_string(json, "first", ""), scope, error);
    report->row = report->first == NULL ? NULL : template_compile_text(row->str, &rows, error);
    return report->row == NULL ? NULL : g_steal_pointer(&report);
}

void aws_report_free(AwsReport *report) {
    if (report != NULL) {
        g_free(report->header);
        template_free(report->first);
        template_free(report->row);
        g_free(report);
    }
}

void aws_report_render(const AwsReport *report, Item *item, const Variables *variables,
                       GString *out) {
    g_autoptr(GString) text = g_string_new(report->header);
    Encoder encoder = {.out = out};
    Item row;
    template_render(report->first, item, variables, text);
    g_string_append_c(text, '\n');
    for (uint64_t i = 0; i < report->of->count; i++) {
        item_init(&row, report->of, NULL, i);
        template_render(report->row, &row, variables, text);
        if (text->len >= BLOCK) {
            encode(&encoder, text);
            g_string_truncate(text, 0);
        }
    }
    encode(&encoder, text);
    finish(&encoder);
}
