/* Seals of the audit log: what a unit sealed is found again, by row and by leaf. */
#include "unit/store_support.h"

#include "base/id.h"
#include "store/audit_seal.h"

#include <string.h>

#define SEALS 4
#define LEAVES 5 /* of each seal */

/* Ids in their order: the seal, then its leaf. */
static const char *id_of(int seal, int leaf) {
    static char id[ID_SIZE];
    g_snprintf(id, sizeof id, "00000000-0000-7000-8000-%06d%06d", seal, leaf);
    return id;
}

static const uint8_t *hash_of(int seal, int leaf) {
    static uint8_t hash[DIGEST_SIZE];
    memset(hash, seal * LEAVES + leaf, sizeof hash);
    return hash;
}

static void add_leaf(AuditSeal *seal, const char *id, const uint8_t *hash) {
    store_ok(audit_seal_append(seal, id, hash, &error));
}

static void stores_seals(DbUnit *unit) {
    for (int i = 0; i < SEALS; i++) {
        g_auto(AuditSeal) seal = {0};
        audit_seal_begin(&seal, i * LEAVES);
        for (int j = 0; j < LEAVES; j++)
            add_leaf(&seal, id_of(i, j), hash_of(i, j));
        store_ok(audit_seal_insert(unit, &seal, &error));
    }
}

static void expect_index(DbUnit *unit, AuditSeal *seal, const char *id, int64_t expected) {
    int64_t index = -2;
    store_ok(audit_seal_find(unit, seal, id, &index, &error));
    g_assert_cmpint(index, ==, expected);
}

static void expect_hash(DbUnit *unit, AuditSeal *seal, int64_t index, const uint8_t *expected) {
    uint8_t hash[DIGEST_SIZE];
    bool found = !expected;
    store_ok(audit_seal_hash(unit, seal, index, &found, hash, &error));
    g_assert_true(found == (expected != NULL));
    if (expected)
        g_assert_cmpint(memcmp(hash, expected, DIGEST_SIZE), ==, 0);
}

static void finds_all(DbUnit *unit) {
    g_auto(AuditSeal) kept = {0};
    for (int i = SEALS - 1; i >= 0; i--) {
        for (int j = LEAVES - 1; j >= 0; j--) {
            g_auto(AuditSeal) fresh = {0};
            expect_index(unit, &kept, id_of(i, j), i * LEAVES + j);
            expect_index(unit, &fresh, id_of(i, j), i * LEAVES + j);
            expect_hash(unit, &kept, i * LEAVES + j, hash_of(i, j));
        }
    }
}

static void every_row_and_leaf_is_found(void) {
    store_in(ORG_A, stores_seals);
    store_in(ORG_A, finds_all);
}

static void finds_no_other(DbUnit *unit) {
    g_auto(AuditSeal) seal = {0};
    expect_index(unit, &seal, id_of(0, LEAVES), -1);
    expect_index(unit, &seal, id_of(SEALS, 0), -1);
    expect_index(unit, &seal, "nothing", -1);
    expect_hash(unit, &seal, SEALS * LEAVES, NULL);
    expect_hash(unit, &seal, -1, NULL);
}

static void what_is_not_sealed_is_not_found(void) {
    store_in(ORG_A, finds_no_other);
    store_in(ORG_A, stores_seals);
    store_in(ORG_A, finds_no_other);
}

static void finds_nothing(DbUnit *unit) {
    g_auto(AuditSeal) seal = {0};
    expect_index(unit, &seal, id_of(0, 0), -1);
    expect_hash(unit, &seal, 0, NULL);
}

static void another_organization_has_seals_of_its_own(void) {
    store_in(ORG_A, stores_seals);
    store_in(ORG_B, finds_nothing);
    store_in(ORG_B, stores_seals);
    store_in(ORG_B, finds_all);
}

/* Rows that came late, of before and between what was sealed already. */
static void stores_late_seal(DbUnit *unit) {
    g_auto(AuditSeal) late = {0};
    audit_seal_begin(&late, SEALS * LEAVES);
    add_leaf(&late, id_of(0, 900), hash_of(SEALS, 0));
    add_leaf(&late, id_of(2, 900), hash_of(SEALS, 1));
    store_ok(audit_seal_insert(unit, &late, &error));
}

static void finds_across_late_seal(DbUnit *unit) {
    g_auto(AuditSeal) seal = {0};
    finds_all(unit);
    expect_index(unit, &seal, id_of(0, 900), SEALS * LEAVES);
    expect_index(unit, &seal, id_of(1, 2), LEAVES + 2);
    expect_index(unit, &seal, id_of(2, 900), SEALS * LEAVES + 1);
    expect_index(unit, &seal, id_of(1, 900), -1);
}

static void a_late_seal_lies_across_the_others(void) {
    store_in(ORG_A, stores_seals);
    store_in(ORG_A, stores_late_seal);
    store_in(ORG_A, finds_across_late_seal);
}

static void an_empty_seal_is_not_stored(DbUnit *unit) {
    g_auto(AuditSeal) seal = {0};
    audit_seal_begin(&seal, 0);
    store_ok(audit_seal_insert(unit, &seal, &error));
    audit_seal_begin(&seal, 0); /* the place is free */
    add_leaf(&seal, id_of(0, 0), hash_of(0, 0));
    store_ok(audit_seal_insert(unit, &seal, &error));
}

static void nothing_sealed_is_nothing_stored(void) {
    store_in(ORG_A, an_empty_seal_is_not_stored);
}

static void rows_stand_in_their_order(void) {
    g_auto(AuditSeal) seal = {0};
    audit_seal_begin(&seal, 0);
    store_fails(ERROR_DATABASE, audit_seal_append(&seal, "short", hash_of(0, 0), &error));
    add_leaf(&seal, id_of(0, 1), hash_of(0, 0));
    store_fails(ERROR_DATABASE, audit_seal_append(&seal, id_of(0, 1), hash_of(0, 1), &error));
    store_fails(ERROR_DATABASE, audit_seal_append(&seal, id_of(0, 0), hash_of(0, 1), &error));
    add_leaf(&seal, id_of(0, 2), hash_of(0, 1));
}

static bool insert_again(DbUnit *unit, void *data, GError **error) {
    return audit_seal_insert(unit, data, error);
}

static void a_leaf_is_sealed_once(void) {
    const DbScope scope = {.organization = ORG_A, .actor = "test", .role = "owner"};
    Db *db = store_database();
    g_auto(AuditSeal) first = {0};
    g_auto(AuditSeal) row = {0};
    store_in(ORG_A, stores_seals);
    audit_seal_begin(&first, LEAVES);
    add_leaf(&first, id_of(9, 9), hash_of(1, 1));
    store_fails(ERROR_CONFLICT, db_run(db, &scope, DB_WRITE, insert_again, &first, &error));
    audit_seal_begin(&row, SEALS * LEAVES);
    add_leaf(&row, id_of(0, LEAVES - 1), hash_of(1, 1));
    store_fails(ERROR_CONFLICT, db_run(db, &scope, DB_WRITE, insert_again, &row, &error));
}

/* Sizes that do not belong together: somebody has changed the row behind the program's back. */
static void stores_damage(DbUnit *unit) {
    static const uint8_t hashes[DIGEST_SIZE + 1];
    const size_t sizes[] = {0, DIGEST_SIZE - 1, DIGEST_SIZE + 1, DIGEST_SIZE};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        DbStatement *statement = db_prepare(unit, "audit_seal_insert");
        db_bind_int(statement, "first_index", (int64_t)i);
        db_bind_text(statement, "first_id", id_of((int)i, 0));
        db_bind_text(statement, "last_id", id_of((int)i, 1));
        db_bind_text(statement, "audit_ids", "half-an-id");
        db_bind_blob(statement, "leaf_hashes", hashes, sizes[i]);
        store_ok(db_exec(statement, &error));
    }
}

static void refuses_damage(DbUnit *unit) {
    uint8_t hash[DIGEST_SIZE];
    for (int i = 0; i < 4; i++) {
        g_auto(AuditSeal) seal = {0};
        int64_t index;
        bool found;
        store_fails(ERROR_DATABASE, audit_seal_find(unit, &seal, id_of(i, 0), &index, &error));
        store_fails(ERROR_DATABASE, audit_seal_hash(unit, &seal, i, &found, hash, &error));
    }
}

static void a_damaged_seal_is_told(void) {
    store_in(ORG_A, stores_damage);
    store_in(ORG_A, refuses_damage);
}

static const StoreTest tests[] = {
    {"every_row_and_leaf_is_found", every_row_and_leaf_is_found},
    {"what_is_not_sealed_is_not_found", what_is_not_sealed_is_not_found},
    {"another_organization_has_seals_of_its_own", another_organization_has_seals_of_its_own},
    {"a_late_seal_lies_across_the_others", a_late_seal_lies_across_the_others},
    {"nothing_sealed_is_nothing_stored", nothing_sealed_is_nothing_stored},
    {"rows_stand_in_their_order", rows_stand_in_their_order},
    {"a_leaf_is_sealed_once", a_leaf_is_sealed_once},
    {"a_damaged_seal_is_told", a_damaged_seal_is_told},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "audit_seal", tests, G_N_ELEMENTS(tests));
}
