#include "store/activity.h"

#include <string.h>

void activity_free(Activity *activity) {
    if (!activity)
        return;
    g_free(activity->id);
    g_free(activity->action);
    g_free(activity->actor);
    g_free(activity->result);
    g_free(activity->target_kind);
    g_free(activity->target_id);
    g_free(activity->sentence);
    g_free(activity);
}

/* --- sentences -------------------------------------------------------------------------------- */

/* Who, by kind; the name stands where %s is. */
static const struct {
    const char *kind;
    const char *named;
    const char *nameless;
} actors[] = {
    {AUDIT_USER, "%s", "Somebody"},
    {AUDIT_TOKEN, "The token %s", "A token"},
    {AUDIT_CLI, "%s (on the command line)", "Somebody on the command line"},
    {AUDIT_SYSTEM, "Assay", "Assay"},
};

static char *actor_text(const Json *actor) {
    const char *kind = json_member_string(actor, "kind", "");
    const char *name = json_member_string(actor, "name", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(actors); i++) {
        if (strcmp(actors[i].kind, kind) != 0)
            continue;
        const char *form = name ? actors[i].named : actors[i].nameless;
        const char *at = strstr(form, "%s");
        return at ? g_strdup_printf("%.*s%s%s", (int)(at - form), form, name, at + 2)
                  : g_strdup(form);
    }
    return g_strdup(name ? name : "Somebody");
}

static const char *target_text(const Json *target) {
    const char *id = json_member_string(target, "id", NULL);
    const char *kind = json_member_string(target, "kind", "it");
    return json_member_string(target, "name", id ? id : kind);
}

char *activity_sentence(const Json *record) {
    AuditAction action;
    if (!audit_action_from_name(json_member_string(record, "action", ""), &action) ||
        !audit_action_done(action))
        return NULL;
    bool ok = strcmp(json_member_string(record, "result", AUDIT_OK), AUDIT_OK) == 0;
    const char *words = ok ? audit_action_done(action) : audit_action_undone(action);
    const char *hole = strstr(words, "{target}");
    g_autofree char *actor = actor_text(json_member(record, "actor"));
    g_autoptr(GString) sentence = g_string_new(actor);
    g_string_append(sentence, ok ? " " : " could not ");
    g_string_append_len(sentence, words, hole ? hole - words : (gssize)strlen(words));
    if (hole) {
        g_string_append(sentence, target_text(json_member(record, "target")));
        g_string_append(sentence, hole + strlen("{target}"));
    }
    return g_strdup(sentence->str);
}

/* --- rows ------------------------------------------------------------------------------------- */

static Activity *activity_of(const AuditRow *row) {
    g_autoptr(Json) record = json_parse(row->record, strlen(row->record), AUDIT_RECORD_MAX, NULL);
    const Json *target = json_member(record, "target");
    Activity *activity = g_new0(Activity, 1);
    activity->id = g_strdup(row->id);
    activity->at = row->at;
    activity->action = g_strdup(row->action);
    activity->actor = actor_text(json_member(record, "actor"));
    activity->result = g_strdup(json_member_string(record, "result", AUDIT_OK));
    activity->target_kind = g_strdup(json_member_string(target, "kind", NULL));
    activity->target_id = g_strdup(json_member_string(target, "id", NULL));
    activity->sentence = activity_sentence(record);
    if (!activity->sentence)
        activity->sentence = g_strdup(row->action);
    return activity;
}

bool activity_list(DbUnit *unit, const char *before_id, int64_t limit, GPtrArray **activities_out,
                   GError **error) {
    g_autoptr(GPtrArray) rows = NULL;
    if (!audit_list_for_people(unit, before_id, limit, &rows, error))
        return false;
    g_autoptr(GPtrArray) activities = g_ptr_array_new_with_free_func((GDestroyNotify)activity_free);
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(activities, activity_of(g_ptr_array_index(rows, i)));
    *activities_out = g_steal_pointer(&activities);
    return true;
}
