#include "connect/aws_signer.h"

#include "base/error.h"
#include "net/url.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STAMP_LENGTH 16 /* 20150830T123600Z */
#define DAY_LENGTH 8
#define OWN_HEADERS 4
#define NAME_MAX_LENGTH 64 /* of regions and services */
#define KEYS_MAX 1024      /* more than there are regions times services */
#define ALGORITHM "AWS4-HMAC-SHA256"
#define END_OF_SCOPE "aws4_request"
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef struct {
    const char *name; /* in lower case */
    size_t name_length;
    const char *value;
} Field;

typedef struct {
    const char *key;
    size_t key_length;
    const char *value;
    size_t value_length;
} Pair;

struct AwsSigner {
    char *key_id;
    const Secret *secret;
    const Secret *session_token; /* NULL: none */
    GHashTable *keys;            /* scope -> signing key; all of one day */
    char day[DAY_LENGTH + 1];    /* of the keys */
    int64_t second;              /* of the stamp */
    char stamp[STAMP_LENGTH + 1];
    char canonical_hash[DIGEST_HEX_SIZE];

    /* Of the request at hand; kept for their memory. */
    GString *names;
    GString *host;
    GString *query;
    GString *signed_names;
    GString *canonical;
    GString *scope;
    GString *to_sign;
    GString *authorization;
    GArray *pairs; /* of Pair */
    Field fields[AWS_SIGNER_MAX_HEADERS + OWN_HEADERS];
    size_t field_count;
};

static void free_key(void *key) {
    secmem_wipe(key, DIGEST_SIZE);
    g_free(key);
}

static void wipe_string(GString *string) {
    secmem_wipe(string->str, string->allocated_len);
    g_string_free(string, TRUE);
}

AwsSigner *aws_signer_new(const char *key_id, const Secret *secret, const Secret *session_token) {
    AwsSigner *signer = g_new0(AwsSigner, 1);
    signer->key_id = g_strdup(key_id);
    signer->secret = secret;
    signer->session_token = session_token;
    signer->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_key);
    signer->second = INT64_MIN;
    signer->pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
    GString **const strings[] = {&signer->names,        &signer->host,         &signer->query,
                                 &signer->signed_names, &signer->canonical,    &signer->scope,
                                 &signer->to_sign,      &signer->authorization};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        *strings[i] = g_string_new(NULL);
    return signer;
}

void aws_signer_free(AwsSigner *signer) {
    if (signer == NULL)
        return;
    GString *const strings[] = {signer->names,        signer->host,         signer->query,
                                signer->signed_names, signer->canonical,    signer->scope,
                                signer->to_sign,      signer->authorization};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        wipe_string(strings[i]);
    g_hash_table_unref(signer->keys);
    g_array_unref(signer->pairs);
    g_free(signer->key_id);
    g_free(signer);
}

/* Empties a string and gives it this much room at once: what it holds then never moves, so no
 * copy of a session token is left behind, and pointers into it stay good. */
static void begin_string(GString **string, size_t room) {
    if ((*string)->allocated_len <= room) {
        wipe_string(*string);
        *string = g_string_sized_new(room + 1);
    }
    g_string_truncate(*string, 0);
}

static void append_hex(GString *out, const uint8_t hash[DIGEST_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    char hex[2 * DIGEST_SIZE];
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        hex[2 * i] = digits[hash[i] >> 4];
        hex[2 * i + 1] = digits[hash[i] & 0xf];
    }
    g_string_append_len(out, hex, sizeof hex);
}

static bool fail(GError **error, ErrorCode code, const char *message) {
    g_set_error_literal(error, ASSAY_ERROR, (int)code, message);
    return false;
}

/* Encoding. */

static bool is_unreserved(char c) {
    return g_ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static void append_encoded(GString *out, char c) {
    static const char digits[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    const char code[3] = {'%', digits[byte >> 4], digits[byte & 0xf]};
    g_string_append_len(out, code, sizeof code);
}

/* Encodes what is no unreserved character; path: slashes stay as well. */
static void append_escaped(GString *out, const char *text, size_t length, bool path) {
    for (size_t i = 0; i < length; i++) {
        if (is_unreserved(text[i]) || (path && text[i] == '/'))
            g_string_append_c(out, text[i]);
        else
            append_encoded(out, text[i]);
    }
}

/* The one spelling of what is already encoded: unreserved characters as they are, all others as
 * upper-case hexadecimal. A service arrives at it by decoding and encoding again. */
static void append_reescaped(GString *out, const char *text, size_t length, bool path) {
    for (size_t i = 0; i < length; i++) {
        bool coded = text[i] == '%' && length - i > 2 && g_ascii_isxdigit(text[i + 1]) &&
                     g_ascii_isxdigit(text[i + 2]);
        if (!coded) {
            append_escaped(out, text + i, 1, path);
            continue;
        }
        char c = (char)(g_ascii_xdigit_value(text[i + 1]) * 16 + g_ascii_xdigit_value(text[i + 2]));
        append_escaped(out, &c, 1, false);
        i += 2;
    }
}

/* Whether a name of a region or service can stand in a scope without changing its parts. */
static bool is_scope_name(const char *name) {
    size_t length = 0;
    for (; name[length] != '\0'; length++) {
        if (length == NAME_MAX_LENGTH || !(g_ascii_isalnum(name[length]) || name[length] == '-'))
            return false;
    }
    return length > 0;
}

/* Path. */

static void drop_segment(GString *out, size_t start) {
    while (out->len > start && out->str[out->len - 1] != '/')
        g_string_truncate(out, out->len - 1);
    if (out->len > start)
        g_string_truncate(out, out->len - 1);
}

/* RFC 3986 section 5.2.4 with runs of slashes made one, and every segment encoded once more. */
static void append_normalised(GString *out, const char *path, size_t length) {
    size_t start = out->len;
    const char *end = path + length;
    for (const char *at = path, *next; at < end; at = next + 1) {
        next = memchr(at, '/', (size_t)(end - at));
        next = next != NULL ? next : end;
        size_t size = (size_t)(next - at);
        if (size == 0 || (size == 1 && at[0] == '.'))
            continue;
        if (size == 2 && at[0] == '.' && at[1] == '.') {
            drop_segment(out, start);
            continue;
        }
        g_string_append_c(out, '/');
        append_escaped(out, at, size, false);
    }
    if (out->len == start || path[length - 1] == '/')
        g_string_append_c(out, '/');
}

static void append_path(GString *out, UrlSlice path, bool s3) {
    if (path.length == 0)
        g_string_append_c(out, '/');
    else if (s3)
        append_reescaped(out, path.at, path.length, true);
    else
        append_normalised(out, path.at, path.length);
}

/* Query. */

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length) {
    int order = memcmp(a, b, MIN(a_length, b_length));
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_pairs(const void *a, const void *b) {
    const Pair *one = a, *other = b;
    int order = compare_bytes(one->key, one->key_length, other->key, other->key_length);
    return order != 0
               ? order
               : compare_bytes(one->value, one->value_length, other->value, other->value_length);
}

static void add_pair(AwsSigner *signer, const char *text, size_t length) {
    const char *equals = memchr(text, '=', length);
    size_t key_length = equals != NULL ? (size_t)(equals - text) : length;
    size_t start = signer->query->len;
    append_reescaped(signer->query, text, key_length, false);
    size_t middle = signer->query->len;
    if (equals != NULL)
        append_reescaped(signer->query, equals + 1, length - key_length - 1, false);
    Pair pair = {
        .key = signer->query->str + start,
        .key_length = middle - start,
        .value = signer->query->str + middle,
        .value_length = signer->query->len - middle,
    };
    g_array_append_val(signer->pairs, pair);
}

static void append_query(AwsSigner *signer, UrlSlice query) {
    if (query.at == NULL || query.length == 0)
        return;
    begin_string(&signer->query, 3 * query.length);
    g_array_set_size(signer->pairs, 0);
    const char *end = query.at + query.length;
    for (const char *at = query.at, *next; at <= end; at = next + 1) {
        next = memchr(at, '&', (size_t)(end - at));
        next = next != NULL ? next : end;
        add_pair(signer, at, (size_t)(next - at));
    }
    Pair *pairs = (Pair *)(void *)signer->pairs->data;
    qsort(pairs, signer->pairs->len, sizeof *pairs, compare_pairs);
    for (guint i = 0; i < signer->pairs->len; i++) {
        if (i > 0)
            g_string_append_c(signer->canonical, '&');
        g_string_append_len(signer->canonical, pairs[i].key, (gssize)pairs[i].key_length);
        g_string_append_c(signer->canonical, '=');
        g_string_append_len(signer->canonical, pairs[i].value, (gssize)pairs[i].value_length);
    }
}

/* Headers. */

/* What a connection or a proxy changes on the way. */
static bool is_unsigned(const char *name) {
    static const char *const names[] = {
        "connection",     "expect",  "keep-alive", "te",
        "trailer",        "upgrade", "user-agent", "transfer-encoding",
        "x-amzn-trace-id"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return strncmp(name, "proxy-", strlen("proxy-")) == 0;
}

static bool is_own(const char *name) {
    static const char *const names[] = {"authorization", "host", "x-amz-content-sha256",
                                        "x-amz-date", "x-amz-security-token"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* Keeps the fields sorted by name, equal names in the order in which they came. */
static void add_field(AwsSigner *signer, const char *name, size_t name_length, const char *value) {
    size_t at = signer->field_count++;
    for (; at > 0; at--) {
        const Field *before = &signer->fields[at - 1];
        if (compare_bytes(before->name, before->name_length, name, name_length) <= 0)
            break;
        signer->fields[at] = *before;
    }
    signer->fields[at] = (Field){name, name_length, value};
}

static bool add_given(AwsSigner *signer, const AwsSigning *what, GError **error) {
    if (what->header_count > AWS_SIGNER_MAX_HEADERS)
        return fail(error, ERROR_LIMIT, "a request to AWS may have 64 headers at most");
    size_t room = 0;
    for (size_t i = 0; i < what->header_count; i++)
        room += strlen(what->headers[i].name) + 1;
    begin_string(&signer->names, room);
    for (size_t i = 0; i < what->header_count; i++) {
        const char *name = signer->names->str + signer->names->len;
        for (const char *at = what->headers[i].name; *at != '\0'; at++)
            g_string_append_c(signer->names, g_ascii_tolower(*at));
        size_t length = (size_t)(signer->names->str + signer->names->len - name);
        if (is_own(name))
            return fail(error, ERROR_CONFIGURATION,
                        "host, authorization, x-amz-date, x-amz-security-token and "
                        "x-amz-content-sha256 are made when a request to AWS is signed; leave "
                        "them out of its headers");
        if (!is_unsigned(name))
            add_field(signer, name, length, what->headers[i].value);
        g_string_append_c(signer->names, '\0');
    }
    return true;
}

static void make_host(GString *host, const Url *url) {
    bool address = memchr(url->host.at, ':', url->host.length) != NULL;
    g_string_truncate(host, 0);
    if (address)
        g_string_append_c(host, '[');
    g_string_append_len(host, url->host.at, (gssize)url->host.length);
    if (address)
        g_string_append_c(host, ']');
    if (url->port != (url->tls ? 443U : 80U))
        g_string_append_printf(host, ":%u", url->port);
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Without blanks around it, and every run of blanks within as one space. */
static void append_trimmed(GString *out, const char *value) {
    bool blank = false;
    while (is_blank(*value))
        value++;
    for (; *value != '\0'; value++) {
        if (is_blank(*value)) {
            blank = true;
            continue;
        }
        if (blank)
            g_string_append_c(out, ' ');
        blank = false;
        g_string_append_c(out, *value);
    }
}

static bool same_name(const Field *a, const Field *b) {
    return a->name_length == b->name_length && memcmp(a->name, b->name, a->name_length) == 0;
}

static void append_fields(AwsSigner *signer) {
    GString *names = signer->signed_names;
    g_string_truncate(names, 0);
    for (size_t i = 0; i < signer->field_count; i++) {
        const Field *field = &signer->fields[i];
        if (i > 0 && same_name(field - 1, field)) {
            g_string_append_c(signer->canonical, ',');
            append_trimmed(signer->canonical, field->value);
            continue;
        }
        if (i > 0) {
            g_string_append_c(signer->canonical, '\n');
            g_string_append_c(names, ';');
        }
        g_string_append_len(names, field->name, (gssize)field->name_length);
        g_string_append_len(signer->canonical, field->name, (gssize)field->name_length);
        g_string_append_c(signer->canonical, ':');
        append_trimmed(signer->canonical, field->value);
    }
}

/* Time and keys. */

static bool set_time(AwsSigner *signer, int64_t now_ms, GError **error) {
    int64_t second = now_ms / 1000;
    if (second == signer->second)
        return true;
    time_t time = (time_t)second;
    struct tm parts;
    char stamp[sizeof signer->stamp];
    if (now_ms < 0 || gmtime_r(&time, &parts) == NULL ||
        strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts) != STAMP_LENGTH)
        return fail(error, ERROR_CONFIGURATION, "the clock is outside the years 1970 to 9999");
    memcpy(signer->stamp, stamp, sizeof stamp);
    signer->second = second;
    if (memcmp(signer->day, stamp, DAY_LENGTH) != 0) {
        g_hash_table_remove_all(signer->keys);
        memcpy(signer->day, stamp, DAY_LENGTH);
    }
    return true;
}

void aws_signer_derive(const Secret *secret, const char *date, const char *region,
                       const char *service, uint8_t out[DIGEST_SIZE]) {
    static const char prefix[] = {'A', 'W', 'S', '4'};
    size_t size = sizeof prefix + secret_size(secret);
    uint8_t *first = g_malloc(size);
    memcpy(first, prefix, sizeof prefix);
    memcpy(first + sizeof prefix, secret_bytes(secret), secret_size(secret));
    uint8_t key[DIGEST_SIZE];
    digest_hmac_sha256(first, size, date, strlen(date), key);
    secmem_wipe(first, size);
    g_free(first);
    const char *const links[] = {region, service, END_OF_SCOPE};
    for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
        digest_hmac_sha256(key, sizeof key, links[i], strlen(links[i]), out);
        memcpy(key, out, sizeof key);
    }
    secmem_wipe(key, sizeof key);
}

/* The key for the scope at hand. Borrowed from the signer until its day ends. */
static const uint8_t *signing_key(AwsSigner *signer, const AwsSigning *what) {
    const uint8_t *known = g_hash_table_lookup(signer->keys, signer->scope->str);
    if (known != NULL)
        return known;
    if (g_hash_table_size(signer->keys) >= KEYS_MAX)
        g_hash_table_remove_all(signer->keys);
    uint8_t *key = g_malloc(DIGEST_SIZE);
    aws_signer_derive(signer->secret, signer->day, what->region, what->service, key);
    g_hash_table_insert(signer->keys, g_strdup(signer->scope->str), key);
    return key;
}

/* One request. */

static void set_scope(AwsSigner *signer, const AwsSigning *what) {
    g_string_truncate(signer->scope, 0);
    g_string_append_len(signer->scope, signer->day, DAY_LENGTH);
    g_string_append_c(signer->scope, '/');
    g_string_append(signer->scope, what->region);
    g_string_append_c(signer->scope, '/');
    g_string_append(signer->scope, what->service);
    g_string_append(signer->scope, "/" END_OF_SCOPE);
}

static void hash_body(const AwsSigning *what, char out[DIGEST_HEX_SIZE]) {
    if (what->body_size == 0)
        memcpy(out, EMPTY_SHA256, sizeof EMPTY_SHA256);
    else
        digest_sha256_hex(what->body, what->body_size, out);
}

/* A bound of the canonical request: what is encoded grows threefold, and the list of names repeats
 * those of the headers. */
static size_t canonical_room(const AwsSigner *signer, const AwsSigning *what) {
    size_t room = strlen(what->method) + 3 * strlen(what->url) + 1024;
    for (size_t i = 0; i < signer->field_count; i++)
        room += 2 * signer->fields[i].name_length + strlen(signer->fields[i].value) + 3;
    return room;
}

static void make_canonical(AwsSigner *signer, const AwsSigning *what, const Url *url,
                           const char *body_hash) {
    begin_string(&signer->canonical, canonical_room(signer, what));
    g_string_append(signer->canonical, what->method);
    g_string_append_c(signer->canonical, '\n');
    append_path(signer->canonical, url->path, what->s3);
    g_string_append_c(signer->canonical, '\n');
    append_query(signer, url->query);
    g_string_append_c(signer->canonical, '\n');
    append_fields(signer);
    g_string_append(signer->canonical, "\n\n");
    g_string_append_len(signer->canonical, signer->signed_names->str,
                        (gssize)signer->signed_names->len);
    g_string_append_c(signer->canonical, '\n');
    g_string_append_len(signer->canonical, body_hash, DIGEST_HEX_SIZE - 1);
}

static void make_authorization(AwsSigner *signer, const AwsSigning *what) {
    uint8_t hash[DIGEST_SIZE];
    digest_sha256(signer->canonical->str, signer->canonical->len, hash);
    GString *text = signer->to_sign;
    g_string_assign(text, ALGORITHM "\n");
    g_string_append_len(text, signer->stamp, STAMP_LENGTH);
    g_string_append_c(text, '\n');
    g_string_append_len(text, signer->scope->str, (gssize)signer->scope->len);
    g_string_append_c(text, '\n');
    append_hex(text, hash);
    memcpy(signer->canonical_hash, text->str + text->len - (DIGEST_HEX_SIZE - 1), DIGEST_HEX_SIZE);
    digest_hmac_sha256(signing_key(signer, what), DIGEST_SIZE, text->str, text->len, hash);
    text = signer->authorization;
    g_string_assign(text, ALGORITHM " Credential=");
    g_string_append(text, signer->key_id);
    g_string_append_c(text, '/');
    g_string_append_len(text, signer->scope->str, (gssize)signer->scope->len);
    g_string_append(text, ", SignedHeaders=");
    g_string_append_len(text, signer->signed_names->str, (gssize)signer->signed_names->len);
    g_string_append(text, ", Signature=");
    append_hex(text, hash);
}

static bool add_own(AwsSigner *signer, const char *body_hash, NetHeaders *out, GError **error) {
    const Secret *token = signer->session_token;
    const NetHeader own[OWN_HEADERS - 1] = {
        {"x-amz-date", signer->stamp},
        {"x-amz-content-sha256", body_hash},
        {"x-amz-security-token", token != NULL ? secret_text(token) : NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(own); i++) {
        if (own[i].value == NULL)
            continue;
        add_field(signer, own[i].name, strlen(own[i].name), own[i].value);
        if (!net_headers_add(out, own[i].name, own[i].value, error))
            return false;
    }
    return true;
}

bool aws_sign(AwsSigner *signer, const AwsSigning *what, NetHeaders *out, GError **error) {
    Url url;
    if (!url_parse(what->url, &url, error))
        return false;
    if (!is_scope_name(what->region) || !is_scope_name(what->service))
        return fail(error, ERROR_CONFIGURATION,
                    "the region or service of a request to AWS is no name such as eu-west-1");
    signer->field_count = 0;
    if (!set_time(signer, what->now_ms, error) || !add_given(signer, what, error))
        return false;
    char body_hash[DIGEST_HEX_SIZE];
    hash_body(what, body_hash);
    make_host(signer->host, &url);
    add_field(signer, "host", strlen("host"), signer->host->str); /* every request has one */
    if (!add_own(signer, what->s3 ? body_hash : NULL, out, error))
        return false;
    set_scope(signer, what);
    make_canonical(signer, what, &url, body_hash);
    make_authorization(signer, what);
    return net_headers_add(out, "authorization", signer->authorization->str, error);
}

void aws_signer_canonical_hash(const AwsSigner *signer, char out[DIGEST_HEX_SIZE]) {
    memcpy(out, signer->canonical_hash, DIGEST_HEX_SIZE);
}
