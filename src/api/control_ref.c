#include "api/control_ref.h"

#include "base/clock.h"
#include "comply/overview.h"

#include <string.h>

bool control_ref_find(Call *call, const char *framework, const char *id, ControlRef *ref_out,
                      GError **error) {
    g_autofree char *text = framework ? g_strdup_printf("%s:%s", framework, id) : g_strdup(id);
    g_autoptr(GArray) found = framework_control_find(text, error);
    if (!found)
        return false;
    *ref_out = g_array_index(found, ControlRef, 0);
    for (guint i = 1; i < found->len; i++)
        if (g_array_index(found, ControlRef, i).framework != ref_out->framework)
            return call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                               "Several frameworks have this control; name one with ?framework=.");
    return true;
}

Json *control_ref_object(Call *call, const ControlRef *ref, GError **error) {
    OverviewControls wish = {.framework = ref->framework, .now_ms = clock_now_ms()};
    Registry *registry = call_registry(call, error);
    g_autoptr(Json) all =
        registry ? overview_controls(call_db(call), &call->scope, registry, &wish, error) : NULL;
    if (!all)
        return NULL;
    const Json *controls = json_member(all, "controls");
    for (size_t i = 0; i < json_count(controls); i++) {
        Json *control = json_item(controls, i);
        if (strcmp(json_member_string(control, "id", ""), ref->control->id) != 0)
            continue;
        Json *mapping = overview_mapping(call_db(call), &call->scope, registry, ref, error);
        if (!mapping)
            return NULL;
        json_put_string(control, "framework", ref->framework->id);
        json_put(control, "mapping", mapping);
        return json_ref(control);
    }
    g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL, "a control of a framework is missing");
    return NULL;
}
