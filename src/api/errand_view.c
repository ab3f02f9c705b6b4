#include "api/errand_view.h"

#include "base/error.h"

#include <string.h>

void errand_view_free(ErrandView *view) {
    if (!view)
        return;
    g_free(view->integration_id);
    json_free(view->object);
    g_free(view);
}

static ErrandView *view_of(Errand *errand) {
    ErrandView *view = g_new0(ErrandView, 1);
    view->integration_id = g_strdup(errand_integration(errand));
    view->created_ms = errand_created_ms(errand);
    view->object = errand_json(errand);
    view->ended = strcmp(json_member_string(view->object, "status", ""), ERRAND_RUNNING) != 0;
    return view;
}

static bool parse(const char *text, Json **json_out, GError **error) {
    *json_out = text ? json_parse(text, strlen(text), STORE_JSON_MAX, error) : NULL;
    return !text || *json_out;
}

static Json *lost_problem(void) {
    g_autoptr(GError) error =
        g_error_new_literal(ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE, ERRAND_LOST);
    return errand_problem(error);
}

static bool view_row(const char *organization, const ErrandRow *row, ErrandView **view_out,
                     GError **error) {
    g_autoptr(Json) result = NULL;
    g_autoptr(Json) problem = NULL;
    ErrandRow shown = *row;
    bool lost = errand_row_is_lost(row);
    if (!parse(row->result, &result, error) || !parse(row->problem, &problem, error))
        return false;
    if (lost) {
        problem = lost_problem();
        shown.ended_at = row->lease_until;
    }
    ErrandFacts facts = {.organization = organization,
                         .status = lost ? ERRAND_FAILED : row->status,
                         .result = result,
                         .problem = problem};
    ErrandView *view = g_new0(ErrandView, 1);
    view->integration_id = g_strdup(row->integration_id);
    view->created_ms = row->started_at;
    view->ended = shown.ended_at > 0;
    view->object = errand_object(&shown, &facts);
    *view_out = view;
    return true;
}

bool errand_view_read(Errands *errands, const char *organization, const char *id,
                      ErrandView **view_out, GError **error) {
    g_autoptr(Errand) own = errands_find(errands, organization, id);
    g_autoptr(ErrandRow) row = NULL;
    *view_out = own ? view_of(own) : NULL;
    if (own)
        return true;
    return errand_book_read(errands_book(errands), organization, id, &row, error) &&
           (!row || view_row(organization, row, view_out, error));
}
