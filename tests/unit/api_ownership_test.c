/* Whose an integration is: everybody sees it, and its owner, admins and owners change it. */
#include "api/ownership.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/id.h"
#include "base/secmem.h"
#include "store/integration.h"
#include "store/membership.h"
#include "store/schedule.h"
#include "store/user.h"
#include "store/user_session.h"
#include "unit/api_support.h"
#include "vault/ticket.h"

#include <string.h>

#define ACME "/api/integrations/" INTEGRATION_A
#define ADA "01890000-0000-7000-8000-000000000ada"
#define EVE "01890000-0000-7000-8000-000000000e5e"
#define CONNECT "/api/integrations/connect"
#define GIVEN_TO(user) "{\"ownerUserId\":\"" user "\"}"
#define CREDENTIALS                                                                                \
    "\"integrationType\":\"github\",\"credentials\":{\"accessToken\":\"t\",\"type\":\"pat\"}"

static const DbScope in_a = {.organization = ORG_A, .actor = "test", .system = true};

/* --- people ----------------------------------------------------------------------------------- */

typedef struct {
    const char *id;
    const char *email;
    const char *hash;
} Person;

static bool add_person(DbUnit *unit, void *data, GError **error) {
    const Person *person = data;
    char session_id[ID_SIZE];
    User user = {.id = person->id, .email = person->email, .name = "Somebody", .password_hash = ""};
    Membership member = {.user_id = person->id, .role = "member"};
    UserSession session = {.id = session_id,
                           .user_id = person->id,
                           .token_hash = person->hash,
                           .address = "192.0.2.1"};
    id_write(session_id);
    return user_insert(unit, &user, error) && membership_insert(unit, &member, error) &&
           user_session_insert(unit, &session, error);
}

/* The headers of a member who is signed in. Caller frees. */
static char *member(const Stage *stage, const char *id, const char *email) {
    char hash[DIGEST_HEX_SIZE];
    g_autoptr(Secret) ticket = NULL;
    must((ticket = ticket_new(TICKET_SESSION, &error)) != NULL);
    ticket_hash(secret_text(ticket), hash);
    Person person = {id, email, hash};
    must(db_run(stage->db, &in_a, DB_WRITE, add_person, &person, &error));
    g_autofree char *csrf = ticket_csrf(secret_text(ticket));
    return g_strdup_printf("Cookie: assay=%s\r\nX-CSRF-Token: %s\r\n", secret_text(ticket), csrf);
}

typedef struct {
    Stage stage;
    char *ada;
    char *eve;
} World;

static bool plan(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return schedule_begin(unit, INTEGRATION_A, 1, error);
}

static void world_init(World *world) {
    stage_init(&world->stage, 0);
    must(db_run(world->stage.db, &in_a, DB_WRITE, plan, NULL, &error));
    world->ada = member(&world->stage, ADA, "ada@example.com");
    world->eve = member(&world->stage, EVE, "eve@example.com");
}

static void world_clear(World *world) {
    stage_clear(&world->stage);
    g_free(world->ada);
    g_free(world->eve);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

static unsigned as(const World *world, const char *who, const char *method, const char *path,
                   const char *body) {
    g_auto(Answer) answer = stage_ask(
        &world->stage, &(Ask){.method = method, .path = path, .headers = who, .body = body});
    return answer.status;
}

static void give(const World *world, const char *body) {
    g_auto(Answer) given = stage_send(&world->stage, ROLE_ADMIN, "PATCH", ACME, body);
    g_assert_cmpuint(given.status, ==, 200);
}

/* --- who changes it --------------------------------------------------------------------------- */

static void a_members_own_is_changed_by_nobody_but_him_and_admins(void) {
    static const struct {
        const char *method;
        const char *path;
        const char *body;
        unsigned status; /* for its owner */
    } acts[] = {
        {"PATCH", ACME, "{\"name\":\"mine\"}", 200},
        {"PATCH", "/api/schedules/" INTEGRATION_A, "{\"every\":\"6h\"}", 200},
        {"POST", ACME "/sync", "{}", 202},
        {"POST", ACME "/scan", NULL, 202},
        {"POST", ACME "/test", NULL, 404}, /* there is no credential */
        {"POST", ACME "/reconnect", "{\"credentials\":{}}", 400},
        {"DELETE", ACME, NULL, 200},
    };
    g_auto(World) world = {0};
    world_init(&world);
    give(&world, GIVEN_TO(ADA));
    for (size_t i = 0; i < G_N_ELEMENTS(acts); i++) {
        g_test_message("%s %s", acts[i].method, acts[i].path);
        unsigned other = as(&world, world.eve, acts[i].method, acts[i].path, acts[i].body);
        g_auto(Answer) token =
            stage_send(&world.stage, ROLE_MEMBER, acts[i].method, acts[i].path, acts[i].body);
        unsigned own = as(&world, world.ada, acts[i].method, acts[i].path, acts[i].body);
        g_assert_cmpuint(other, ==, 403);
        g_assert_cmpuint(token.status, ==, 403);
        g_assert_cmpuint(own, ==, acts[i].status);
    }
}

static void everybody_sees_whose_it_is(void) {
    g_auto(World) world = {0};
    world_init(&world);
    give(&world, GIVEN_TO(ADA));
    g_auto(Answer) seen = stage_ask(&world.stage, &(Ask){.path = ACME, .headers = world.eve});
    g_assert_cmpuint(seen.status, ==, 200);
    g_assert_cmpstr(answer_text(&seen, "ownerUserId"), ==, ADA);
}

static void admins_give_it_and_take_it_back(void) {
    g_auto(World) world = {0};
    world_init(&world);
    g_assert_cmpuint(as(&world, world.eve, "PATCH", ACME, "{\"name\":\"b\"}"), ==, 200);
    give(&world, GIVEN_TO(ADA));
    g_assert_cmpuint(as(&world, world.eve, "PATCH", ACME, "{\"name\":\"c\"}"), ==, 403);
    give(&world, "{\"ownerUserId\":null}");
    g_assert_cmpuint(as(&world, world.eve, "PATCH", ACME, "{\"name\":\"d\"}"), ==, 200);
    g_auto(Answer) nobody = stage_send(&world.stage, ROLE_ADMIN, "PATCH", ACME,
                                       GIVEN_TO("01890000-0000-7000-8000-00000000ffff"));
    assert_problem(&nobody, 400, "CONFIGURATION_ERROR");
}

static void a_member_gives_nothing_away(void) {
    g_auto(World) world = {0};
    world_init(&world);
    g_assert_cmpuint(as(&world, world.eve, "PATCH", ACME, GIVEN_TO(EVE)), ==, 403);
    give(&world, GIVEN_TO(EVE));
    g_assert_cmpuint(as(&world, world.eve, "PATCH", ACME, GIVEN_TO(ADA)), ==, 403);
    g_assert_cmpuint(as(&world, world.eve, "PATCH", ACME, "{\"ownerUserId\":null}"), ==, 403);
    /* What it is already is no gift. */
    g_assert_cmpuint(as(&world, world.eve, "PATCH", ACME, GIVEN_TO(EVE)), ==, 200);
}

/* --- connecting ------------------------------------------------------------------------------- */

static void whom_a_connection_is_for_is_checked_before_anybody_is_asked(void) {
    static const struct {
        const char *body;
        bool signed_in;
        unsigned status;
    } cases[] = {
        {"{" CREDENTIALS ",\"ownerUserId\":\"" ADA "\"}", true, 403},
        {"{" CREDENTIALS ",\"ownerUserId\":\"" ADA "\",\"personal\":true}", true, 400},
        {"{" CREDENTIALS ",\"personal\":true}", false, 400},
        {"{" CREDENTIALS ",\"ownerUserId\":\"" ADA "\"}", false, 403},
        /* Allowed; the settings are missing. */
        {"{" CREDENTIALS ",\"personal\":true}", true, 400},
    };
    g_auto(World) world = {0};
    world_init(&world);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Ask ask = {.method = "POST",
                   .path = CONNECT,
                   .body = cases[i].body,
                   .headers = cases[i].signed_in ? world.eve : NULL,
                   .token = cases[i].signed_in ? NULL : world.stage.tokens[ROLE_MEMBER]};
        g_auto(Answer) answer = stage_ask(&world.stage, &ask);
        g_test_message("%s: %s", cases[i].body, answer.body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
}

/* --- leaving ---------------------------------------------------------------------------------- */

static void what_belonged_to_who_left_is_everybodys(void) {
    g_auto(World) world = {0};
    world_init(&world);
    give(&world, GIVEN_TO(ADA));
    g_auto(Answer) removed =
        stage_send(&world.stage, ROLE_OWNER, "DELETE", "/api/users/" ADA, NULL);
    g_assert_cmpuint(removed.status, ==, 200);
    g_auto(Answer) left = stage_get(&world.stage, ROLE_OWNER, ACME);
    g_assert_cmpint(json_kind(json_member(left.json, "ownerUserId")), ==, JSON_KIND_NULL);
    g_assert_cmpstr(answer_text(&left, "status"), ==, "connected");
    g_assert_cmpuint(as(&world, world.eve, "PATCH", ACME, "{\"name\":\"ours\"}"), ==, 200);
}

typedef struct {
    const char *user_id;
    ErrorCode code;
    bool holds;
} Holding;

static bool hold_work(DbUnit *unit, void *data, GError **error) {
    Holding *holding = data;
    g_autoptr(GError) refused = NULL;
    (void)error;
    holding->holds = ownership_holds(unit, holding->user_id, &refused);
    holding->code = refused ? error_code_of(refused) : ERROR_INTERNAL;
    return true;
}

/* Asked in the unit that stores a connection, after its service has answered. */
static void nobody_who_left_meanwhile_is_given_a_connection(void) {
    Holding cases[] = {
        {.user_id = ADA}, {.user_id = EVE}, {.user_id = NULL}, {.user_id = "nobody"}};
    g_auto(World) world = {0};
    world_init(&world);
    g_auto(Answer) removed =
        stage_send(&world.stage, ROLE_OWNER, "DELETE", "/api/users/" ADA, NULL);
    g_assert_cmpuint(removed.status, ==, 200);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        must(db_run(world.stage.db, &in_a, DB_WRITE, hold_work, &cases[i], &error));
    g_assert_false(cases[0].holds);
    g_assert_cmpint(cases[0].code, ==, ERROR_CONFLICT);
    g_assert_true(cases[1].holds);
    g_assert_true(cases[2].holds);
    g_assert_false(cases[3].holds);
}

static const ApiTest tests[] = {
    {"a_members_own_is_changed_by_nobody_but_him_and_admins",
     a_members_own_is_changed_by_nobody_but_him_and_admins},
    {"everybody_sees_whose_it_is", everybody_sees_whose_it_is},
    {"admins_give_it_and_take_it_back", admins_give_it_and_take_it_back},
    {"a_member_gives_nothing_away", a_member_gives_nothing_away},
    {"whom_a_connection_is_for_is_checked_before_anybody_is_asked",
     whom_a_connection_is_for_is_checked_before_anybody_is_asked},
    {"what_belonged_to_who_left_is_everybodys", what_belonged_to_who_left_is_everybodys},
    {"nobody_who_left_meanwhile_is_given_a_connection",
     nobody_who_left_meanwhile_is_given_a_connection},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "ownership", tests, G_N_ELEMENTS(tests));
}
