/* The audit log sealed: exactly once, whatever happens in between, whoever does it. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "base/secmem.h"
#include "base/text.h"
#include "db/migrate.h"
#include "store/audit.h"
#include "store/audit_tree.h"
#include "store/ledger.h"

#include "unit/database_stage.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>

static const AuditActor actor = {.kind = AUDIT_SYSTEM};

static bool add_rows(DbUnit *unit, int count, GError **error) {
    AuditEntry entry = {.action = AUDIT_SYNC_COMPLETED, .actor = &actor};
    for (int i = 0; i < count; i++)
        if (!audit_add(unit, &entry, error))
            return false;
    return true;
}

static void adds_seven(DbUnit *unit) {
    store_ok(add_rows(unit, 7, &error));
}

static void adds_six(DbUnit *unit) {
    store_ok(add_rows(unit, 6, &error));
}

static GPtrArray *all_rows(DbUnit *unit) {
    GPtrArray *rows = NULL;
    AuditFilter filter = {.oldest_first = true, .limit = STORE_LIST_MAX};
    store_ok(audit_list(unit, &filter, &rows, &error));
    return rows;
}

static void seal(DbUnit *unit, int64_t limit, int64_t expected) {
    int64_t sealed = -1;
    store_ok(audit_tree_seal(unit, limit, &sealed, &error));
    g_assert_cmpint(sealed, ==, expected);
}

/* The leaf of a row made of record and salt, as anybody outside would, whose proof must hold. */
static void verify_row(DbUnit *unit, const AuditRow *row, const AuditTreeHead *head,
                       uint8_t hash_out[DIGEST_SIZE]) {
    g_auto(AuditProof) proof = {0};
    uint8_t salt[AUDIT_SALT_SIZE];
    uint8_t input[LEDGER_LEAF_INPUT_SIZE];
    store_ok(audit_tree_prove(unit, row->id, &proof, &error));
    g_assert_cmpint(proof.leaf_index, ==, row->leaf_index);
    g_assert_true(text_unhex(proof.salt, salt, sizeof salt));
    ledger_leaf_input((RecordBytes){salt, sizeof salt},
                      (RecordBytes){row->record, strlen(row->record)}, input);
    merkle_leaf_hash(input, sizeof input, hash_out);
    g_assert_cmpint(memcmp(hash_out, proof.leaf_hash, DIGEST_SIZE), ==, 0);
    g_assert_true(merkle_verify(&proof.path, hash_out, (uint64_t)row->leaf_index,
                                (uint64_t)head->size, head->root));
}

/* The tree has this many leaves, each of one row, and their root. What is sealed at once is in the
 * order of the ids; a row that was committed late comes later. */
static void verify_all(DbUnit *unit, int64_t size) {
    g_autoptr(GPtrArray) rows = all_rows(unit);
    g_autofree uint8_t *hashes = g_malloc0((size_t)(size + 1) * DIGEST_SIZE);
    g_autofree bool *seen = g_new0(bool, (size_t)size + 1);
    AuditTreeHead head;
    MerkleTree tree;
    uint8_t root[DIGEST_SIZE];
    int64_t sealed = 0;
    store_ok(audit_tree_head(unit, &head, &error));
    g_assert_cmpint(head.size, ==, size);
    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        if (row->leaf_index < 0)
            continue;
        g_assert_true(row->leaf_index < size && !seen[row->leaf_index]);
        seen[row->leaf_index] = true;
        verify_row(unit, row, &head, hashes + row->leaf_index * DIGEST_SIZE);
        sealed++;
    }
    g_assert_cmpint(sealed, ==, size);
    merkle_init(&tree);
    for (int64_t i = 0; i < size; i++)
        merkle_append(&tree, hashes + i * DIGEST_SIZE);
    merkle_root(&tree, root);
    g_assert_cmpint(memcmp(root, head.root, sizeof root), ==, 0);
}

/* --- sealing ---------------------------------------------------------------------------------- */

static void seals_in_batches(DbUnit *unit) {
    verify_all(unit, 0);
    seal(unit, 3, 3);
    verify_all(unit, 3);
    seal(unit, 3, 3);
    verify_all(unit, 6);
    seal(unit, 0, 1);
    verify_all(unit, 7);
    seal(unit, 0, 0);
    verify_all(unit, 7);
}

static void seals_rest(DbUnit *unit) {
    seal(unit, 0, 6);
    verify_all(unit, 13);
}

static void rows_are_sealed_once_and_every_proof_holds(void) {
    store_in(ORG_A, adds_seven);
    store_in(ORG_A, seals_in_batches);
    store_in(ORG_A, adds_six);
    store_in(ORG_A, seals_rest);
}

static void tree_is_empty(DbUnit *unit) {
    verify_all(unit, 0);
    seal(unit, 0, 0);
}

static void each_organization_has_a_tree_of_its_own(void) {
    store_in(ORG_A, adds_seven);
    store_in(ORG_A, seals_in_batches);
    store_in(ORG_B, tree_is_empty);
    store_in(AUDIT_INSTALLATION, tree_is_empty);
}

static void proves_too_early(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = all_rows(unit);
    const AuditRow *row = g_ptr_array_index(rows, 0);
    g_auto(AuditProof) proof = {0};
    store_fails(ERROR_CONFLICT, audit_tree_prove(unit, row->id, &proof, &error));
    store_fails(ERROR_NOT_FOUND, audit_tree_prove(unit, "nothing", &proof, &error));
}

static void what_is_not_sealed_has_no_proof_yet(void) {
    store_in(ORG_A, adds_seven);
    store_in(ORG_A, proves_too_early);
}

static void names_waiting(DbUnit *unit) {
    g_autoptr(GPtrArray) waiting = NULL;
    store_ok(audit_tree_waiting(unit, 0, &waiting, &error));
    g_assert_cmpuint(waiting->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(waiting, 0), ==, AUDIT_INSTALLATION);
    g_assert_cmpstr(g_ptr_array_index(waiting, 1), ==, ORG_A);
}

static void the_sequencer_is_told_who_waits(void) {
    store_in(ORG_A, adds_seven);
    store_in(AUDIT_INSTALLATION, adds_six);
    store_system(names_waiting);
}

/* --- several programs ------------------------------------------------------------------------- */

typedef struct {
    char *folder;
    char *url;
} Place;

static void place_make(Place *place) {
    store_ok((place->folder = g_dir_make_tmp("assay-audit-XXXXXX", &error)) != NULL);
    place->url = stage_url(place->folder, "assay.db");
    Db *db = NULL;
    store_ok((db = db_open(place->url, &error)) != NULL);
    store_ok(migrate_apply(db, &error));
    db_close(db);
}

static void place_remove(Place *place) {
    stage_leave(place->folder);
    g_autoptr(GDir) dir = g_dir_open(place->folder, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(place->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(place->folder);
    stage_leave(place->folder);
    g_free(place->folder);
    g_free(place->url);
}

static bool add_work(DbUnit *unit, void *data, GError **error) {
    return add_rows(unit, *(int *)data, error);
}

static void add_to(Db *db, const char *organization, int count) {
    DbScope scope = {.organization = organization, .actor = "test"};
    store_ok(db_run(db, &scope, DB_WRITE, add_work, &count, &error));
}

static bool verify_work(DbUnit *unit, void *data, GError **error) {
    (void)error;
    verify_all(unit, *(int64_t *)data);
    return true;
}

static void verify_in(Db *db, const char *organization, int64_t size) {
    DbScope scope = {.organization = organization, .actor = "test"};
    store_ok(db_run(db, &scope, DB_READ, verify_work, &size, &error));
}

#define WRITERS 3
#define ROUNDS 40

typedef struct {
    const char *url;
    int64_t sealed;
} Racer;

static void *write_rows(void *data) {
    const Racer *racer = data;
    g_autoptr(Db) db = NULL;
    store_ok((db = db_open(racer->url, &error)) != NULL);
    for (int i = 0; i < ROUNDS; i++)
        add_to(db, i % 2 ? ORG_A : ORG_B, 3);
    return NULL;
}

static void *sequence(void *data) {
    Racer *racer = data;
    g_autoptr(Db) db = NULL;
    store_ok((db = db_open(racer->url, &error)) != NULL);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t sealed = 0;
        store_ok(audit_tree_sequence(db, 100, &sealed, &error));
        racer->sealed += sealed;
    }
    return NULL;
}

static void two_sequencers_beside_writers_seal_every_row_once(void) {
    Place place;
    place_make(&place);
    pthread_t threads[WRITERS + 2];
    Racer racers[WRITERS + 2];
    for (int i = 0; i < WRITERS + 2; i++) {
        racers[i] = (Racer){.url = place.url};
        g_assert_cmpint(
            pthread_create(&threads[i], NULL, i < WRITERS ? write_rows : sequence, &racers[i]), ==,
            0);
    }
    for (int i = 0; i < WRITERS + 2; i++)
        pthread_join(threads[i], NULL);
    Db *db = NULL;
    int64_t rest = 0;
    store_ok((db = db_open(place.url, &error)) != NULL);
    store_ok(audit_tree_sequence(db, 100, &rest, &error));
    g_assert_cmpint(racers[WRITERS].sealed + racers[WRITERS + 1].sealed + rest, ==,
                    WRITERS * ROUNDS * 3);
    verify_in(db, ORG_A, WRITERS * ROUNDS / 2 * 3);
    verify_in(db, ORG_B, WRITERS * ROUNDS / 2 * 3);
    db_close(db);
    place_remove(&place);
}

/* A sequencer that dies before its commit: the unit fails after everything was done in it. */
static bool seal_and_die(DbUnit *unit, void *data, GError **error) {
    int64_t sealed = 0;
    (void)data;
    if (audit_tree_seal(unit, 0, &sealed, error))
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "died");
    return false;
}

static void what_a_dead_sequencer_left_is_sealed_later_once(void) {
    Place place;
    place_make(&place);
    Db *db = NULL;
    int64_t sealed = 0;
    DbScope scope = {.organization = ORG_A, .actor = "test"};
    store_ok((db = db_open(place.url, &error)) != NULL);
    add_to(db, ORG_A, 5);
    store_fails(ERROR_CANCELLED, db_run(db, &scope, DB_WRITE, seal_and_die, NULL, &error));
    verify_in(db, ORG_A, 0);
    db_close(db);
    store_ok((db = db_open(place.url, &error)) != NULL);
    store_ok(audit_tree_sequence(db, 10, &sealed, &error));
    g_assert_cmpint(sealed, ==, 5);
    store_ok(audit_tree_sequence(db, 10, &sealed, &error));
    g_assert_cmpint(sealed, ==, 0);
    verify_in(db, ORG_A, 5);
    db_close(db);
    place_remove(&place);
}

/* What is sealed in a transaction waits no more, and what is added behind it does. */
static bool add_seal_and_add(DbUnit *unit, void *data, GError **error) {
    int64_t *sealed = data;
    return add_rows(unit, 3, error) && audit_tree_seal(unit, 0, sealed, error) &&
           add_rows(unit, 2, error);
}

static void rows_behind_a_seal_of_their_transaction_are_sealed_later(void) {
    const DbScope scope = {.organization = ORG_A, .actor = "test"};
    Place place;
    place_make(&place);
    Db *db = NULL;
    int64_t sealed = 0;
    store_ok((db = db_open(place.url, &error)) != NULL);
    store_ok(db_run(db, &scope, DB_WRITE, add_seal_and_add, &sealed, &error));
    g_assert_cmpint(sealed, ==, 3);
    store_ok(audit_tree_sequence(db, 10, &sealed, &error));
    g_assert_cmpint(sealed, ==, 2);
    verify_in(db, ORG_A, 5);
    db_close(db);
    place_remove(&place);
}

static void a_round_is_bounded(void) {
    Place place;
    place_make(&place);
    Db *db = NULL;
    int64_t sealed = 0;
    store_ok((db = db_open(place.url, &error)) != NULL);
    add_to(db, ORG_A, AUDIT_SEAL_MAX + 20);
    add_to(db, ORG_B, 20);
    store_ok(audit_tree_sequence(db, 1, &sealed, &error));
    g_assert_cmpint(sealed, ==, AUDIT_SEAL_MAX);
    store_ok(audit_tree_sequence(db, 5, &sealed, &error));
    g_assert_cmpint(sealed, ==, 40);
    verify_in(db, ORG_A, AUDIT_SEAL_MAX + 20);
    db_close(db);
    place_remove(&place);
}

/* --- what the database refuses by itself ------------------------------------------------------ */

#define FORGERY(name, sql)                                                                         \
    { name, "-", STATEMENT_INSTALLATION, sql, sql, NULL, 0 }

static const StatementText forgeries[] = {
    FORGERY("delete_row", "delete from audit"),
    FORGERY("delete_seal", "delete from audit_seal"),
    FORGERY("update_node", "update audit_node set level = 9"),
    FORGERY("update_row", "update audit set record = '{}'"),
    FORGERY("update_seal", "update audit_seal set audit_ids = 'x'"),
};

static bool forge(DbUnit *unit, void *data, GError **error) {
    return db_exec(db_prepare(unit, data), error);
}

static void rows_and_leaves_can_be_neither_changed_nor_deleted(void) {
    Place place;
    place_make(&place);
    Db *db = NULL;
    int64_t sealed = 0;
    store_ok((db = db_open(place.url, &error)) != NULL);
    add_to(db, ORG_A, 20);
    store_ok(audit_tree_sequence(db, 5, &sealed, &error));
    db_close(db);
    const StatementCatalogue catalogue = {forgeries, G_N_ELEMENTS(forgeries), NULL, 0};
    const DbOptions options = {.catalogue = &catalogue};
    const DbScope system = {.actor = "forger", .system = true};
    store_ok((db = db_open_with(place.url, &options, &error)) != NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(forgeries); i++)
        store_fails(ERROR_DATABASE, db_run(db, &system, DB_WRITE, forge,
                                           (void *)(uintptr_t)forgeries[i].name, &error));
    db_close(db);
    store_ok((db = db_open(place.url, &error)) != NULL);
    verify_in(db, ORG_A, 20);
    db_close(db);
    place_remove(&place);
}

/* --- what others have written ----------------------------------------------------------------- */

#define OF_ORG_A(name, sql)                                                                        \
    { name, "-", STATEMENT_INSTALLATION, sql, sql, NULL, 0 }

/* A program whose clock runs ahead. */
static const StatementText others[] = {
    OF_ORG_A("early_row",
             "insert into audit (organization_id, id, at, action, result, for_people, record, salt)"
             " select '" ORG_A "', 'ffffffff-0000-7000-8000-000000000000', 1, 'x', 'ok', 0, '{}',"
             " salt from audit where organization_id = '" ORG_A "' order by id limit 1"),
};

static void run_as(const Place *place, const StatementCatalogue *catalogue, const char *name) {
    const DbOptions options = {.catalogue = catalogue};
    const DbScope scope = {.organization = ORG_A, .actor = "other"};
    Db *db = NULL;
    store_ok((db = db_open_with(place->url, &options, &error)) != NULL);
    store_ok(db_run(db, &scope, DB_WRITE, forge, (void *)(uintptr_t)name, &error));
    db_close(db);
}

static bool seal_work(DbUnit *unit, void *data, GError **error) {
    int64_t *number = data;
    return audit_tree_seal(unit, *number, number, error);
}

static void seal_in(Db *db, int64_t limit, int64_t expected) {
    DbScope scope = {.organization = ORG_A, .actor = "test"};
    store_ok(db_run(db, &scope, DB_WRITE, seal_work, &limit, &error));
    g_assert_cmpint(limit, ==, expected);
}

static void rows_that_come_behind_the_walk_are_sealed_too(void) {
    const StatementCatalogue catalogue = {others, G_N_ELEMENTS(others), NULL, 0};
    Place place;
    place_make(&place);
    Db *db = NULL;
    int64_t sealed = 0;
    store_ok((db = db_open(place.url, &error)) != NULL);
    add_to(db, ORG_A, 3);
    run_as(&place, &catalogue, "early_row");
    seal_in(db, 0, 4);
    verify_in(db, ORG_A, 4);
    /* Behind it, all of them. */
    add_to(db, ORG_A, 5);
    seal_in(db, 3, 3);
    verify_in(db, ORG_A, 7);
    add_to(db, ORG_A, 1);
    store_ok(audit_tree_sequence(db, 10, &sealed, &error));
    g_assert_cmpint(sealed, ==, 3);
    verify_in(db, ORG_A, 10);
    seal_in(db, 0, 0);
    db_close(db);
    place_remove(&place);
}

/* Rows before and behind the walk, of which only some fit into a unit. */
static void late_rows_do_not_hold_up_the_others(void) {
    const StatementCatalogue catalogue = {others, G_N_ELEMENTS(others), NULL, 0};
    Place place;
    place_make(&place);
    Db *db = NULL;
    int64_t sealed = 0;
    store_ok((db = db_open(place.url, &error)) != NULL);
    add_to(db, ORG_A, 2);
    run_as(&place, &catalogue, "early_row");
    add_to(db, ORG_A, 2); /* late for those who begin at the highest id, and yet on the way */
    seal_in(db, 3, 3);
    verify_in(db, ORG_A, 3);
    store_ok(audit_tree_sequence(db, 10, &sealed, &error));
    g_assert_cmpint(sealed, ==, 2);
    verify_in(db, ORG_A, 5);
    store_ok(audit_tree_sequence(db, 10, &sealed, &error));
    g_assert_cmpint(sealed, ==, 0);
    db_close(db);
    place_remove(&place);
}

/* --- what an earlier version has sealed ------------------------------------------------------- */

#define BEFORE_SEALS 20 /* migrations */
#define NODE_LEAVES 11
#define HASH_LEAVES 10

static const StatementText leaves_of_nodes[] = {
    OF_ORG_A("leaves",
             "insert into audit_leaf (organization_id, leaf_index, audit_id)"
             " select organization_id, row_number() over (order by id) - 1, id from audit"
             " where organization_id = '" ORG_A "' order by id limit " G_STRINGIFY(NODE_LEAVES)),
};

/* At first a leaf's hash was a node; the rows of audit_leaf were made beside it. */
static const StatementText as_node = {
    .sqlite = "insert into audit_node (organization_id, level, position, hash)"
              " select ?1, 0, ?2, ?6 where ?3 = ?4 and ?5 = ?3",
    .postgres = "insert into audit_node (organization_id, level, position, hash)"
                " select $1, 0, cast($2 as bigint), cast($6 as bytea)"
                " where cast($3 as text) = cast($4 as text) and cast($5 as text) = $3",
};

static const StatementText as_leaf = {
    .sqlite = "insert into audit_leaf (organization_id, leaf_index, audit_id, hash)"
              " select ?1, ?2, ?5, ?6 where ?3 = ?4",
    .postgres = "insert into audit_leaf (organization_id, leaf_index, audit_id, hash)"
                " select $1, cast($2 as bigint), cast($5 as text), cast($6 as bytea)"
                " where cast($3 as text) = cast($4 as text)",
};

/* The program's statements, but that a seal, which is of one leaf, becomes what it was before. */
static StatementCatalogue sealing_as(const StatementText *before) {
    StatementCatalogue catalogue = statement_catalogue;
    StatementText *statements =
        g_memdup2(catalogue.statements, catalogue.statement_count * sizeof *statements);
    for (size_t i = 0; i < catalogue.statement_count; i++) {
        if (strcmp(statements[i].name, "audit_seal_insert") != 0)
            continue;
        g_assert_cmpuint(statements[i].parameter_count, ==, 6);
        statements[i].sqlite = before->sqlite;
        statements[i].postgres = before->postgres;
    }
    catalogue.statements = statements;
    catalogue.migration_count = BEFORE_SEALS;
    return catalogue;
}

static void seal_one_by_one(const Place *place, const StatementText *before, int count) {
    StatementCatalogue catalogue = sealing_as(before);
    const DbOptions options = {.catalogue = &catalogue};
    Db *db = NULL;
    store_ok((db = db_open_with(place->url, &options, &error)) != NULL);
    store_ok(migrate_apply(db, &error));
    add_to(db, ORG_A, count);
    for (int i = 0; i < count; i++)
        seal_in(db, 1, 1);
    db_close(db);
    g_free((StatementText *)(uintptr_t)catalogue.statements);
}

static void leaves_of_an_earlier_version_are_proven(void) {
    const StatementCatalogue leaves = {leaves_of_nodes, G_N_ELEMENTS(leaves_of_nodes), NULL, 0};
    StatementCatalogue before = statement_catalogue;
    before.migration_count = BEFORE_SEALS;
    Place place;
    Db *db = NULL;
    int64_t sealed = 0;
    store_ok((place.folder = g_dir_make_tmp("assay-audit-XXXXXX", &error)) != NULL);
    place.url = stage_database_url(place.folder, "assay.db", &before);
    seal_one_by_one(&place, &as_node, NODE_LEAVES);
    run_as(&place, &leaves, "leaves");
    seal_one_by_one(&place, &as_leaf, HASH_LEAVES);
    store_ok((db = db_open(place.url, &error)) != NULL);
    store_ok(migrate_apply(db, &error));
    verify_in(db, ORG_A, NODE_LEAVES + HASH_LEAVES);
    add_to(db, ORG_A, 30);
    store_ok(audit_tree_sequence(db, 5, &sealed, &error));
    g_assert_cmpint(sealed, ==, 30);
    verify_in(db, ORG_A, NODE_LEAVES + HASH_LEAVES + 30);
    db_close(db);
    place_remove(&place);
}

static const StoreTest tests[] = {
    {"rows_are_sealed_once_and_every_proof_holds", rows_are_sealed_once_and_every_proof_holds},
    {"each_organization_has_a_tree_of_its_own", each_organization_has_a_tree_of_its_own},
    {"what_is_not_sealed_has_no_proof_yet", what_is_not_sealed_has_no_proof_yet},
    {"the_sequencer_is_told_who_waits", the_sequencer_is_told_who_waits},
    {"two_sequencers_beside_writers_seal_every_row_once",
     two_sequencers_beside_writers_seal_every_row_once},
    {"what_a_dead_sequencer_left_is_sealed_later_once",
     what_a_dead_sequencer_left_is_sealed_later_once},
    {"rows_behind_a_seal_of_their_transaction_are_sealed_later",
     rows_behind_a_seal_of_their_transaction_are_sealed_later},
    {"a_round_is_bounded", a_round_is_bounded},
    {"rows_and_leaves_can_be_neither_changed_nor_deleted",
     rows_and_leaves_can_be_neither_changed_nor_deleted},
    {"rows_that_come_behind_the_walk_are_sealed_too",
     rows_that_come_behind_the_walk_are_sealed_too},
    {"late_rows_do_not_hold_up_the_others", late_rows_do_not_hold_up_the_others},
    {"leaves_of_an_earlier_version_are_proven", leaves_of_an_earlier_version_are_proven},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "audit_tree", tests, G_N_ELEMENTS(tests));
}
