#include "connect/refusal.h"

#include "net/url.h"

#include <string.h>

char *refusal_needs(const DefinitionCall *call) {
    if (!call || call->need_count == 0)
        return NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < call->need_count; i++) {
        const DefinitionNeed *need = &call->needs[i];
        g_string_append(text, i > 0 ? ", or " : "");
        for (size_t n = 0; n < need->count; n++)
            g_string_append_printf(text, "%s%s", n > 0 ? " and " : "", need->names[n]);
        g_string_append_printf(text, " (%s)", need->vocabulary);
    }
    return g_strdup(text->str);
}

char *refusal_permissions(const Definition *definition, const char *needs) {
    if (!needs)
        return g_strdup_printf("Insufficient permissions for %s. Please check the scopes that its "
                               "setup names.",
                               definition->name);
    return g_strdup_printf("Insufficient permissions for %s. Please check scopes: %s.",
                           definition->name, needs);
}

static char *forbidden(const Refusal *refusal) {
    g_autofree char *needs = refusal_needs(refusal->call);
    return refusal_permissions(refusal->definition, needs);
}

static char *asked(const Refusal *refusal) {
    g_autofree char *plain = url_without_query(refusal->url ? refusal->url : "");
    const char *path = plain ? strstr(plain, "://") : NULL;
    path = path ? strchr(path + 3, '/') : NULL;
    return g_strdup(path ? path : "/");
}

static char *answered(const Refusal *refusal, const char *advice) {
    g_autofree char *path = asked(refusal);
    if (refusal->transport && strcmp(path, "/") == 0) /* which tells nothing */
        return g_strdup_printf("%s: %s. %s", refusal->definition->name, refusal->transport, advice);
    if (refusal->transport)
        return g_strdup_printf("%s: %s (%s). %s", refusal->definition->name, refusal->transport,
                               path, advice);
    return g_strdup_printf("%s answered with status %d to %s. %s", refusal->definition->name,
                           refusal->status, path, advice);
}

char *refusal_sentence(const Refusal *refusal) {
    const char *name = refusal->definition->name;
    switch (refusal->outcome) {
    case OUTCOME_OK:
    case OUTCOME_ABSENT:
    case OUTCOMES:
        return NULL;
    case OUTCOME_FORBIDDEN:
        return forbidden(refusal);
    case OUTCOME_UNLICENSED:
        return answered(refusal, "The plan of this account does not include it.");
    case OUTCOME_AUTH_EXPIRED:
        return g_strdup_printf("Authentication failed for %s. Please re-authorize.", name);
    case OUTCOME_RATE_LIMITED:
        return g_strdup_printf("Rate limit exceeded for %s. Please try again later.", name);
    case OUTCOME_UNAVAILABLE:
        return answered(refusal, "Please try again later.");
    case OUTCOME_TIMEOUT:
        return answered(refusal, "No answer came in time; please try again later.");
    case OUTCOME_BROKEN:
        return answered(refusal, "The answer could not be read.");
    case OUTCOME_ENDLESS:
        return answered(refusal, "The list did not end.");
    case OUTCOME_BAD_REQUEST:
        return answered(refusal, "Check the settings of this connection.");
    }
    return NULL;
}
