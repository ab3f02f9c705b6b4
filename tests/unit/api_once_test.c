/* What can be done once is done once, however many ask for it at the same time, over real sockets.
 */
#include "api/first_user.h"
#include "base/secmem.h"
#include "store/login_attempt.h"
#include "store/user.h"
#include "unit/api_support.h"
#include "vault/password.h"

#include <pthread.h>
#include <string.h>

#define EVE "01890000-0000-7000-8000-000000000e5e"
#define PASSWORD "correct horse battery"
#define MANY 8

/* --- at the same time ------------------------------------------------------------------------- */

typedef struct {
    const Stage *stage;
    const char *path;
    const char *body;
    unsigned status;
    pthread_t thread;
} Racer;

static void *race(void *data) {
    Racer *racer = data;
    g_auto(Answer) answer =
        stage_ask(racer->stage, &(Ask){.method = "POST", .path = racer->path, .body = racer->body});
    racer->status = answer.status;
    return NULL;
}

/* One is served; the others are told that there is nothing left, or that they were too late. */
static void one_of_many(const Stage *stage, size_t many, const char *path, const char *body) {
    Racer racers[MANY] = {0};
    unsigned served = 0;
    for (size_t i = 0; i < many; i++) {
        racers[i] = (Racer){.stage = stage, .path = path, .body = body};
        g_assert_cmpint(pthread_create(&racers[i].thread, NULL, race, &racers[i]), ==, 0);
    }
    for (size_t i = 0; i < many; i++)
        pthread_join(racers[i].thread, NULL);
    for (size_t i = 0; i < many; i++) {
        served += racers[i].status == 201;
        if (racers[i].status != 201 && racers[i].status != 404 && racers[i].status != 409)
            g_error("%s: %u", path, racers[i].status);
    }
    g_assert_cmpuint(served, ==, 1);
}

/* --- setup ------------------------------------------------------------------------------------ */

static bool count_work(DbUnit *unit, void *data, GError **error) {
    return user_count(unit, data, error);
}

static int64_t users(const Stage *stage) {
    DbScope scope = {.actor = "test", .system = true};
    int64_t count = 0;
    must(db_run(stage->db, &scope, DB_READ, count_work, &count, &error));
    return count;
}

static void the_setup_link_makes_one_owner(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *link = NULL;
    must(first_user_link(stage.db, "https://assay.example", &link, &error));
    g_autofree char *body =
        g_strdup_printf("{\"token\":\"%s\",\"email\":\"ada@example.com\",\"name\":\"Ada\","
                        "\"password\":\"" PASSWORD "\",\"organization\":\"Analytical\"}",
                        strchr(link, '#') + 1);
    one_of_many(&stage, MANY, "/api/setup", body);
    g_assert_cmpint(users(&stage), ==, 1);
}

/* --- invitations ------------------------------------------------------------------------------ */

static char *invite(const Stage *stage) {
    g_auto(Answer) invited = stage_send(stage, ROLE_OWNER, "POST", "/api/invitations",
                                        "{\"email\":\"eve@example.com\",\"role\":\"member\"}");
    g_assert_cmpuint(invited.status, ==, 201);
    return g_strdup_printf("{\"token\":\"%s\",\"name\":\"Eve\",\"password\":\"" PASSWORD "\"}",
                           strchr(answer_text(&invited, "link"), '#') + 1);
}

static void assert_one_member(const Stage *stage) {
    g_auto(Answer) members = stage_get(stage, ROLE_OWNER, "/api/users");
    g_auto(Answer) audit = stage_get(stage, ROLE_OWNER, "/api/audit?action=member.join");
    g_assert_cmpuint(members.status, ==, 200);
    g_assert_cmpuint(json_count(json_member(members.json, "users")), ==, 1);
    g_assert_cmpint(users(stage), ==, 1);
    g_assert_cmpuint(json_count(json_member(audit.json, "audit")), ==, 1);
}

static void an_invitation_makes_one_member(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *body = invite(&stage);
    one_of_many(&stage, MANY, "/api/invitations/accept", body);
    assert_one_member(&stage);
}

static bool add_user_work(DbUnit *unit, void *user, GError **error) {
    return user_insert(unit, user, error);
}

static void an_invitation_is_accepted_once_by_who_has_an_account(void) {
    const PasswordCost cheap = {.passes = 1, .bytes = 8192};
    DbScope scope = {.actor = "test", .system = true};
    g_autoptr(Secret) password = NULL;
    g_autofree char *hash = NULL;
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must((password = secret_new(PASSWORD, strlen(PASSWORD), &error)) != NULL);
    must(password_hash(password, &cheap, &hash, &error));
    User user = {.id = EVE, .email = "eve@example.com", .name = "Eve", .password_hash = hash};
    must(db_run(stage.db, &scope, DB_WRITE, add_user_work, &user, &error));
    g_autofree char *body = invite(&stage);
    /* Each is an attempt to log in. */
    one_of_many(&stage, LOGIN_USER_FREE, "/api/invitations/accept", body);
    assert_one_member(&stage);
}

int main(int argc, char **argv) {
    static const ApiTest tests[] = {
        {"the_setup_link_makes_one_owner", the_setup_link_makes_one_owner},
        {"an_invitation_makes_one_member", an_invitation_makes_one_member},
        {"an_invitation_is_accepted_once_by_who_has_an_account",
         an_invitation_is_accepted_once_by_who_has_an_account},
    };
    return api_main(argc, argv, "once", tests, G_N_ELEMENTS(tests));
}
