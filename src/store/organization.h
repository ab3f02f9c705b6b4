/* organization.h - the tenants.
 *
 * Every other row belongs to one organization and can only be reached through a unit with its
 * scope. Making, finding by name and listing organizations is the installation's business: those
 * functions want a unit with the system scope.
 */
#pragma once

#include "store/record.h"

#define ORGANIZATION_NAME_MAX 200

typedef struct {
    const char *id;
    const char *name;        /* unique in the installation */
    const char *wrapped_key; /* data key, wrapped by vault/; opaque here; "" until one was made */
    int64_t created_at;
} Organization;

void organization_free(Organization *organization); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Organization, organization_free)

/* Adds an organization and its rounds (schedule.h; system scope); created_at 0 is the clock's now.
 * ERROR_CONFLICT when the name or id is taken. */
bool organization_insert(DbUnit *unit, const Organization *organization,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The organization of the unit's scope. ERROR_NOT_FOUND. */
bool organization_get(DbUnit *unit, Organization **organization_out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Finds by name or id (system scope); *organization_out is NULL when there is none. */
bool organization_find_by_name(DbUnit *unit, const char *name, Organization **organization_out,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replaces the wrapped data key if it still is old_key (scope: the organization); ERROR_CONFLICT
 * when it is not. */
bool organization_set_key(DbUnit *unit, const char *old_key, const char *new_key,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gives the organization of the unit's scope another name. ERROR_CONFLICT when it is taken. */
bool organization_rename(DbUnit *unit, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Organization* by id, after the given id or from the beginning (system scope). The array frees
 * its rows. */
bool organization_list(DbUnit *unit, const char *after_id, int64_t limit,
                       GPtrArray **organizations_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
