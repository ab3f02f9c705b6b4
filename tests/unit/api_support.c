#include "unit/api_support.h"

#include "unit/database_stage.h"

#include "api/routes.h"
#include "api/target.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/secmem.h"
#include "db/migrate.h"
#include "store/api_token.h"
#include "store/integration.h"
#include "store/organization.h"
#include "sync/worker.h"
#include "vault/ticket.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MANY 60000
#define PATIENCE_S 300

/* --- the database ----------------------------------------------------------------------------- */

static const DbScope the_system = {.actor = "test", .system = true};

static bool add_organizations(DbUnit *unit, void *data, GError **error) {
    (void)data;
    Organization a = {.id = ORG_A, .name = "Alpha", .wrapped_key = ""};
    Organization b = {.id = ORG_B, .name = "Beta", .wrapped_key = ""};
    return organization_insert(unit, &a, error) && organization_insert(unit, &b, error);
}

typedef struct {
    const char *id;
    const char *name;
} Made;

static bool add_integration(DbUnit *unit, void *data, GError **error) {
    const Made *made = data;
    Integration row = {.id = made->id,
                       .provider = "github",
                       .name = made->name,
                       .auth = "pat",
                       .status = INTEGRATION_CONNECTED,
                       .settings = "{\"organization\":\"acme\",\"api_url\":\"https://x.example\"}",
                       .account = "{\"user\":\"robot\"}"};
    return integration_insert(unit, &row, error);
}

typedef struct {
    const char *organizations[2];
    Membership access;
    ApiToken token;
} TokenWork;

static bool insert_token(DbUnit *unit, void *data, GError **error) {
    const TokenWork *work = data;
    return api_token_insert(unit, &work->token, error);
}

static bool allow_token(DbUnit *unit, void *data, GError **error) {
    const TokenWork *work = data;
    return api_token_allow(unit, &work->access, error);
}

static char *add_token(Db *db, TokenWork *work, TicketKind kind) {
    Secret *ticket = NULL;
    char hash[DIGEST_HEX_SIZE];
    must((ticket = ticket_new(kind, &error)) != NULL);
    char *text = g_strdup(secret_text(ticket));
    secret_free(ticket);
    ticket_hash(text, hash);
    g_autofree char *hint = ticket_hint(text);
    work->token.token_hash = hash;
    work->token.hint = hint;
    work->access.user_id = work->token.id;
    must(db_run(db, &the_system, DB_WRITE, insert_token, work, &error));
    for (size_t i = 0; i < 2 && work->organizations[i]; i++) {
        DbScope scope = {.organization = work->organizations[i], .actor = "test", .role = "owner"};
        must(db_run(db, &scope, DB_WRITE, allow_token, work, &error));
    }
    return text;
}

static void add_tokens(Stage *stage) {
    for (Role role = ROLE_OWNER; role < ROLE_NONE; role++) {
        g_autofree char *id = g_strdup_printf("01890000-0000-7000-8000-0000000070%02d", (int)role);
        bool scanner = role == ROLE_SCANNER;
        TokenWork work = {
            .organizations = {ORG_A},
            .access = {.role = role_name(role), .integrations = scanner ? INTEGRATION_A : NULL},
            .token = {.id = id, .name = role_name(role)}};
        stage->tokens[role] = add_token(stage->db, &work, scanner ? TICKET_SCANNER : TICKET_API);
    }
    TokenWork stranger = {
        .organizations = {ORG_B},
        .access = {.role = "owner"},
        .token = {.id = "01890000-0000-7000-8000-000000007100", .name = "stranger"}};
    stage->stranger = add_token(stage->db, &stranger, TICKET_API);
    TokenWork both = {.organizations = {ORG_A, ORG_B},
                      .access = {.role = "owner"},
                      .token = {.id = "01890000-0000-7000-8000-000000007101", .name = "both"}};
    stage->both = add_token(stage->db, &both, TICKET_API);
    TokenWork operator= {.token = {.id = "01890000-0000-7000-8000-000000007102",
                                   .name = "operator",
                                   .operator= true } };
    stage->operator= add_token(stage->db, &operator, TICKET_OPERATOR);
}

static void open_database(Stage *stage) {
    static const DbScope a = {.organization = ORG_A, .actor = "test", .role = "owner"};
    static const DbScope b = {.organization = ORG_B, .actor = "test", .role = "owner"};
    must((stage->folder = g_dir_make_tmp("assay-api-XXXXXX", &error)) != NULL);
    g_autofree char *url = stage_url(stage->folder, "assay.db");
    must((stage->db = db_open(url, &error)) != NULL);
    must(migrate_apply(stage->db, &error));
    must(db_run(stage->db, &the_system, DB_WRITE, add_organizations, NULL, &error));
    Made in_a = {INTEGRATION_A, "acme"};
    Made in_b = {INTEGRATION_B, "acme"};
    must(db_run(stage->db, &a, DB_WRITE, add_integration, &in_a, &error));
    must(db_run(stage->db, &b, DB_WRITE, add_integration, &in_b, &error));
    add_tokens(stage);
}

/* --- the server ------------------------------------------------------------------------------- */

static void note_queued(void *data) {
    Stage *stage = data;
    __atomic_add_fetch(&stage->queued, 1, __ATOMIC_RELAXED);
}

static Json *configuration(void *data) {
    (void)data;
    Json *json = json_new_object();
    json_put_string(json, "public_url", "http://127.0.0.1");
    return json;
}

static Json *examine(bool network, void *data) {
    (void)data;
    Json *json = json_new_object();
    json_put_bool(json, "healthy", true);
    json_put_int(json, "errors", 0);
    json_put_int(json, "warnings", network);
    json_put(json, "findings", json_new_array());
    json_put_time(json, "at", clock_now_ms());
    return json;
}

/* With what the wish says besides. */
static void begin(Stage *stage, const ApiConfig *wish) {
    *stage = (Stage){.redis_url = (Secret *)(uintptr_t)wish->redis_url};
    open_database(stage);
    g_autoptr(Secret) kek = NULL;
    must((kek = secret_random(DATA_KEY_SIZE, &error)) != NULL);
    must((stage->keyring = keyring_from_secret(kek, &error)) != NULL);
    ApiConfig config = *wish;
    config.listen = "127.0.0.1:0";
    if (config.tuning.requests_a_minute == 0)
        config.tuning.requests_a_minute = MANY;
    config.db = stage->db;
    config.data_dir = stage->folder;
    config.database_url = "sqlite:none";
    config.keyring = stage->keyring;
    config.queued = note_queued;
    config.configuration = configuration;
    config.doctor = examine;
    config.data = stage;
    must(api_start(&config, &stage->api, &error));
}

void stage_init(Stage *stage, unsigned requests_a_minute) {
    begin(stage, &(ApiConfig){.tuning.requests_a_minute = requests_a_minute});
}

void stage_init_hasty(Stage *stage, int64_t patience_ms) {
    begin(stage, &(ApiConfig){.patience_ms = patience_ms});
}

void stage_init_beating(Stage *stage, int64_t heartbeat_ms) {
    begin(stage, &(ApiConfig){.heartbeat_ms = heartbeat_ms});
}

void stage_init_narrow(Stage *stage, unsigned connections) {
    begin(stage, &(ApiConfig){.connections = connections});
}

void stage_init_beside_redis(Stage *stage, const char *url) {
    Secret *secret = NULL;
    must((secret = secret_new(url, strlen(url), &error)) != NULL);
    begin(stage, &(ApiConfig){.redis_url = secret});
}

void stage_clear(Stage *stage) {
    api_stop(stage->api);
    db_close(stage->db);
    stage_leave(stage->folder);
    keyring_free(stage->keyring);
    secret_free(stage->redis_url);
    g_autoptr(GDir) dir = g_dir_open(stage->folder, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(stage->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(stage->folder);
    g_free(stage->folder);
    for (size_t i = 0; i < ROLES; i++)
        g_free(stage->tokens[i]);
    g_free(stage->stranger);
    g_free(stage->operator);
    g_free(stage->both);
}

/* --- the client ------------------------------------------------------------------------------- */

int stage_connect(const Stage *stage) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(api_port(stage->api))};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connection, >=, 0);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    g_assert_cmpint(connect(connection, (struct sockaddr *)(void *)&address, sizeof address), ==,
                    0);
    return connection;
}

void stage_write(int connection, const char *text) {
    size_t length = strlen(text);
    size_t done = 0;
    while (done < length) {
        ssize_t sent = send(connection, text + done, length - done, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server has heard enough */
        done += (size_t)sent;
    }
}

/* Reads until the text holds `until`, has at least `least` bytes, or ends. */
static void read_more(int connection, GString *text, const char *until, size_t least) {
    char buffer[16384];
    while (until ? !strstr(text->str, until) : text->len < least) {
        ssize_t got = recv(connection, buffer, sizeof buffer, 0);
        if (got <= 0)
            return;
        g_string_append_len(text, buffer, got);
    }
}

static char *header_of(const char *head, const char *name) {
    g_autofree char *wanted = g_strdup_printf("\n%s:", name);
    g_autofree char *folded = g_ascii_strdown(head, -1);
    g_autofree char *low = g_ascii_strdown(wanted, -1);
    const char *found = strstr(folded, low);
    if (!found)
        return NULL;
    const char *value = head + (found - folded) + strlen(low);
    return g_strstrip(g_strndup(value, strcspn(value, "\r\n")));
}

static char *dechunk(const char *text) {
    GString *out = g_string_new(NULL);
    for (;;) {
        char *end;
        gsize size = (gsize)g_ascii_strtoull(text, &end, 16);
        if (size == 0 || strlen(end) < size + 4)
            break;
        g_string_append_len(out, end + 2, (gssize)size);
        text = end + 2 + size + 2;
    }
    return g_string_free(out, FALSE);
}

Answer stage_read(int connection, bool for_head) {
    Answer answer = {0};
    g_autoptr(GString) text = g_string_new(NULL);
    read_more(connection, text, "\r\n\r\n", 0);
    const char *gap = strstr(text->str, "\r\n\r\n");
    if (!gap)
        return answer;
    size_t head = (size_t)(gap - text->str) + 4;
    answer.head = g_strndup(text->str, head);
    answer.status = (unsigned)g_ascii_strtoull(text->str + 9, NULL, 10);
    g_autofree char *length = header_of(answer.head, "Content-Length");
    g_autofree char *coding = header_of(answer.head, "Transfer-Encoding");
    if (coding)
        read_more(connection, text, "\r\n0\r\n\r\n", 0);
    else if (length && !for_head)
        read_more(connection, text, NULL, head + (size_t)g_ascii_strtoull(length, NULL, 10));
    answer.body = coding ? dechunk(text->str + head) : g_strdup(text->str + head);
    answer.json = json_parse(answer.body, strlen(answer.body), 16 * 1024 * 1024, NULL);
    return answer;
}

Answer stage_ask(const Stage *stage, const Ask *ask) {
    const char *method = ask->method ? ask->method : "GET";
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", method, ask->path);
    if (ask->token)
        g_string_append_printf(text, "Authorization: Bearer %s\r\n", ask->token);
    if (ask->body)
        g_string_append_printf(text, "Content-Length: %zu\r\n", strlen(ask->body));
    if (ask->body && (!ask->headers || !strstr(ask->headers, "Content-Type")))
        g_string_append(text, "Content-Type: application/json\r\n");
    g_string_append_printf(text, "%s\r\n%s", ask->headers ? ask->headers : "",
                           ask->body ? ask->body : "");
    int connection = stage_connect(stage);
    stage_write(connection, text->str);
    Answer answer = stage_read(connection, strcmp(method, "HEAD") == 0);
    close(connection);
    return answer;
}

Answer stage_get(const Stage *stage, Role role, const char *path) {
    return stage_ask(stage, &(Ask){.path = path, .token = stage->tokens[role]});
}

bool stage_run(const Stage *stage, const char *organization, DbWork work, void *data,
               GError **error) {
    DbScope scope = {.organization = organization, .actor = "test", .system = true};
    return db_run(stage->db, &scope, DB_WRITE, work, data, error);
}

void stage_add_integration(const Stage *stage, const char *id, const char *name) {
    Made made = {id, name};
    must(stage_run(stage, ORG_A, add_integration, &made, &error));
}

Answer stage_send(const Stage *stage, Role role, const char *method, const char *path,
                  const char *body) {
    return stage_ask(
        stage, &(Ask){.method = method, .path = path, .token = stage->tokens[role], .body = body});
}

void answer_clear(Answer *answer) {
    g_free(answer->head);
    g_free(answer->body);
    json_free(answer->json);
}

char *answer_header(const Answer *answer, const char *name) {
    return header_of(answer->head, name);
}

const char *answer_text(const Answer *answer, const char *path) {
    const char *text = json_text(json_path(answer->json, path));
    return text ? text : "";
}

static void fall_asleep(void *connection) {
    SlowReader *reader = connection;
    pthread_mutex_lock(&reader->lock);
    reader->asleep = true;
    pthread_mutex_unlock(&reader->lock);
}

static void wake_up(void *connection) {
    SlowReader *reader = connection;
    pthread_mutex_lock(&reader->lock);
    reader->asleep = false;
    pthread_cond_signal(&reader->woken);
    pthread_mutex_unlock(&reader->lock);
}

void slow_reader_init(SlowReader *reader, Stream *stream) {
    *reader = (SlowReader){.lock = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};
    stream_attach(stream, &(StreamSleeper){fall_asleep, wake_up, reader});
}

void slow_reader_await(SlowReader *reader) {
    pthread_mutex_lock(&reader->lock);
    while (reader->asleep)
        pthread_cond_wait(&reader->woken, &reader->lock);
    pthread_mutex_unlock(&reader->lock);
}

void assert_form(const char *method, const char *path, const Answer *answer) {
    g_auto(Target) target = {0};
    RouteMatch match;
    must(target_init(&target, path, &error));
    route_find(routes, method, target.segments, &match);
    g_assert_nonnull(match.route);
    if (answer->status >= 300 || !match.route->reply)
        return;
    g_assert_cmpuint(answer->status, ==, match.route->status ? match.route->status : 200);
    g_autoptr(GPtrArray) wrongs = shape_check(match.route->reply, answer->json);
    for (guint i = 0; i < wrongs->len; i++) {
        const ShapeWrong *wrong = g_ptr_array_index(wrongs, i);
        g_error("%s %s: %s %s in %s", method, path, wrong->pointer, wrong->detail, answer->body);
    }
}

void assert_problem(const Answer *answer, unsigned status, const char *code) {
    if (answer->status != status)
        g_test_message("%s%s", answer->head, answer->body);
    g_assert_cmpuint(answer->status, ==, status);
    g_autofree char *type = answer_header(answer, "Content-Type");
    g_assert_cmpstr(type, ==, "application/problem+json");
    g_assert_cmpstr(answer_text(answer, "code"), ==, code);
    g_assert_cmpint(json_member_int(answer->json, "status", 0), ==, status);
    g_assert_cmpstr(answer_text(answer, "requestId"), !=, "");
}

int api_main(int argc, char **argv, const char *noun, const ApiTest *tests, size_t count) {
    /* A worker is this program executed again: without an end to it each would start the next. */
    if (argc == 2 && strcmp(argv[1], WORKER_COMMAND) == 0)
        return EXIT_FAILURE;
    g_test_init(&argc, &argv, NULL);
    must(secmem_start(&error));
    log_set_level(LOG_WARN);
    for (size_t i = 0; i < count; i++) {
        g_autofree char *path = g_strdup_printf("/api/%s/%s", noun, tests[i].name);
        g_test_add_func(path, tests[i].run);
    }
    return g_test_run();
}
