#include "provider/identity.h"

#include "base/text.h"

#define MAX_NAME 500

/* Names and numbers, as one line of text; NULL for everything else. */
static char *name_of(Value value) {
    int64_t number;
    if (value_text(value) != NULL && value_length(value) > 0)
        return text_one_line(value_text(value), MAX_NAME);
    if (value_integer(value, &number))
        return g_strdup_printf("%" G_GINT64_FORMAT, number);
    return NULL;
}

static void add_organization(Identity *identity, Value value) {
    char *name = name_of(value);
    if (name == NULL)
        return;
    if (identity->organizations->len < IDENTITY_MAX_ORGANIZATIONS)
        g_ptr_array_add(identity->organizations, name);
    else
        g_free(name);
}

/* Evaluates one member of the reply; an absent one stays NULL. */
static bool read_member(const Expr *expr, Value answer, char **name_out, GError **error) {
    if (expr == NULL)
        return true;
    ExprInput input = {.root = answer};
    g_auto(Value) value = VALUE_NONE;
    if (!expr_eval_once(expr, &input, &value, error))
        return false;
    *name_out = name_of(value);
    return true;
}

static bool read_organizations(const DefinitionIdentity *spec, Value answer, Identity *identity,
                               GError **error) {
    if (spec->organizations == NULL)
        return true;
    identity->organizations = g_ptr_array_new_with_free_func(g_free);
    if (spec->organizations_call != NULL)
        return true;
    ExprInput input = {.root = answer};
    g_auto(Value) list = VALUE_NONE;
    if (!expr_eval_once(spec->organizations, &input, &list, error))
        return false;
    for (size_t i = 0; i < value_count(list); i++) {
        g_auto(Value) item = value_at(list, i);
        add_organization(identity, item);
    }
    return true;
}

bool identity_read(const Definition *definition, Value answer, Identity *identity_out,
                   GError **error) {
    const DefinitionIdentity *spec = &definition->identity;
    Identity identity = {.user = NULL};
    g_autoptr(GError) cause = NULL;
    bool read = read_member(spec->user, answer, &identity.user, &cause) &&
                read_member(spec->account_id, answer, &identity.account_id, &cause) &&
                read_member(spec->arn, answer, &identity.arn, &cause) &&
                read_organizations(spec, answer, &identity, &cause);
    bool named = identity.user != NULL || identity.account_id != NULL || identity.arn != NULL;
    bool asked = spec->user != NULL || spec->account_id != NULL || spec->arn != NULL;
    if (!read || (asked && !named)) {
        identity_clear(&identity);
        g_set_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                    "%s did not say who the credential belongs to", definition->name);
        return false;
    }
    *identity_out = identity;
    return true;
}

void identity_add_organization(Identity *identity, const Definition *definition, Value row) {
    if (definition->identity.organizations == NULL || identity->organizations == NULL)
        return;
    ExprInput input = {.root = row};
    g_auto(Value) value = VALUE_NONE;
    if (expr_eval_once(definition->identity.organizations, &input, &value, NULL))
        add_organization(identity, value);
}

void identity_clear(Identity *identity) {
    g_free(identity->user);
    g_free(identity->account_id);
    g_free(identity->arn);
    if (identity->organizations != NULL)
        g_ptr_array_unref(identity->organizations);
    *identity = (Identity){.user = NULL};
}
