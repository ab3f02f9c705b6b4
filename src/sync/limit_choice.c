#include "sync/limit_choice.h"

#include "net/budget.h"
#include "store/provider_limit.h"

typedef struct {
    const AuditActor *actor;
    const char *provider;
    const char *text; /* NULL: no limit any more */
    BudgetSpec spec;
} ChoiceWork;

static bool note(DbUnit *unit, const ChoiceWork *work, GError **error) {
    g_autoptr(Json) details = json_new_object();
    AuditEntry entry = {.action = AUDIT_SETTINGS_CHANGED,
                        .actor = work->actor,
                        .target_kind = "limit",
                        .target_id = work->provider,
                        .target_name = work->provider,
                        .details = details};
    json_put_string(details, "limit", work->text);
    return audit_add(unit, &entry, error);
}

static bool choice_work(DbUnit *unit, void *data, GError **error) {
    const ChoiceWork *work = data;
    ProviderLimit limit = {.provider = work->provider,
                           .limit_calls = work->spec.limit,
                           .window_ms = work->spec.window_ms};
    bool ok = work->text ? provider_limit_put(unit, &limit, error)
                         : provider_limit_drop(unit, work->provider, error);
    return ok && note(unit, work, error);
}

static bool run(Db *db, ChoiceWork *work, GError **error) {
    DbScope scope = {.organization = AUDIT_INSTALLATION,
                     .actor = work->actor->id ? work->actor->id : work->actor->kind,
                     .role = "operator"};
    return db_run(db, &scope, DB_WRITE, choice_work, work, error);
}

bool limit_choose(Db *db, const AuditActor *actor, const char *provider, const char *rate,
                  char **text_out, GError **error) {
    ChoiceWork work = {.actor = actor, .provider = provider};
    if (!budget_parse_rate(rate, &work.spec, error))
        return false;
    g_autofree char *text = budget_rate_text(work.spec.limit, work.spec.window_ms);
    work.text = text;
    if (!run(db, &work, error))
        return false;
    *text_out = g_steal_pointer(&text);
    return true;
}

bool limit_forget(Db *db, const AuditActor *actor, const char *provider, GError **error) {
    ChoiceWork work = {.actor = actor, .provider = provider};
    return run(db, &work, error);
}
