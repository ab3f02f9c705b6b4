/* errand_view.h - an errand as it is shown, whichever process does it.
 *
 * The process's own are read from memory, the others and those of before its start from their rows.
 * One whose process has died is shown as failed.
 */
#pragma once

#include "api/errand.h"

typedef struct {
    char *integration_id; /* NULL: it makes a new one */
    int64_t created_ms;
    bool ended;
    Json *object; /* as errand_json() */
} ErrandView;

void errand_view_free(ErrandView *view); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErrandView, errand_view_free)

/* *view_out is NULL when the organization has none of this id. Waits for the database. */
bool errand_view_read(Errands *errands, const char *organization, const char *id,
                      ErrandView **view_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
