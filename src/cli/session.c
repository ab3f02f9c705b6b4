#include "cli/session.h"

#include "base/error.h"
#include "base/id.h"
#include "cli/naming.h"
#include "db/migrate.h"
#include "store/organization.h"

#include <string.h>

struct Session {
    Place place;
    Db *db;
    DbScope scope;
    char *organization_id;
    char *organization;
    char *wrapped_key; /* of the organization, when the session was opened */
    Keyring *keyring;
    Registry *registry;
    Crew *crew;
    AwsAmbient aws;
    Secret *redis_url; /* NULL: not looked for yet, or none */
    Json *limits;      /* provider -> rate, of the settings */
    bool aws_taken;
};

static const DbScope installation = {.actor = "cli", .role = "operator", .system = true};

void session_free(Session *session) {
    if (!session)
        return;
    crew_free(session->crew);
    json_free(session->limits);
    aws_ambient_clear(&session->aws);
    secret_free(session->redis_url);
    registry_free(session->registry);
    db_close(session->db);
    keyring_free(session->keyring);
    place_clear(&session->place);
    g_free(session->organization_id);
    g_free(session->organization);
    g_free(session->wrapped_key);
    g_free(session);
}

/* --- the organization ------------------------------------------------------------------------- */

const AuditActor *session_actor(void) {
    static AuditActor actor = {.kind = AUDIT_CLI};
    actor.name = g_get_user_name();
    return &actor;
}

DbScope session_founding_scope(const char *id) {
    return (DbScope){.organization = id, .actor = "cli", .role = "operator", .system = true};
}

bool session_found(DbUnit *unit, const char *id, const char *name, GError **error) {
    Organization row = {.id = id, .name = name};
    AuditEntry entry = {.action = AUDIT_ORGANIZATION_CREATED,
                        .actor = session_actor(),
                        .target_kind = "organization",
                        .target_id = id,
                        .target_name = name};
    return organization_insert(unit, &row, error) && audit_add(unit, &entry, error);
}

typedef struct {
    const char *name;
    const char *new_id; /* made when there is none of the name; NULL: only look */
    Organization *found;
    bool any; /* whether there was an organization at all */
} FindWork;

static bool find_work(DbUnit *unit, void *data, GError **error) {
    FindWork *work = data;
    g_autoptr(GPtrArray) some = NULL;
    g_clear_pointer(&work->found, organization_free);
    if (!organization_list(unit, NULL, 1, &some, error) ||
        !organization_find_by_name(unit, work->name, &work->found, error))
        return false;
    work->any = some->len > 0;
    if (work->found || !work->new_id)
        return true;
    return session_found(unit, work->new_id, work->name, error) &&
           organization_find_by_name(unit, work->name, &work->found, error);
}

static bool set_missing(const FindWork *work, const Place *place, GError **error) {
    if (work->any)
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is no organization \"%s\"; `assay init --organization NAME` makes one",
                    work->name);
    else
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is nothing in %s yet; run `assay init` or `assay connect` first",
                    place->data_dir);
    return false;
}

/* The key comes before the first organization: a database with organizations has been sealed with
 * some key, and a new one would not open it. */
static bool make_first(Session *session, FindWork *work, GError **error) {
    session->keyring =
        keyring_open(session->place.data_dir, work->any ? KEYRING_REQUIRE : KEYRING_CREATE, error);
    if (!session->keyring)
        return false;
    g_autofree char *id = id_new();
    DbScope scope = session_founding_scope(id);
    work->new_id = id;
    g_autoptr(GError) failure = NULL;
    bool made = db_run(session->db, &scope, DB_WRITE, find_work, work, &failure);
    work->new_id = NULL;
    if (made)
        return true;
    /* Somebody else has made it at the same moment. */
    if (error_code_of(failure) == ERROR_CONFLICT)
        return db_run(session->db, &installation, DB_READ, find_work, work, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool find_organization(Session *session, SessionMode mode, GError **error) {
    FindWork work = {.name = session->organization};
    session->scope = installation;
    if (mode == SESSION_INSTALLATION)
        return true;
    bool ok = db_run(session->db, &installation, DB_READ, find_work, &work, error);
    if (ok && !work.found)
        ok = mode == SESSION_MAKE ? make_first(session, &work, error)
                                  : set_missing(&work, &session->place, error);
    if (ok) {
        session->organization_id = g_strdup(work.found->id);
        session->wrapped_key = g_strdup(work.found->wrapped_key);
        session->scope =
            (DbScope){.organization = session->organization_id, .actor = "cli", .role = "owner"};
    }
    organization_free(work.found);
    return ok;
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool open_database(Session *session, SessionMode mode, GError **error) {
    bool there = mode == SESSION_MAKE ? place_make(&session->place, error)
                                      : place_require(&session->place, error);
    if (!there)
        return false;
    session->db = db_open(session->place.database_url, error);
    return session->db && migrate_apply(session->db, error);
}

Session *session_open(const Arguments *arguments, SessionMode mode, GError **error) {
    g_autoptr(Session) session = g_new0(Session, 1);
    const char *name = arguments_text(arguments, "organization");
    session->organization = g_strdup(name ? name : SESSION_ORGANIZATION);
    /* What is only looked for may have been made before names were held to anything. */
    bool made = mode == SESSION_MAKE || (name && *name == '\0');
    if ((made && !naming_check("--organization", name, ORGANIZATION_NAME_MAX, error)) ||
        !place_init(&session->place, arguments, error) || !open_database(session, mode, error) ||
        !find_organization(session, mode, error))
        return NULL;
    return g_steal_pointer(&session);
}

Config *session_config(Session *session) {
    return session->place.config;
}

const Place *session_place(const Session *session) {
    return &session->place;
}

Db *session_db(const Session *session) {
    return session->db;
}

const DbScope *session_scope(const Session *session) {
    return &session->scope;
}

const char *session_organization(const Session *session) {
    return session->organization;
}

/* Whether the key opens what was sealed here before. */
static bool check_key(const Session *session, const Keyring *keyring, GError **error) {
    g_autoptr(DataKey) key = NULL;
    if (!session->wrapped_key || *session->wrapped_key == '\0')
        return true;
    return keyring_open_data_key(keyring, session->organization_id, session->wrapped_key, &key,
                                 error);
}

const Keyring *session_keyring(Session *session, GError **error) {
    if (session->keyring)
        return session->keyring;
    g_autoptr(Keyring) keyring = keyring_open(session->place.data_dir, KEYRING_REQUIRE, error);
    if (!keyring || !check_key(session, keyring, error))
        return NULL;
    session->keyring = g_steal_pointer(&keyring);
    return session->keyring;
}

Registry *session_registry(Session *session, GError **error) {
    if (!session->registry)
        session->registry = registry_new(session->place.providers_dir, error);
    return session->registry;
}

/* Tests do not wait as long as people do; not in releases. */
static double wait_scale(void) {
#ifdef ASSAY_TEST_HOOKS
    const char *scale = g_getenv("ASSAY_TEST_WAIT_SCALE");
    if (scale)
        return g_ascii_strtod(scale, NULL);
#endif
    return 1.0;
}

/* Its address may hold a password. */
bool session_redis_url(Session *session, const Secret **url_out, GError **error) {
    *url_out = session->redis_url;
    if (session->redis_url)
        return true;
    g_autoptr(GError) failure = NULL;
    const char *set = config_text(session->place.config, "redis_url");
    session->redis_url = secret_from_environment("REDIS_URL", &failure);
    if (session->redis_url && secret_size(session->redis_url) == 0)
        g_clear_pointer(&session->redis_url, secret_free);
    if (!session->redis_url && !failure && set)
        session->redis_url = secret_new(set, strlen(set), &failure);
    *url_out = session->redis_url;
    if (!failure)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static void add_limit(const char *provider, const char *limit, void *data) {
    json_put_string(data, provider, limit);
}

const Json *session_limits(Session *session) {
    if (!session->limits) {
        session->limits = json_new_object();
        config_each_limit(session->place.config, add_limit, session->limits);
    }
    return session->limits;
}

bool session_station(Session *session, StationConfig *config_out, GError **error) {
    const Keyring *keyring = session_keyring(session, error);
    if (!keyring || (!session->aws_taken && !aws_ambient_take(&session->aws, error)))
        return false;
    session->aws_taken = true;
    const Secret *redis_url = NULL;
    if (!session_redis_url(session, &redis_url, error))
        return false;
    *config_out = (StationConfig){.data_dir = session->place.data_dir,
                                  .database_url = session->place.database_url,
                                  .keyring = keyring,
                                  .aws = &session->aws,
                                  .redis_url = redis_url,
                                  .limits = session_limits(session),
                                  .wait_scale = wait_scale()};
    return true;
}

Crew *session_crew(Session *session, GError **error) {
    if (session->crew)
        return session->crew;
    CrewConfig config;
    return session_station(session, &config, error) && crew_start(&config, &session->crew, error)
               ? session->crew
               : NULL;
}

bool session_run(const Session *session, DbMode mode, DbWork work, void *data, GError **error) {
    return db_run(session->db, &session->scope, mode, work, data, error);
}
