#include "api/control_ref.h"

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
