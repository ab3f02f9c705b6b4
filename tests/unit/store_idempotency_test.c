#include "unit/store_support.h"

#include "base/clock.h"
#include "store/idempotency.h"

#include <string.h>

static IdempotencyKey key_of(const char *actor, const char *request) {
    return (IdempotencyKey){
        .actor = actor, .key = "key-1", .request = request, .request_size = strlen(request)};
}

static void assert_state(DbUnit *unit, const char *actor, const char *request,
                         IdempotencyState wanted) {
    g_autoptr(Idempotency) stored = NULL;
    IdempotencyKey key = key_of(actor, request);
    IdempotencyState state = IDEMPOTENCY_OTHER;
    store_ok(idempotency_begin(unit, &key, &state, &stored, &error));
    g_assert_cmpint(state, ==, wanted);
    g_assert_cmpuint(strlen(stored->idempotency_key), ==, 64); /* a hash, never the key itself */
}

static void begins(DbUnit *unit) {
    assert_state(unit, "ada", "POST /a", IDEMPOTENCY_NEW);
}

static void finds_it_busy(DbUnit *unit) {
    assert_state(unit, "ada", "POST /a", IDEMPOTENCY_BUSY);
    assert_state(unit, "ada", "POST /b", IDEMPOTENCY_OTHER);
}

static Idempotency *begun(DbUnit *unit) {
    Idempotency *stored = NULL;
    IdempotencyKey key = key_of("ada", "POST /a");
    IdempotencyState state;
    store_ok(idempotency_begin(unit, &key, &state, &stored, &error));
    return stored;
}

static void keeps(DbUnit *unit) {
    g_autoptr(Idempotency) stored = begun(unit);
    IdempotencyAnswer answer = {.status = 201, .media = "application/json", .body = "{\"a\":1}"};
    store_ok(idempotency_keep(unit, stored, &answer, &error));
}

static void finds_the_answer(DbUnit *unit) {
    g_autoptr(Idempotency) stored = begun(unit);
    assert_state(unit, "ada", "POST /a", IDEMPOTENCY_KEPT);
    assert_state(unit, "ada", "POST /b", IDEMPOTENCY_OTHER);
    g_assert_cmpint(stored->status, ==, 201);
    g_assert_cmpstr(stored->body, ==, "{\"a\":1}");
    g_assert_null(strstr(stored->fingerprint, "POST"));
}

static void forgets(DbUnit *unit) {
    g_autoptr(Idempotency) stored = begun(unit);
    store_ok(idempotency_forget(unit, stored, &error));
}

static void prunes(DbUnit *unit) {
    store_ok(idempotency_prune(unit, &error));
}

static void a_key_is_taken_until_its_answer_is_there(void) {
    store_in(ORG_A, begins);
    store_in(ORG_A, finds_it_busy);
    store_in(ORG_A, keeps);
    store_in(ORG_A, finds_the_answer);
}

static void an_answer_is_kept_for_a_day(void) {
    store_in(ORG_A, begins);
    store_in(ORG_A, keeps);
    clock_advance(IDEMPOTENCY_KEEP_MS - 1);
    store_in(ORG_A, prunes);
    store_in(ORG_A, finds_the_answer);
    clock_advance(1);
    store_in(ORG_A, prunes);
    store_in(ORG_A, begins);
}

static void a_request_that_came_to_nothing_may_be_sent_again(void) {
    store_in(ORG_A, begins);
    store_in(ORG_A, forgets);
    store_in(ORG_A, begins);
}

static void a_handler_that_died_holds_its_key_for_a_while_only(void) {
    store_in(ORG_A, begins);
    clock_advance(IDEMPOTENCY_HOLD_MS - 1);
    store_in(ORG_A, finds_it_busy);
    clock_advance(1);
    store_in(ORG_A, begins);
}

static Idempotency *late;

static void remembers(DbUnit *unit) {
    g_clear_pointer(&late, idempotency_free);
    late = begun(unit);
}

static void answers_late(DbUnit *unit) {
    IdempotencyAnswer answer = {.status = 200, .media = "application/json", .body = "{\"late\":1}"};
    store_ok(idempotency_keep(unit, late, &answer, &error));
    store_ok(idempotency_forget(unit, late, &error));
}

/* Whoever was taken for dead does not answer for the one who came after him. */
static void an_answer_that_comes_too_late_is_not_kept(void) {
    store_in(ORG_A, remembers);
    clock_advance(IDEMPOTENCY_HOLD_MS);
    store_in(ORG_A, begins);
    store_in(ORG_A, answers_late);
    store_in(ORG_A, finds_it_busy);
    g_clear_pointer(&late, idempotency_free);
}

static void begins_as_others(DbUnit *unit) {
    assert_state(unit, "bob", "POST /b", IDEMPOTENCY_NEW);
}

static void keys_of_others_are_their_own(void) {
    store_in(ORG_A, begins);
    store_in(ORG_A, begins_as_others);
    store_in(ORG_B, begins);
}

static void begins_badly(DbUnit *unit) {
    g_autofree char *length = g_strnfill(IDEMPOTENCY_KEY_MAX + 1, 'k');
    const char *const keys[] = {"", length};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        IdempotencyKey key = key_of("ada", "x");
        IdempotencyState state;
        Idempotency *stored = NULL;
        key.key = keys[i];
        store_fails(ERROR_USAGE, idempotency_begin(unit, &key, &state, &stored, &error));
    }
}

static void a_key_has_a_length(void) {
    store_in(ORG_A, begins_badly);
}

static const StoreTest tests[] = {
    {"a_key_is_taken_until_its_answer_is_there", a_key_is_taken_until_its_answer_is_there},
    {"an_answer_is_kept_for_a_day", an_answer_is_kept_for_a_day},
    {"a_request_that_came_to_nothing_may_be_sent_again",
     a_request_that_came_to_nothing_may_be_sent_again},
    {"a_handler_that_died_holds_its_key_for_a_while_only",
     a_handler_that_died_holds_its_key_for_a_while_only},
    {"an_answer_that_comes_too_late_is_not_kept", an_answer_that_comes_too_late_is_not_kept},
    {"keys_of_others_are_their_own", keys_of_others_are_their_own},
    {"a_key_has_a_length", a_key_has_a_length},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "idempotency", tests, G_N_ELEMENTS(tests));
}
