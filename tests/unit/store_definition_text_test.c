#include "unit/store_support.h"

#include "base/digest.h"
#include "store/definition_text.h"

#include <string.h>

static const char *const body = "assay: 1\nid: github\n";

static void puts_twice(DbUnit *unit) {
    char sha256[DIGEST_HEX_SIZE];
    digest_sha256_hex(body, strlen(body), sha256);
    DefinitionText row = {.sha256 = sha256, .provider = "github", .body = body};
    store_ok(definition_text_put(unit, &row, &error));
    row.provider = "other";
    store_ok(definition_text_put(unit, &row, &error));
}

static void finds(DbUnit *unit) {
    char sha256[DIGEST_HEX_SIZE];
    digest_sha256_hex(body, strlen(body), sha256);
    g_autoptr(DefinitionText) row = NULL;
    store_ok(definition_text_get(unit, sha256, &row, &error));
    g_assert_cmpstr(row->sha256, ==, sha256);
    g_assert_cmpstr(row->provider, ==, "github");
    g_assert_cmpstr(row->body, ==, body);
    g_assert_cmpint(row->created_at, ==, START_MS);
}

static void a_definition_is_stored_once_for_the_installation(void) {
    store_in(ORG_A, puts_twice);
    store_in(ORG_A, finds);
    store_in(ORG_B, finds);
    store_system(finds);
}

static void puts_under_a_wrong_hash(DbUnit *unit) {
    DefinitionText row = {.sha256 = "00", .provider = "github", .body = body};
    store_fails(ERROR_INTERNAL, definition_text_put(unit, &row, &error));
    DefinitionText *found = NULL;
    store_fails(ERROR_NOT_FOUND, definition_text_get(unit, "00", &found, &error));
    g_assert_null(found);
}

static void a_hash_that_is_not_its_own_is_refused(void) {
    store_in(ORG_A, puts_under_a_wrong_hash);
}

static const StoreTest tests[] = {
    {"a_definition_is_stored_once_for_the_installation",
     a_definition_is_stored_once_for_the_installation},
    {"a_hash_that_is_not_its_own_is_refused", a_hash_that_is_not_its_own_is_refused},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "definition_text", tests, G_N_ELEMENTS(tests));
}
