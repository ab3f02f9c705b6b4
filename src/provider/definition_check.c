#include "provider/definition_check.h"

#include "base/clock.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static void check_age(const Definition *definition, Diagnostics *diagnostics) {
    int64_t days = (clock_now_ms() - definition->checked_ms) / DAY_MS;
    if (days > DEFINITION_STALE_DAYS)
        diagnostics_warning(diagnostics, 0, 0,
                            "the facts were last checked %" G_GINT64_FORMAT " days ago; hold them "
                            "against the vendor's documentation and set 'checked'",
                            days);
}

/* The host of a default must be declared; token endpoints declare themselves. */
static void check_host(const Definition *definition, const char *what, const char *url,
                       Diagnostics *diagnostics) {
    g_autoptr(GUri) uri = url == NULL ? NULL : g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    const char *host = uri == NULL ? NULL : g_uri_get_host(uri);
    if (host != NULL && !g_strv_contains(definition->hosts, host))
        diagnostics_warning(diagnostics, 0, 0, "the host %s of %s is not declared in 'hosts'", host,
                            what);
}

static void check_hosts(const Definition *definition, Diagnostics *diagnostics) {
    for (size_t i = 0; i < definition->setting_count; i++) {
        const DefinitionInput *input = &definition->settings[i];
        if (input->format == INPUT_FORMAT_URL)
            check_host(definition, input->name, input->fallback, diagnostics);
    }
}

static bool node_reads(const ReadNode *node, const DefinitionCall *call) {
    bool reads = node->call == call;
    for (size_t i = 0; i < node->first_count; i++)
        reads = reads || node->first[i] == call;
    return reads;
}

static bool is_read(const Definition *definition, const DefinitionCall *call) {
    for (size_t t = 0; t < definition->type_count; t++) {
        for (size_t n = 0; n < definition->types[t].node_count; n++) {
            if (node_reads(&definition->types[t].nodes[n], call))
                return true;
        }
    }
    return false;
}

static bool is_used_elsewhere(const Definition *definition, const DefinitionCall *call) {
    for (size_t i = 0; i < definition->setting_count; i++) {
        if (definition->settings[i].discover_call == (int)call->index)
            return true;
    }
    return definition->identity.call == call || definition->identity.organizations_call == call;
}

static void check_calls(const Definition *definition, Diagnostics *diagnostics) {
    for (size_t i = 0; i < definition->call_count; i++) {
        const DefinitionCall *call = &definition->calls[i];
        bool read = is_read(definition, call);
        if (read && call->need_count == 0 && call->service == NULL)
            diagnostics_warning(diagnostics, call->line, 1,
                                "the call '%s' does not say which permissions it needs",
                                call->name);
        if (!read && !is_used_elsewhere(definition, call))
            diagnostics_warning(diagnostics, call->line, 1, "nothing uses the call '%s'",
                                call->name);
    }
}

static void check_controls(const DefinitionCheck *check, DefinitionControlKnown known, void *data,
                           Diagnostics *diagnostics) {
    if (check->control_count == 0)
        diagnostics_warning(diagnostics, check->line, 1, "the check '%s' supports no control",
                            check->name);
    for (size_t c = 0; known != NULL && c < check->control_count; c++) {
        const CheckControls *controls = &check->controls[c];
        for (size_t i = 0; i < controls->count; i++) {
            if (!known(data, controls->framework, controls->controls[i]))
                diagnostics_warning(diagnostics, check->line, 1,
                                    "no framework '%s' with a control '%s' is known",
                                    controls->framework, controls->controls[i]);
        }
    }
}

static void check_types(const Definition *definition, DefinitionControlKnown known, void *data,
                        Diagnostics *diagnostics) {
    for (size_t t = 0; t < definition->type_count; t++) {
        const EvidenceType *type = &definition->types[t];
        if (type->check_count == 0)
            diagnostics_warning(diagnostics, type->line, 1, "the evidence '%s' has no check",
                                type->name);
        for (size_t c = 0; c < type->check_count; c++)
            check_controls(&type->checks[c], known, data, diagnostics);
    }
}

/* The full syntax of every expression; loading looks at names and builtins only. */
static void check_syntax(const Definition *definition, Diagnostics *diagnostics) {
    for (size_t i = 0; i < definition->expr_count; i++) {
        const DefinitionExpr *entry = &definition->exprs[i];
        g_autoptr(GError) error = NULL;
        if (!expr_check(entry->expr, &error))
            diagnostics_error(diagnostics, entry->line, entry->column, "%s", error->message);
    }
}

void definition_check(const Definition *definition, DefinitionControlKnown known, void *data,
                      Diagnostics *diagnostics) {
    check_syntax(definition, diagnostics);
    check_age(definition, diagnostics);
    check_hosts(definition, diagnostics);
    check_calls(definition, diagnostics);
    check_types(definition, known, data, diagnostics);
}
