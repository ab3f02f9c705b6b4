#include "cli/settings_change.h"

#include "base/log.h"
#include "base/secmem.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/settings_mark.h"

#include <string.h>

#define SALT_SIZE 16
#define NAMED_MAX 100 /* an entry of the log has its limit, limits.PROVIDER has none */

typedef struct {
    const Config *config;
    const char *role;
    const char *new_salt; /* for a first mark */
} MarkWork;

/* --- what is another -------------------------------------------------------------------------- */

static bool is_same(const Json *one, const Json *other, const char *name) {
    return g_strcmp0(json_member_string(one, name, NULL), json_member_string(other, name, NULL)) ==
           0;
}

/* Adds those of `all` that are another in `other` or, when asked for, only those that it lacks. */
static void add_changed(Json *names, const Json *all, const Json *other, bool lacking) {
    void *iterator = NULL;
    const char *name;
    Json *value;
    while (json_next(all, &iterator, &name, &value)) {
        bool counts = lacking ? !json_member(other, name) : !is_same(all, other, name);
        if (counts && json_count(names) < NAMED_MAX)
            json_add_string(names, name);
    }
}

static Json *changed_names(const Json *before, const Json *now) {
    Json *names = json_new_array();
    add_changed(names, now, before, false);
    add_changed(names, before, now, true);
    return names;
}

static bool note(DbUnit *unit, const char *role, const Json *names, GError **error) {
    const AuditActor service = {.kind = AUDIT_SYSTEM, .name = "assay serve"};
    g_autoptr(Json) details = json_new_object();
    AuditEntry entry = {.action = AUDIT_SETTINGS_CHANGED,
                        .actor = &service,
                        .target_kind = "settings",
                        .details = details};
    json_put_string(details, "role", role);
    json_put(details, "settings", json_copy_deep(names));
    return audit_add(unit, &entry, error);
}

/* --- the mark --------------------------------------------------------------------------------- */

static Json *hashes_of(const MarkWork *work, const char *salt) {
    return config_hashes(work->config, salt, strlen(salt));
}

static bool keep(DbUnit *unit, const MarkWork *work, const char *salt, const Json *hashes,
                 GError **error) {
    g_autofree char *text = json_print(hashes, JSON_SORTED);
    SettingsMark mark = {.role = work->role, .salt = salt, .hashes = text};
    return settings_mark_put(unit, &mark, error);
}

static bool compare(DbUnit *unit, const MarkWork *work, const SettingsMark *mark, GError **error) {
    g_autoptr(Json) before =
        json_parse(mark->hashes, strlen(mark->hashes), SETTINGS_MARK_MAX, error);
    g_autoptr(Json) now = before ? hashes_of(work, mark->salt) : NULL;
    g_autoptr(Json) names = now ? changed_names(before, now) : NULL;
    if (!names)
        return false;
    return json_count(names) == 0 ||
           (keep(unit, work, mark->salt, now, error) && note(unit, work->role, names, error));
}

static bool mark_work(DbUnit *unit, void *data, GError **error) {
    const MarkWork *work = data;
    g_autoptr(SettingsMark) mark = NULL;
    if (!settings_mark_find(unit, work->role, &mark, error))
        return false;
    if (mark)
        return compare(unit, work, mark, error);
    g_autoptr(Json) now = hashes_of(work, work->new_salt);
    return keep(unit, work, work->new_salt, now, error);
}

static const DbScope installation = {
    .organization = AUDIT_INSTALLATION, .actor = "serve", .role = "none", .system = true};

static char *make_salt(void) {
    uint8_t salt[SALT_SIZE];
    secmem_random(salt, sizeof salt);
    return text_hex(salt, sizeof salt);
}

bool settings_change_note(Db *db, const Config *config, const char *role, GError **error) {
    g_autofree char *new_salt = make_salt();
    MarkWork work = {.config = config, .role = role, .new_salt = new_salt};
    return db_run(db, &installation, DB_WRITE, mark_work, &work, error);
}

/* --- beside the service ----------------------------------------------------------------------- */

typedef struct {
    MarkWork mark;
    char *salt;
} Telling;

static bool telling_work(DbUnit *unit, void *data, GError **error) {
    return mark_work(unit, &((Telling *)data)->mark, error);
}

static void told(void *data, const GError *error) {
    Telling *telling = data;
    if (error)
        log_line(LOG_WARN, "settings_not_noted", LOG_TEXT("message", error->message));
    g_free(telling->salt);
    g_free(telling);
}

void settings_change_tell(Db *db, const Config *config, const char *role) {
    Telling *telling = g_new0(Telling, 1);
    g_autoptr(GError) refused = NULL;
    telling->salt = make_salt();
    telling->mark = (MarkWork){.config = config, .role = role, .new_salt = telling->salt};
    DbJob job = {.scope = installation,
                 .mode = DB_WRITE,
                 .work = telling_work,
                 .done = told,
                 .data = telling};
    if (!db_submit(db, &job, &refused))
        told(telling, refused);
}
