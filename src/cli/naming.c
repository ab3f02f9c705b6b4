#include "cli/naming.h"

#include "base/error.h"
#include "base/text.h"

bool naming_check(const char *argument, const char *text, size_t most, GError **error) {
    if (!text)
        return true;
    g_autofree char *fault = text_fault(text, TEXT_LINE, most);
    if (*text == '\0')
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s wants a name", argument);
    else if (fault)
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s %s", argument, fault);
    return *text != '\0' && !fault;
}
