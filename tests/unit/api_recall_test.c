/* What is remembered until something is committed: the memory itself, and the API that uses it. */
#include "api/recall.h"
#include "base/clock.h"
#include "store/api_token.h"
#include "store/integration.h"
#include "store/membership.h"
#include "store/organization.h"
#include "store/user.h"
#include "unit/api_support.h"
#include "unit/database_stage.h"
#include "vault/ticket.h"

#include <pthread.h>
#include <string.h>

#define PATH_A "/api/integrations/" INTEGRATION_A
#define MAKER "01890000-0000-7000-8000-000000007300"
#define OWNER "01890000-0000-7000-8000-000000007000"

/* --- writing beside the API ------------------------------------------------------------------- */

static const DbScope the_system = {.actor = "test", .system = true};
static const DbScope in_a = {.organization = ORG_A, .actor = "test", .role = "owner"};

/* Connections of their own, as another process has them. */
static Db *open_other(const Stage *stage) {
    g_autofree char *url = stage_url(stage->folder, "assay.db");
    Db *other = NULL;
    must((other = db_open(url, &error)) != NULL);
    return other;
}

static bool rename_work(DbUnit *unit, void *data, GError **error) {
    return organization_rename(unit, data, error);
}

static void rename_organization(Db *db, const char *name) {
    g_autofree char *copy = g_strdup(name);
    must(db_run(db, &in_a, DB_WRITE, rename_work, copy, &error));
}

static bool degrade_work(DbUnit *unit, void *data, GError **error) {
    const IntegrationStatus status = {.status = INTEGRATION_DEGRADED, .reason = data};
    return integration_update_status(unit, INTEGRATION_A, &status, error);
}

static void degrade(Db *db, const char *reason) {
    g_autofree char *copy = g_strdup(reason);
    must(db_run(db, &in_a, DB_WRITE, degrade_work, copy, &error));
}

static bool revoke_work(DbUnit *unit, void *data, GError **error) {
    return api_token_revoke(unit, data, error);
}

static bool disallow_work(DbUnit *unit, void *data, GError **error) {
    return api_token_disallow(unit, data, error);
}

static void end_token(Db *db, const DbScope *scope, DbWork work, const char *id) {
    g_autofree char *copy = g_strdup(id);
    must(db_run(db, scope, DB_WRITE, work, copy, &error));
}

/* --- the memory ------------------------------------------------------------------------------- */

typedef struct {
    RecallItem item;
    int number;
    int *freed;
} Thing;

static void thing_free(RecallItem *item) {
    Thing *thing = (Thing *)item;
    (*thing->freed)++;
    g_free(thing);
}

static void keep(Recall *recall, const char *key, const RecallMark *mark, int number, size_t size,
                 int *freed) {
    Thing *thing = g_new0(Thing, 1);
    recall_item_init(&thing->item, size, thing_free);
    thing->number = number;
    thing->freed = freed;
    recall_keep(recall, key, mark, &thing->item);
    recall_item_unref(&thing->item);
}

/* The number of what is remembered, -1: nothing is. */
static int find(Recall *recall, const char *key, RecallMark *mark_out) {
    Thing *thing = (Thing *)recall_find(recall, key, mark_out);
    int number = thing ? thing->number : -1;
    recall_item_unref(thing ? &thing->item : NULL);
    return number;
}

static void nothing_is_remembered_on_a_server(void) {
    g_auto(Stage) stage;
    RecallMark mark;
    int freed = 0;
    clock_freeze(1760000000000);
    stage_init(&stage, 0);
    Recall *recall = recall_new(stage.db);
    g_assert_cmpint(find(recall, "a", &mark), ==, -1);
    keep(recall, "a", &mark, 1, 10, &freed);
    g_assert_cmpint(find(recall, "a", &mark), ==, stage_is_postgres() ? -1 : 1);
    g_assert_cmpint(freed, ==, stage_is_postgres() ? 1 : 0);
    recall_free(recall);
    g_assert_cmpint(freed, ==, 1);
    clock_thaw();
}

static void a_commit_of_anybody_ends_what_is_remembered(void) {
    g_auto(Stage) stage;
    RecallMark mark;
    int freed = 0;
    clock_freeze(1760000000000);
    stage_init(&stage, 0);
    Db *other = open_other(&stage);
    Recall *recall = recall_new(stage.db);
    Db *const writers[] = {stage.db, other};
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(find(recall, "a", &mark), ==, -1);
        keep(recall, "a", &mark, i, 10, &freed);
        g_assert_cmpint(find(recall, "a", &mark), ==, i);
        g_assert_cmpint(find(recall, "b", &mark), ==, -1);
        g_autofree char *name = g_strdup_printf("Alpha %d", i);
        rename_organization(writers[i], name);
        g_assert_cmpint(find(recall, "a", &mark), ==, -1);
    }
    recall_free(recall);
    g_assert_cmpint(freed, ==, 2);
    db_close(other);
    clock_thaw();
}

static void what_was_read_before_a_commit_is_not_kept_after_it(void) {
    g_auto(Stage) stage;
    RecallMark before;
    RecallMark after;
    int freed = 0;
    clock_freeze(1760000000000);
    stage_init(&stage, 0);
    Recall *recall = recall_new(stage.db);
    g_assert_cmpint(find(recall, "a", &before), ==, -1);
    rename_organization(stage.db, "Alpha anew");
    keep(recall, "a", &before, 1, 10, &freed);
    g_assert_cmpint(freed, ==, 1);
    g_assert_cmpint(find(recall, "a", &after), ==, -1);
    keep(recall, "b", &after, 2, 10, &freed);
    keep(recall, "a", &before, 3, 10, &freed);
    g_assert_cmpint(find(recall, "a", &after), ==, -1);
    g_assert_cmpint(find(recall, "b", &after), ==, 2);
    recall_free(recall);
    clock_thaw();
}

static void who_holds_an_item_keeps_it(void) {
    g_auto(Stage) stage;
    RecallMark mark;
    int freed = 0;
    clock_freeze(1760000000000);
    stage_init(&stage, 0);
    Recall *recall = recall_new(stage.db);
    (void)find(recall, "a", &mark);
    keep(recall, "a", &mark, 1, 10, &freed);
    Thing *held = (Thing *)recall_find(recall, "a", &mark);
    g_assert_nonnull(held);
    keep(recall, "a", &mark, 2, 10, &freed);
    g_assert_cmpint(find(recall, "a", &mark), ==, 2);
    recall_free(recall);
    g_assert_cmpint(freed, ==, 1);
    g_assert_cmpint(held->number, ==, 1);
    recall_item_unref(&held->item);
    g_assert_cmpint(freed, ==, 2);
    clock_thaw();
}

static void items_and_bytes_are_bounded(void) {
    g_auto(Stage) stage;
    RecallMark mark;
    int freed = 0;
    clock_freeze(1760000000000);
    stage_init(&stage, 0);
    Recall *recall = recall_new(stage.db);
    (void)find(recall, "", &mark);
    for (int i = 0; i < RECALL_ITEMS_MAX + 10; i++) {
        g_autofree char *key = g_strdup_printf("%d", i);
        keep(recall, key, &mark, i, 1, &freed);
        g_assert_cmpint(find(recall, key, &mark), ==, i);
        g_assert_cmpint(i + 1 - freed, <=, RECALL_ITEMS_MAX);
    }
    keep(recall, "half", &mark, 1, RECALL_BYTES_MAX / 2 + 1, &freed);
    keep(recall, "other half", &mark, 2, RECALL_BYTES_MAX / 2 + 1, &freed);
    g_assert_cmpint(find(recall, "half", &mark), ==, -1);
    g_assert_cmpint(find(recall, "other half", &mark), ==, 2);
    keep(recall, "too much", &mark, 3, RECALL_BYTES_MAX + 1, &freed);
    g_assert_cmpint(find(recall, "too much", &mark), ==, -1);
    g_assert_cmpint(find(recall, "other half", &mark), ==, 2);
    recall_free(recall);
    g_assert_cmpint(freed, ==, RECALL_ITEMS_MAX + 13);
    clock_thaw();
}

typedef struct {
    Recall *recall;
    Db *db; /* whose organization is renamed now and then; NULL: nobody's */
    int number;
} Crowd;

static void plain_free(RecallItem *item) {
    g_free(item);
}

static void *join_the_crowd(void *data) {
    const Crowd *crowd = data;
    for (int i = 0; i < 300; i++) {
        RecallMark mark;
        g_autofree char *key = g_strdup_printf("%d %d", crowd->number, i % 7);
        Thing *thing = (Thing *)recall_find(crowd->recall, key, &mark);
        if (thing) {
            g_assert_cmpint(thing->number, ==, crowd->number);
            recall_item_unref(&thing->item);
        } else {
            Thing *made = g_new0(Thing, 1);
            recall_item_init(&made->item, 10, plain_free);
            made->number = crowd->number;
            recall_keep(crowd->recall, key, &mark, &made->item);
            recall_item_unref(&made->item);
        }
        if (crowd->db && i % 10 == 0)
            rename_organization(crowd->db, key);
    }
    return NULL;
}

static void many_threads_remember_and_forget(void) {
    g_auto(Stage) stage;
    pthread_t threads[4];
    Crowd crowds[4];
    stage_init(&stage, 0);
    Recall *recall = recall_new(stage.db);
    for (int i = 0; i < 4; i++) {
        crowds[i] = (Crowd){.recall = recall, .number = i, .db = i == 3 ? stage.db : NULL};
        g_assert_cmpint(pthread_create(&threads[i], NULL, join_the_crowd, &crowds[i]), ==, 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    recall_free(recall);
}

/* --- the API ---------------------------------------------------------------------------------- */

/* How many answers were given from memory. */
static int recalled(const Stage *stage) {
    g_auto(Answer) answer = stage_ask(stage, &(Ask){.path = "/metrics", .token = stage->operator});
    const char *found = answer.body ? strstr(answer.body, "\nassay_http_recalled_total ") : NULL;
    g_assert_nonnull(found);
    char *end = NULL;
    gint64 count = g_ascii_strtoll(strchr(found, ' '), &end, 10);
    g_assert_cmpint(*end, ==, '\n');
    return (int)count;
}

static int on_sqlite(int count) {
    return stage_is_postgres() ? 0 : count;
}

static void the_same_answer_is_given_again_while_nothing_is_committed(void) {
    static const char *const paths[] = {PATH_A, "/api/integrations/acme", "/api/organization"};
    g_auto(Stage) stage;
    clock_freeze(1760000000000);
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_auto(Answer) first = stage_get(&stage, ROLE_OWNER, paths[i]);
        g_auto(Answer) again = stage_get(&stage, ROLE_OWNER, paths[i]);
        g_autofree char *tag = answer_header(&first, "ETag");
        g_autofree char *same_tag = answer_header(&again, "ETag");
        g_autofree char *type = answer_header(&again, "Content-Type");
        g_autofree char *id = answer_header(&first, "X-Request-Id");
        g_autofree char *other_id = answer_header(&again, "X-Request-Id");
        g_assert_cmpuint(again.status, ==, 200);
        g_assert_cmpstr(first.body, ==, again.body);
        g_assert_nonnull(tag);
        g_assert_cmpstr(tag, ==, same_tag);
        g_assert_cmpstr(type, ==, "application/json");
        g_assert_cmpstr(id, !=, other_id);
        g_assert_cmpint(recalled(&stage), ==, on_sqlite((int)i + 1));
    }
    clock_thaw();
}

static void a_tag_and_head_are_heeded_from_memory(void) {
    g_auto(Stage) stage;
    clock_freeze(1760000000000);
    stage_init(&stage, 0);
    g_auto(Answer) first = stage_get(&stage, ROLE_OWNER, PATH_A);
    g_autofree char *tag = answer_header(&first, "ETag");
    g_autofree char *header = g_strdup_printf("If-None-Match: %s\r\n", tag);
    const char *owner = stage.tokens[ROLE_OWNER];
    g_auto(Answer) unchanged =
        stage_ask(&stage, &(Ask){.path = PATH_A, .token = owner, .headers = header});
    g_assert_cmpuint(unchanged.status, ==, 304);
    g_auto(Answer) head =
        stage_ask(&stage, &(Ask){.method = "HEAD", .path = PATH_A, .token = owner});
    g_autofree char *head_tag = answer_header(&head, "ETag");
    g_assert_cmpuint(head.status, ==, 200);
    g_assert_cmpstr(head_tag, ==, tag);
    g_assert_cmpint(recalled(&stage), ==, on_sqlite(2));
    degrade(stage.db, "later");
    g_auto(Answer) changed =
        stage_ask(&stage, &(Ask){.path = PATH_A, .token = owner, .headers = header});
    g_assert_cmpuint(changed.status, ==, 200);
    g_assert_cmpstr(answer_text(&changed, "statusReason"), ==, "later");
    clock_thaw();
}

static void a_change_is_seen_by_the_next_request(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    Db *other = open_other(&stage);
    for (int i = 0; i < 20; i++) {
        g_autofree char *reason = g_strdup_printf("reason %d", i);
        g_auto(Answer) before = stage_get(&stage, ROLE_OWNER, PATH_A);
        g_assert_cmpstr(answer_text(&before, "statusReason"), !=, reason);
        degrade(i % 2 == 0 ? other : stage.db, reason);
        g_auto(Answer) after = stage_get(&stage, ROLE_OWNER, PATH_A);
        g_assert_cmpstr(answer_text(&after, "statusReason"), ==, reason);
    }
    g_auto(Answer) patched =
        stage_send(&stage, ROLE_OWNER, "PATCH", PATH_A, "{\"name\":\"renamed\"}");
    g_assert_cmpuint(patched.status, ==, 200);
    g_auto(Answer) renamed = stage_get(&stage, ROLE_OWNER, PATH_A);
    g_assert_cmpstr(answer_text(&renamed, "name"), ==, "renamed");
    g_auto(Answer) gone = stage_get(&stage, ROLE_OWNER, "/api/integrations/acme");
    g_assert_cmpuint(gone.status, ==, 404);
    db_close(other);
}

static void a_revoked_token_is_refused_from_the_next_request_on(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    Db *other = open_other(&stage);
    for (int i = 0; i < 3; i++) {
        g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, PATH_A);
        g_assert_cmpuint(answer.status, ==, 200);
    }
    end_token(other, &the_system, revoke_work, OWNER);
    g_auto(Answer) refused = stage_get(&stage, ROLE_OWNER, PATH_A);
    assert_problem(&refused, 401, "AUTHENTICATION_FAILED");
    g_auto(Answer) somebody = stage_get(&stage, ROLE_ADMIN, PATH_A);
    g_assert_cmpuint(somebody.status, ==, 200);
    db_close(other);
}

static void a_token_that_may_no_longer_enter_does_not(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    Db *other = open_other(&stage);
    g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, PATH_A);
    g_assert_cmpuint(answer.status, ==, 200);
    end_token(other, &in_a, disallow_work, OWNER);
    g_auto(Answer) outside = stage_get(&stage, ROLE_OWNER, PATH_A);
    assert_problem(&outside, 404, "CONFIGURATION_ERROR");
    db_close(other);
}

static void nobody_is_given_what_another_may_see(void) {
    g_auto(Stage) stage;
    clock_freeze(1760000000000);
    stage_init(&stage, 0);
    g_auto(Answer) owner = stage_get(&stage, ROLE_OWNER, PATH_A);
    g_assert_cmpuint(owner.status, ==, 200);
    g_auto(Answer) stranger = stage_ask(&stage, &(Ask){.path = PATH_A, .token = stage.stranger});
    assert_problem(&stranger, 404, "CONFIGURATION_ERROR");
    static const char *const organizations[] = {ORG_A, ORG_B, ORG_A, ORG_B};
    for (size_t i = 0; i < G_N_ELEMENTS(organizations); i++) {
        g_autofree char *header = g_strdup_printf("X-Assay-Organization: %s\r\n", organizations[i]);
        g_auto(Answer) both = stage_ask(
            &stage,
            &(Ask){.path = "/api/integrations/acme", .token = stage.both, .headers = header});
        g_assert_cmpstr(answer_text(&both, "organizationId"), ==, organizations[i]);
    }
    g_assert_cmpint(recalled(&stage), ==, on_sqlite(2));
    g_auto(Answer) nowhere = stage_ask(&stage, &(Ask){.path = PATH_A});
    assert_problem(&nowhere, 401, "AUTHENTICATION_FAILED");
    clock_thaw();
}

/* --- times ------------------------------------------------------------------------------------ */

static bool create_work(DbUnit *unit, void *data, GError **error) {
    const ApiToken *token = data;
    return api_token_insert(unit, token, error);
}

static bool allow_work(DbUnit *unit, void *data, GError **error) {
    const Membership *access = data;
    return api_token_allow_by(unit, MAKER, access, error);
}

static bool add_maker_work(DbUnit *unit, void *data, GError **error) {
    const Membership *membership = data;
    const User maker = {.id = MAKER, .email = "maker@example.com", .name = "Maker"};
    return user_insert(unit, &maker, error) && membership_insert(unit, membership, error);
}

/* When something ends, after the beginning; 0: never. */
typedef struct {
    int64_t token_ms;
    int64_t access_ms;
    int64_t maker_ms; /* the membership of who has made it */
    unsigned status;  /* of the API then */
} Ending;

#define BEGINNING 1760000000000
#define END_MS 5000

static int64_t time_of(int64_t after_ms) {
    return after_ms ? BEGINNING + after_ms : 0;
}

static char *add_visitor(const Stage *stage, const Ending *ending) {
    Secret *ticket = NULL;
    char hash[DIGEST_HEX_SIZE];
    must((ticket = ticket_new(TICKET_API, &error)) != NULL);
    char *text = g_strdup(secret_text(ticket));
    secret_free(ticket);
    ticket_hash(text, hash);
    ApiToken token = {.id = "01890000-0000-7000-8000-000000007200",
                      .name = "visitor",
                      .token_hash = hash,
                      .hint = "h",
                      .created_by = MAKER,
                      .expires_at = time_of(ending->token_ms)};
    Membership access = {
        .user_id = token.id, .role = "member", .expires_at = time_of(ending->access_ms)};
    Membership maker = {.user_id = MAKER, .role = "admin", .expires_at = time_of(ending->maker_ms)};
    must(db_run(stage->db, &in_a, DB_WRITE, add_maker_work, &maker, &error));
    must(db_run(stage->db, &the_system, DB_WRITE, create_work, &token, &error));
    must(db_run(stage->db, &in_a, DB_WRITE, allow_work, &access, &error));
    return text;
}

static void expect_status(const Stage *stage, const char *ticket, unsigned status) {
    g_auto(Answer) answer = stage_ask(stage, &(Ask){.path = PATH_A, .token = ticket});
    g_assert_cmpuint(answer.status, ==, status);
}

/* Nothing is committed when a time has come. */
static void a_token_that_is_remembered_ends_at_its_time(void) {
    static const Ending endings[] = {
        {.token_ms = END_MS, .status = 401},
        {.token_ms = END_MS, .access_ms = 9000, .maker_ms = 9000, .status = 401},
        {.access_ms = END_MS, .status = 404},
        {.token_ms = 9000, .access_ms = END_MS, .maker_ms = 9000, .status = 404},
        {.maker_ms = END_MS, .status = 404},
        {.token_ms = 9000, .access_ms = 9000, .maker_ms = END_MS, .status = 404},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_auto(Stage) stage;
        clock_freeze(BEGINNING);
        stage_init(&stage, 0);
        g_autofree char *ticket = add_visitor(&stage, &endings[i]);
        expect_status(&stage, ticket, 200);
        expect_status(&stage, ticket, 200);
        /* The time of day alone: nothing is written on the way. */
        clock_freeze(BEGINNING + END_MS - 1);
        expect_status(&stage, ticket, 200);
        clock_freeze(BEGINNING + END_MS);
        expect_status(&stage, ticket, endings[i].status);
        clock_thaw();
    }
}

#define TEST(name)                                                                                 \
    { #name, name }

/* The first ones are about what only an engine with stamps does. */
#define OF_STAMPS 4

static const ApiTest tests[] = {
    TEST(a_commit_of_anybody_ends_what_is_remembered),
    TEST(what_was_read_before_a_commit_is_not_kept_after_it),
    TEST(who_holds_an_item_keeps_it),
    TEST(items_and_bytes_are_bounded),
    TEST(nothing_is_remembered_on_a_server),
    TEST(many_threads_remember_and_forget),
    TEST(the_same_answer_is_given_again_while_nothing_is_committed),
    TEST(a_tag_and_head_are_heeded_from_memory),
    TEST(a_change_is_seen_by_the_next_request),
    TEST(a_revoked_token_is_refused_from_the_next_request_on),
    TEST(a_token_that_may_no_longer_enter_does_not),
    TEST(nobody_is_given_what_another_may_see),
    TEST(a_token_that_is_remembered_ends_at_its_time),
};

int main(int argc, char **argv) {
    size_t first = stage_is_postgres() ? OF_STAMPS : 0;
    return api_main(argc, argv, "recall", tests + first, G_N_ELEMENTS(tests) - first);
}
