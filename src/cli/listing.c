#include "cli/listing.h"

#include "base/clock.h"
#include "cli/integrations.h"

#include <string.h>

int64_t listing_limit(const Listing *listing, const Arguments *arguments) {
    return MIN(arguments_count(arguments, "limit", listing->usual), listing->most);
}

/* Takes the integrations; NULL: they could not be read. */
static bool show(const CommandCall *call, const Listing *listing, const Json *page,
                 Json *integrations) {
    if (!integrations)
        return false;
    output_json(call->output, page);
    listing->print(call->output, integrations, page);
    json_free(integrations);
    return true;
}

/* --- here ------------------------------------------------------------------------------------- */

bool listing_integration(const CommandCall *call, const Session *session,
                         Integration **integration_out, GError **error) {
    const char *of = arguments_text(call->arguments, "integration");
    *integration_out = NULL;
    return !of || integrations_find(session, of, integration_out, error);
}

bool listing_show(const CommandCall *call, const Listing *listing, const Session *session,
                  const Json *page, GError **error) {
    return show(call, listing, page, integrations_here(session, error));
}

/* --- on a server ------------------------------------------------------------------------------ */

/* The value of a parameter; NULL: it is left out. Caller frees. */
static char *value_of(const Listing *listing, const Option *option, const Arguments *arguments) {
    if (strcmp(option->name, "limit") == 0)
        return g_strdup_printf("%" G_GINT64_FORMAT, listing_limit(listing, arguments));
    if (option->kind != OPTION_TIME)
        return g_strdup(arguments_text(arguments, option->name));
    int64_t time = arguments_time(arguments, option->name);
    return time > 0 ? clock_format(time) : NULL;
}

static Json *ask(const Listing *listing, const Arguments *arguments, Remote *remote,
                 const char *integration_id, GError **error) {
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) query = g_array_new(TRUE, FALSE, sizeof(RemoteField));
    for (const Option *option = listing->options; option->name; option++) {
        bool integration = strcmp(option->name, "integration") == 0;
        char *value = integration ? g_strdup(integration_id) : value_of(listing, option, arguments);
        RemoteField field = {integration ? "integrationId" : option->name, value};
        g_ptr_array_add(values, value);
        g_array_append_val(query, field);
    }
    return remote_get(remote, listing->path, (const RemoteField *)(void *)query->data, error);
}

bool listing_there(const CommandCall *call, const Listing *listing, Remote *remote,
                   GError **error) {
    const char *of = arguments_text(call->arguments, "integration");
    g_autoptr(Json) integration = of ? remote_integration(remote, of, error) : NULL;
    if (of && !integration)
        return false;
    const char *id = json_member_string(integration, "id", NULL);
    g_autoptr(Json) page = ask(listing, call->arguments, remote, id, error);
    return page && show(call, listing, page, integrations_there(remote, error));
}
