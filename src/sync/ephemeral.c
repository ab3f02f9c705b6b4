#include "sync/ephemeral.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/id.h"
#include "base/secmem.h"
#include "base/text.h"
#include "store/oauth_state.h"
#include "store/token_cache.h"

#include <stdatomic.h>
#include <string.h>

#define RANDOM_BYTES 32
#define RANDOM_TEXT 43 /* in base64url */
#define TRIM_EVERY 100 /* events between two looks at how many there are in the database */
#define IN_REDIS 'r'
#define IN_DATABASE 'd'

struct Ephemeral {
    Db *db;
    Redis *redis;
    atomic_uint events; /* written to the database by this process */
};

Ephemeral *ephemeral_new(Db *db, Redis *redis) {
    Ephemeral *ephemeral = g_new0(Ephemeral, 1);
    ephemeral->db = db;
    ephemeral->redis = redis;
    return ephemeral;
}

void ephemeral_free(Ephemeral *ephemeral) {
    g_free(ephemeral);
}

static DbScope scope_of(const char *organization) {
    return (DbScope){.organization = organization, .actor = "ephemeral", .role = "service"};
}

static bool run_in(const Ephemeral *ephemeral, const char *organization, DbMode mode, DbWork work,
                   void *data, GError **error) {
    DbScope scope = scope_of(organization);
    return db_run(ephemeral->db, &scope, mode, work, data, error);
}

/* Takes the command; NULL when Redis did not do it, for whatever reason. */
static RedisReply *try_redis(const Ephemeral *ephemeral, RedisCommand *command) {
    RedisReply *reply = NULL;
    g_autoptr(GError) ignored = NULL; /* the database is asked instead */
    return redis_run(ephemeral->redis, command, &reply, &ignored) ? reply : NULL;
}

/* --- states ---------------------------------------------------------------------------------- */

/* "PLACE RANDOM . ORGANIZATION", without the spaces. */
static char *make_state(char place, const char *organization) {
    uint8_t bytes[RANDOM_BYTES];
    secmem_random(bytes, sizeof(bytes));
    g_autofree char *random = text_base64url(bytes, sizeof(bytes));
    return g_strdup_printf("%c%s.%s", place, random, organization);
}

static const char *organization_of(const char *state) {
    size_t length = strnlen(state, STATE_TEXT_MAX + 1);
    bool formed = length > RANDOM_TEXT + 2 && length <= STATE_TEXT_MAX &&
                  (state[0] == IN_REDIS || state[0] == IN_DATABASE) &&
                  state[RANDOM_TEXT + 1] == '.' && text_is_utf8(state, length);
    return formed ? state + RANDOM_TEXT + 2 : NULL;
}

static char *state_key(const char *state) {
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(state, strlen(state), hash);
    return g_strconcat("state:", hash, NULL);
}

static bool put_state_in_redis(const Ephemeral *ephemeral, const char *state, const char *content) {
    g_autofree char *key = state_key(state);
    RedisCommand *command = redis_command_new("SET");
    redis_command_key_of_start(command, key);
    redis_command_text(command, content);
    redis_command_text(command, "PX");
    redis_command_int(command, STATE_LIFE_MS);
    g_autoptr(RedisReply) reply = try_redis(ephemeral, command);
    return reply != NULL;
}

typedef struct {
    const char *state;
    const char *content;
    char *taken;
} StateWork;

static bool put_state_work(DbUnit *unit, void *data, GError **error) {
    const StateWork *work = data;
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(work->state, strlen(work->state), hash);
    int64_t now = clock_now_ms();
    OauthState row = {
        .state_hash = hash, .content = work->content, .expires_at = now + STATE_LIFE_MS};
    return oauth_state_put(unit, &row, now, error);
}

bool ephemeral_state_new(Ephemeral *ephemeral, const char *organization, const char *content,
                         char **state_out, GError **error) {
    if (strlen(content) > OAUTH_STATE_CONTENT_MAX) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_LIMIT, "too much is to be kept with a state");
        return false;
    }
    if (ephemeral->redis) {
        g_autofree char *state = make_state(IN_REDIS, organization);
        if (put_state_in_redis(ephemeral, state, content)) {
            *state_out = g_steal_pointer(&state);
            return true;
        }
    }
    g_autofree char *state = make_state(IN_DATABASE, organization);
    StateWork work = {.state = state, .content = content};
    if (!run_in(ephemeral, organization, DB_WRITE, put_state_work, &work, error)) {
        return false;
    }
    *state_out = g_steal_pointer(&state);
    return true;
}

static char *take_from_redis(const Ephemeral *ephemeral, const char *state) {
    if (!ephemeral->redis) {
        return NULL;
    }
    g_autofree char *key = state_key(state);
    RedisCommand *command = redis_command_new("GETDEL");
    redis_command_key_of_start(command, key);
    g_autoptr(RedisReply) reply = try_redis(ephemeral, command);
    return reply && reply->kind == REDIS_KIND_TEXT ? g_strdup(reply->text) : NULL;
}

static bool take_state_work(DbUnit *unit, void *data, GError **error) {
    StateWork *work = data;
    g_clear_pointer(&work->taken, g_free);
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(work->state, strlen(work->state), hash);
    return oauth_state_take(unit, hash, clock_now_ms(), &work->taken, error);
}

/* A unit that fails may have been the one that took it: it is refused all the same. */
static char *take_from_database(const Ephemeral *ephemeral, const char *organization,
                                const char *state) {
    StateWork work = {.state = state};
    g_autoptr(GError) ignored = NULL;
    if (!run_in(ephemeral, organization, DB_WRITE, take_state_work, &work, &ignored)) {
        g_clear_pointer(&work.taken, g_free);
    }
    return work.taken;
}

bool ephemeral_state_take(Ephemeral *ephemeral, const char *state, char **organization_out,
                          char **content_out, GError **error) {
    const char *organization = organization_of(state);
    char *content = NULL;
    if (organization) {
        content = state[0] == IN_REDIS ? take_from_redis(ephemeral, state)
                                       : take_from_database(ephemeral, organization, state);
    }
    if (!content) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_AUTHENTICATION_FAILED,
                            "this authorization was used already, is too old, or did not begin "
                            "here: start again");
        return false;
    }
    *organization_out = g_strdup(organization);
    *content_out = content;
    return true;
}

/* --- tokens ---------------------------------------------------------------------------------- */

/* An older token never replaces a newer one. */
static const RedisScript put_token = {
    "local old = redis.call('GET', KEYS[1])\n"
    "if old and tonumber(string.match(old, '^%d+')) > tonumber(ARGV[1]) then return 0 end\n"
    "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])\n"
    "return 1\n"};

/* Over all that is stored, so that nothing of it can be exchanged unnoticed. */
static void checksum_of(const EphemeralTokenKey *key, const char *sealed, int64_t expires_at,
                        char out[DIGEST_HEX_SIZE]) {
    g_autofree char *text = g_strdup_printf(
        "%s\n%s\n%s\n%" G_GINT64_FORMAT "\n%" G_GINT64_FORMAT "\n%s", key->organization,
        key->integration, key->credential, key->version, expires_at, sealed);
    digest_sha256_hex(text, strlen(text), out);
}

static char *token_key(const EphemeralTokenKey *key) {
    return g_strdup_printf("token:%s:%s:%s", key->organization, key->integration, key->credential);
}

static bool put_token_in_redis(const Ephemeral *ephemeral, const EphemeralTokenKey *key,
                               const CachedToken *token) {
    g_autofree char *name = token_key(key);
    g_autofree char *value =
        g_strdup_printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s %s", token->version,
                        token->expires_at, token->checksum, token->sealed);
    RedisCommand *command = redis_command_new_script(&put_token, 1);
    redis_command_key(command, name);
    redis_command_int(command, token->version);
    redis_command_text(command, value);
    redis_command_int(command, token->expires_at - clock_now_ms());
    g_autoptr(RedisReply) reply = try_redis(ephemeral, command);
    return reply != NULL;
}

static bool put_token_work(DbUnit *unit, void *data, GError **error) {
    return token_cache_put(unit, data, clock_now_ms(), error);
}

bool ephemeral_token_put(Ephemeral *ephemeral, const EphemeralTokenKey *key, const char *sealed,
                         int64_t expires_at, GError **error) {
    char checksum[DIGEST_HEX_SIZE];
    if (expires_at <= clock_now_ms()) {
        return true;
    }
    if (strlen(sealed) > TOKEN_CACHE_SEALED_MAX) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_LIMIT, "a sealed token is too long");
        return false;
    }
    checksum_of(key, sealed, expires_at, checksum);
    CachedToken token = {.integration_id = key->integration,
                         .credential = key->credential,
                         .version = key->version,
                         .sealed = sealed,
                         .checksum = checksum,
                         .expires_at = expires_at};
    if (ephemeral->redis && put_token_in_redis(ephemeral, key, &token)) {
        return true;
    }
    return run_in(ephemeral, key->organization, DB_WRITE, put_token_work, &token, error);
}

/* The four parts of a stored text; the parts borrow from it, and it is cut up. */
static bool cut_token(char *text, CachedToken *token) {
    char *parts[4] = {text};
    for (size_t i = 1; i < G_N_ELEMENTS(parts); i++) {
        parts[i] = strchr(parts[i - 1], ' ');
        if (!parts[i]) {
            return false;
        }
        *parts[i]++ = '\0';
    }
    token->version = g_ascii_strtoll(parts[0], NULL, 10);
    token->expires_at = g_ascii_strtoll(parts[1], NULL, 10);
    token->checksum = parts[2];
    token->sealed = parts[3];
    return true;
}

typedef enum { TOKEN_NONE, TOKEN_GOOD, TOKEN_DAMAGED } TokenState;

static TokenState judge_token(const EphemeralTokenKey *key, const CachedToken *token) {
    char checksum[DIGEST_HEX_SIZE];
    checksum_of(&(EphemeralTokenKey){.organization = key->organization,
                                     .integration = key->integration,
                                     .credential = key->credential,
                                     .version = token->version},
                token->sealed, token->expires_at, checksum);
    if (strcmp(checksum, token->checksum) != 0) {
        return TOKEN_DAMAGED;
    }
    bool wanted = token->version == key->version && token->expires_at > clock_now_ms();
    return wanted ? TOKEN_GOOD : TOKEN_NONE;
}

static TokenState get_from_redis(const Ephemeral *ephemeral, const EphemeralTokenKey *key,
                                 char **sealed_out, int64_t *expires_at_out) {
    g_autofree char *name = token_key(key);
    RedisCommand *command = redis_command_new("GET");
    redis_command_key(command, name);
    g_autoptr(RedisReply) reply = try_redis(ephemeral, command);
    CachedToken token = {0};
    if (!reply || reply->kind != REDIS_KIND_TEXT) {
        return TOKEN_NONE;
    }
    TokenState state = cut_token(reply->text, &token) ? judge_token(key, &token) : TOKEN_DAMAGED;
    if (state == TOKEN_GOOD) {
        *sealed_out = g_strdup(token.sealed);
        *expires_at_out = token.expires_at;
    }
    return state;
}

typedef struct {
    CachedToken wanted;
    CachedToken *token;
} TokenWork;

static bool get_token_work(DbUnit *unit, void *data, GError **error) {
    TokenWork *work = data;
    g_clear_pointer(&work->token, cached_token_free);
    return token_cache_get(unit, &work->wanted, clock_now_ms(), &work->token, error);
}

static bool get_from_database(const Ephemeral *ephemeral, const EphemeralTokenKey *key,
                              CachedToken **token_out, GError **error) {
    TokenWork work = {.wanted = {.integration_id = key->integration,
                                 .credential = key->credential,
                                 .version = key->version}};
    bool ok = run_in(ephemeral, key->organization, DB_READ, get_token_work, &work, error);
    if (!ok) {
        g_clear_pointer(&work.token, cached_token_free);
    }
    *token_out = work.token;
    return ok;
}

static bool refuse_damage(Ephemeral *ephemeral, const EphemeralTokenKey *key, GError **error) {
    if (ephemeral_token_drop(ephemeral, key, error)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CRYPTO,
                            "a kept access token was damaged or altered; it has been forgotten, "
                            "and the next use asks for a new one");
    }
    return false;
}

bool ephemeral_token_get(Ephemeral *ephemeral, const EphemeralTokenKey *key, char **sealed_out,
                         int64_t *expires_at_out, GError **error) {
    TokenState state =
        ephemeral->redis ? get_from_redis(ephemeral, key, sealed_out, expires_at_out) : TOKEN_NONE;
    g_autoptr(CachedToken) token = NULL;
    if (state == TOKEN_GOOD) {
        return true;
    }
    if (state == TOKEN_DAMAGED) {
        return refuse_damage(ephemeral, key, error);
    }
    if (!get_from_database(ephemeral, key, &token, error)) {
        return false;
    }
    if (token && judge_token(key, token) == TOKEN_DAMAGED) {
        return refuse_damage(ephemeral, key, error);
    }
    *sealed_out = token ? g_strdup(token->sealed) : NULL;
    *expires_at_out = token ? token->expires_at : 0;
    return true;
}

static bool drop_token_work(DbUnit *unit, void *data, GError **error) {
    return token_cache_drop(unit, data, error);
}

/* A Redis that is not there forgets it when it expires; by then its version is not asked for. */
bool ephemeral_token_drop(Ephemeral *ephemeral, const EphemeralTokenKey *key, GError **error) {
    CachedToken wanted = {.integration_id = key->integration, .credential = key->credential};
    if (ephemeral->redis) {
        g_autofree char *name = token_key(key);
        RedisCommand *command = redis_command_new("DEL");
        redis_command_key(command, name);
        redis_reply_free(try_redis(ephemeral, command));
    }
    return run_in(ephemeral, key->organization, DB_WRITE, drop_token_work, &wanted, error);
}

/* --- events ---------------------------------------------------------------------------------- */

static const RedisScript add_event = {"redis.call('LPUSH', KEYS[1], ARGV[1])\n"
                                      "redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1)\n"
                                      "return 1\n"};

static char *events_key(const char *organization) {
    return g_strconcat("events:", organization, NULL);
}

static bool add_to_redis(const Ephemeral *ephemeral, const char *organization,
                         const SecurityEvent *event) {
    g_autofree char *key = events_key(organization);
    g_autofree char *value =
        g_strdup_printf("%s %" G_GINT64_FORMAT " %s", event->id, event->at, event->event);
    RedisCommand *command = redis_command_new_script(&add_event, 1);
    redis_command_key(command, key);
    redis_command_text(command, value);
    redis_command_int(command, EPHEMERAL_EVENTS);
    g_autoptr(RedisReply) reply = try_redis(ephemeral, command);
    return reply != NULL;
}

typedef struct {
    SecurityEvent event;
    bool trim;
} EventWork;

static bool add_event_work(DbUnit *unit, void *data, GError **error) {
    const EventWork *work = data;
    return security_event_put(unit, &work->event, error) &&
           (!work->trim || security_event_trim(unit, EPHEMERAL_EVENTS, error));
}

bool ephemeral_event_add(Ephemeral *ephemeral, const char *organization, const char *event,
                         GError **error) {
    char id[ID_SIZE];
    id_write(id);
    EventWork work = {.event = {.id = id, .event = event, .at = clock_now_ms()}};
    if (strlen(event) > SECURITY_EVENT_MAX) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_LIMIT, "a security event is too long");
        return false;
    }
    if (ephemeral->redis && add_to_redis(ephemeral, organization, &work.event)) {
        return true;
    }
    work.trim = atomic_fetch_add(&ephemeral->events, 1) % TRIM_EVERY == 0;
    return run_in(ephemeral, organization, DB_WRITE, add_event_work, &work, error);
}

/* An event in one block, as rows of the store are. */
static SecurityEvent *make_event(const char *id, int64_t at, const char *text) {
    size_t id_size = strlen(id) + 1;
    size_t text_size = strlen(text) + 1;
    SecurityEvent *event = g_malloc(sizeof(SecurityEvent) + id_size + text_size);
    char *room = (char *)(event + 1);
    memcpy(room, id, id_size);
    memcpy(room + id_size, text, text_size);
    *event = (SecurityEvent){.id = room, .event = room + id_size, .at = at};
    return event;
}

/* "ID AT EVENT"; what is not so written is passed over. */
static void add_line(GPtrArray *events, char *line) {
    char *at = strchr(line, ' ');
    char *text = at ? strchr(at + 1, ' ') : NULL;
    if (!text) {
        return;
    }
    *at = '\0';
    *text = '\0';
    if (id_is_valid(line)) {
        g_ptr_array_add(events, make_event(line, g_ascii_strtoll(at + 1, NULL, 10), text + 1));
    }
}

static void list_from_redis(const Ephemeral *ephemeral, const char *organization, int64_t limit,
                            GPtrArray *events) {
    g_autofree char *key = events_key(organization);
    RedisCommand *command = redis_command_new("LRANGE");
    redis_command_key(command, key);
    redis_command_int(command, 0);
    redis_command_int(command, limit - 1);
    g_autoptr(RedisReply) reply = try_redis(ephemeral, command);
    for (size_t i = 0; reply && i < reply->count; i++) {
        if (reply->items[i].kind == REDIS_KIND_TEXT) {
            add_line(events, reply->items[i].text);
        }
    }
}

typedef struct {
    int64_t limit;
    GPtrArray *events;
} ListWork;

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->events, g_ptr_array_unref);
    return security_event_list(unit, NULL, work->limit, &work->events, error);
}

static int newer_first(gconstpointer a, gconstpointer b) {
    const SecurityEvent *first = *(const SecurityEvent *const *)a;
    const SecurityEvent *second = *(const SecurityEvent *const *)b;
    return strcmp(second->id, first->id);
}

bool ephemeral_event_list(Ephemeral *ephemeral, const char *organization, int64_t limit,
                          GPtrArray **events_out, GError **error) {
    ListWork work = {.limit = CLAMP(limit, 1, STORE_LIST_MAX)};
    if (!run_in(ephemeral, organization, DB_READ, list_work, &work, error)) {
        g_clear_pointer(&work.events, g_ptr_array_unref);
        return false;
    }
    g_autoptr(GPtrArray) events =
        g_ptr_array_new_with_free_func((GDestroyNotify)security_event_free);
    g_ptr_array_extend_and_steal(events, work.events);
    if (ephemeral->redis) {
        list_from_redis(ephemeral, organization, work.limit, events);
    }
    g_ptr_array_sort(events, newer_first);
    if (events->len > (guint)work.limit) {
        g_ptr_array_set_size(events, (gint)work.limit);
    }
    *events_out = g_steal_pointer(&events);
    return true;
}
