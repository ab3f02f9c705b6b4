#include "db/postgres_roles.h"
#include <string.h>

#define ROLE_TRIES 5

#define IS_MEMBER(role)                                                                            \
    "pg_has_role(session_user, (select oid from pg_roles where rolname = '" role "'), 'member')"

/* Makes what is missing, if the user may. */
static const char make_roles[] =
    "do $$ declare wanted text; begin"
    " foreach wanted in array array['assay_app', 'assay_scheduler'] loop"
    "  if not exists (select from pg_roles where rolname = wanted) then"
    "   execute format('create role %I nologin', wanted); end if;"
    "  if not pg_has_role(session_user, wanted, 'member') then"
    "   execute format('grant %I to %I', wanted, session_user); end if;"
    " end loop; end $$";

static bool has_roles(Wire *wire) {
    wire_command(wire,
                 "select pg_catalog." IS_MEMBER("assay_app") " and " IS_MEMBER("assay_scheduler"));
    g_autofree char *answer = wire_ask(wire);
    return g_strcmp0(answer, "t") == 0;
}

/* Tried a few times: another database of the same server may be given its roles at this moment. */
bool postgres_roles_prepare(Wire *wire, const char *label, GError **error) {
    for (int i = 0; i < ROLE_TRIES; i++) {
        if (has_roles(wire))
            return true;
        wire_command(wire, make_roles);
        g_autofree char *answer = wire_ask(wire);
        if (!answer && strcmp(wire_failure(wire)->state, "42501") == 0)
            break;
    }
    if (has_roles(wire))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "the user of the database %s may not act as assay_app and assay_scheduler: create "
                "these roles and grant them, as docs/postgresql.md says",
                label);
    return false;
}
