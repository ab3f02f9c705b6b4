#include "store/definition_text.h"

#include "base/clock.h"
#include "base/digest.h"

#include <string.h>

static const RecordColumn columns[] = {
    RECORD_COLUMN(DefinitionText, sha256, RECORD_TEXT, 0),
    RECORD_COLUMN(DefinitionText, provider, RECORD_TEXT, 0),
    RECORD_COLUMN(DefinitionText, body, RECORD_TEXT, STORE_JSON_MAX),
    RECORD_COLUMN(DefinitionText, created_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(DefinitionText, "definition", columns);

void definition_text_free(DefinitionText *definition) {
    g_free(definition);
}

bool definition_text_put(DbUnit *unit, const DefinitionText *definition, GError **error) {
    DefinitionText row = *definition;
    row.created_at = clock_now_ms();
    if (!record_check(&shape, &row, error)) {
        return false;
    }
    char sha256[DIGEST_HEX_SIZE];
    digest_sha256_hex(row.body, strlen(row.body), sha256);
    if (strcmp(sha256, row.sha256) != 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL,
                            "A definition was to be stored under a hash that is not its own.");
        return false;
    }
    return record_write(unit, "definition_text_put", &shape, &row, error);
}

bool definition_text_get(DbUnit *unit, const char *sha256, DefinitionText **definition_out,
                         GError **error) {
    DbStatement *statement = db_prepare(unit, "definition_text_get");
    db_bind_text(statement, "sha256", sha256);
    return record_must(statement, &shape, definition_out, error);
}
