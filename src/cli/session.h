/* session.h - what a command works with: database, organization, key, definitions, worker.
 *
 * A Session opens what it is asked for and no more. session_open() finds data directory, database
 * and organization; the key, the definitions and the worker process are opened when they are first
 * asked for, so that a command that only reads needs no key. Everything that is handed out is
 * borrowed from the session.
 */
#pragma once

#include "cli/arguments.h"
#include "cli/place.h"
#include "db/db.h"
#include "provider/registry.h"
#include "store/audit.h"
#include "sync/crew.h"
#include "vault/keyring.h"

typedef struct Session Session;

typedef enum {
    SESSION_READ,        /* ERROR_NOT_FOUND when nothing was set up */
    SESSION_MAKE,        /* makes directory, database and organization when they are missing */
    SESSION_INSTALLATION /* as SESSION_READ, and of no organization: the scope is the system's */
} SessionMode;

#define SESSION_ORGANIZATION "default"

/* Of the global options data, config and organization. NULL with the error set. */
Session *session_open(const Arguments *arguments, SessionMode mode,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
void session_free(Session *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)

const Place *session_place(const Session *session);
Config *session_config(Session *session);
Db *session_db(const Session *session);
const DbScope *session_scope(const Session *session);
const char *session_organization(const Session *session); /* its name */

/* The key-encryption key; checked against the organization's data key, so that a wrong key is told
 * before anything else is done. It is made on first use in a database without organizations
 * only. */
const Keyring *session_keyring(Session *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All provider definitions. */
Registry *session_registry(Session *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What worker processes of this installation are given; opens the key as well. The texts and keys
 * are the session's. */
bool session_station(Session *session, StationConfig *config_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where Redis is; *url_out is NULL when there is none. Needs no key. */
bool session_redis_url(Session *session, const Secret **url_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The settings limits.PROVIDER: provider -> "30/1m". */
const Json *session_limits(Session *session);

/* A worker process. */
Crew *session_crew(Session *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs one unit of work as this organization and waits for it. */
bool session_run(const Session *session, DbMode mode, DbWork work, void *data,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Who works on the data directory, for the audit log. Static. */
const AuditActor *session_actor(void);

/* Makes an organization, and says so in its audit log: in one unit, whose scope is that of
 * session_founding_scope(). ERROR_CONFLICT when the name is taken. */
bool session_found(DbUnit *unit, const char *id, const char *name,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
DbScope session_founding_scope(const char *id);
