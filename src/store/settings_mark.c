#include "store/settings_mark.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(SettingsMark, role, RECORD_TEXT, 0),
    RECORD_COLUMN(SettingsMark, salt, RECORD_TEXT, 0),
    RECORD_COLUMN(SettingsMark, hashes, RECORD_TEXT, SETTINGS_MARK_MAX),
};
static const RecordShape shape = RECORD_SHAPE(SettingsMark, "mark of settings", columns);

void settings_mark_free(SettingsMark *mark) {
    g_free(mark);
}

bool settings_mark_find(DbUnit *unit, const char *role, SettingsMark **mark_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "settings_mark_find");
    db_bind_text(statement, "role", role);
    return record_one(statement, &shape, mark_out, error);
}

bool settings_mark_put(DbUnit *unit, const SettingsMark *mark, GError **error) {
    return record_write(unit, "settings_mark_put", &shape, mark, error);
}
