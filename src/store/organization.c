#include "store/organization.h"

#include "base/clock.h"

#include "store/schedule.h"
#include <string.h>

/* The id's column is called organization_id; its parameter is :id. */
static const RecordColumn columns[] = {
    RECORD_COLUMN(Organization, id, RECORD_TEXT, 0),
    RECORD_COLUMN(Organization, name, RECORD_TEXT, 0),
    RECORD_COLUMN(Organization, wrapped_key, RECORD_OPTIONAL, STORE_SENTENCE_MAX),
    RECORD_COLUMN(Organization, created_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Organization, "organization", columns);

void organization_free(Organization *organization) {
    g_free(organization);
}

static bool take_name(DbUnit *unit, const char *name, const char *id, GError **error) {
    DbStatement *take = db_prepare(unit, "organization_name_take");
    db_bind_text(take, "name", name);
    db_bind_text(take, "id", id);
    return record_change(unit, take, ERROR_CONFLICT,
                         "There is an organization of this name; choose another name.", error);
}

bool organization_insert(DbUnit *unit, const Organization *organization, GError **error) {
    Organization row = *organization;
    row.wrapped_key = row.wrapped_key ? row.wrapped_key : "";
    row.created_at = row.created_at ? row.created_at : clock_now_ms();
    if (!record_check(&shape, &row, error)) {
        return false;
    }
    if (!take_name(unit, row.name, row.id, error)) {
        return false;
    }
    DbStatement *insert = db_prepare(unit, "organization_insert");
    record_bind(insert, &shape, &row);
    return record_change(unit, insert, ERROR_CONFLICT,
                         "There is an organization with this id; make a new id.", error) &&
           schedule_begin_organization(unit, row.id, error);
}

bool organization_get(DbUnit *unit, Organization **organization_out, GError **error) {
    return record_must(db_prepare(unit, "organization_get"), &shape, organization_out, error);
}

bool organization_find_by_name(DbUnit *unit, const char *name, Organization **organization_out,
                               GError **error) {
    DbStatement *statement = db_prepare(unit, "organization_find_by_name");
    db_bind_text(statement, "name", name);
    return record_one(statement, &shape, organization_out, error);
}

bool organization_set_key(DbUnit *unit, const char *old_key, const char *new_key, GError **error) {
    DbStatement *statement = db_prepare(unit, "organization_set_key");
    db_bind_text(statement, "old_key", old_key);
    db_bind_text(statement, "new_key", new_key);
    return record_change(unit, statement, ERROR_CONFLICT,
                         "The organization's key was changed by somebody else; read it again.",
                         error);
}

bool organization_rename(DbUnit *unit, const char *name, GError **error) {
    g_autoptr(Organization) row = NULL;
    if (!organization_get(unit, &row, error))
        return false;
    if (strcmp(row->name, name) == 0)
        return true;
    Organization renamed = *row;
    renamed.name = name;
    if (!record_check(&shape, &renamed, error) || !take_name(unit, name, row->id, error))
        return false;
    DbStatement *release = db_prepare(unit, "organization_name_release");
    db_bind_text(release, "name", row->name);
    if (!db_exec(release, error))
        return false;
    DbStatement *rename = db_prepare(unit, "organization_rename");
    db_bind_text(rename, "name", name);
    return db_exec(rename, error);
}

bool organization_list(DbUnit *unit, const char *after_id, int64_t limit,
                       GPtrArray **organizations_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "organization_list");
    record_bind_filter(statement, "after", after_id);
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, organizations_out, error);
}
