/* Frames between a parent and its worker: whole, bounded, and secrets apart. */
#include "unit/connect_support.h"
#include "unit/freed.h"

#include "base/error.h"
#include "sync/message.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int near;
    int far;
} Pair;

static void pair_init(Pair *pair) {
    int ends[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    *pair = (Pair){ends[0], ends[1]};
}

static void close_end(int *end) {
    if (*end >= 0)
        close(*end);
    *end = -1;
}

static void pair_clear(Pair *pair) {
    close_end(&pair->near);
    close_end(&pair->far);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pair, pair_clear)

static void push(int end, const void *bytes, size_t size) {
    g_assert_cmpint(send(end, bytes, size, MSG_NOSIGNAL), ==, (gssize)size);
}

static void expect_broken(int end, ErrorCode code) {
    Json *json = NULL;
    must_fail(code, "", message_receive(end, &json, &error));
    g_assert_null(json);
}

/* --- round trips ------------------------------------------------------------------------------ */

static void json_comes_through_in_order(void) {
    g_auto(Pair) pair;
    pair_init(&pair);
    for (int i = 0; i < 3; i++) {
        g_autofree char *text = g_strdup_printf("{\"n\":%d,\"t\":\"\\u00e9\"}", i);
        g_autoptr(Json) json = json_of(text);
        must(message_send(pair.near, json, &error));
    }
    for (int i = 0; i < 3; i++) {
        g_autoptr(Json) json = NULL;
        must(message_receive(pair.far, &json, &error));
        g_assert_cmpint(json_member_int(json, "n", -1), ==, i);
        g_assert_cmpstr(json_member_string(json, "t", ""), ==, "é");
    }
}

static void secrets_come_through_whatever_their_bytes(void) {
    static const struct {
        const char *bytes;
        size_t size;
    } table[] = {{"", 0}, {PLANTED, sizeof(PLANTED) - 1}, {"a\0b\xff\n", 5}};
    g_auto(Pair) pair;
    pair_init(&pair);
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(Secret) secret = NULL;
        must((secret = secret_new(table[i].bytes, table[i].size, &error)) != NULL);
        must(message_send_secret(pair.near, secret, &error));
        g_autoptr(Secret) got = NULL;
        must(message_receive_secret(pair.far, &got, &error));
        g_assert_cmpuint(secret_size(got), ==, table[i].size);
        g_assert_cmpint(memcmp(secret_bytes(got), table[i].bytes, table[i].size), ==, 0);
    }
}

static void a_frame_is_a_length_a_kind_and_the_payload(void) {
    g_auto(Pair) pair;
    pair_init(&pair);
    g_autoptr(Json) json = json_of("{\"a\":1}");
    must(message_send(pair.near, json, &error));
    g_autoptr(Secret) secret = secret_of("xyz");
    must(message_send_secret(pair.near, secret, &error));
    char bytes[64];
    ssize_t size = recv(pair.far, bytes, sizeof bytes, 0);
    static const char expected[] = "\0\0\0\7\1{\"a\":1}\0\0\0\3\2xyz";
    g_assert_cmpint(size, ==, sizeof expected - 1);
    g_assert_cmpint(memcmp(bytes, expected, sizeof expected - 1), ==, 0);
}

typedef struct {
    int end;
    const Json *json;
} Sending;

static void *send_slowly(void *data) {
    const Sending *sending = data;
    must(message_send(sending->end, sending->json, &error));
    return NULL;
}

static void a_frame_larger_than_the_sockets_buffer_comes_through(void) {
    g_auto(Pair) pair;
    pair_init(&pair);
    g_autoptr(Json) json = json_new_object();
    g_autofree char *large = g_strnfill(MESSAGE_MAX - 10, 'x');
    json_put_string(json, "a", large);
    Sending sending = {pair.near, json};
    pthread_t thread;
    g_assert_cmpint(pthread_create(&thread, NULL, send_slowly, &sending), ==, 0);
    g_autoptr(Json) got = NULL;
    must(message_receive(pair.far, &got, &error));
    pthread_join(thread, NULL);
    g_assert_cmpstr(json_member_string(got, "a", ""), ==, large);
}

/* --- limits and damage ------------------------------------------------------------------------ */

static void too_large_a_message_is_not_begun(void) {
    g_auto(Pair) pair;
    pair_init(&pair);
    g_autoptr(Json) json = json_new_object();
    g_autofree char *large = g_strnfill(MESSAGE_MAX, 'x');
    json_put_string(json, "a", large);
    must_fail(ERROR_LIMIT, "larger than", message_send(pair.near, json, &error));
    char byte;
    g_assert_cmpint(recv(pair.far, &byte, 1, MSG_DONTWAIT), ==, -1);
}

static void a_length_beyond_the_limit_is_a_broken_stream(void) {
    static const char *const headers[] = {"\xff\xff\xff\xff\1", "\x7f\xff\xff\xff\1",
                                          "\x00\x40\x00\x01\1"};
    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
        g_auto(Pair) pair;
        pair_init(&pair);
        push(pair.near, headers[i], 5);
        expect_broken(pair.far, ERROR_INTERNAL);
    }
}

static void kinds_are_not_taken_for_each_other(void) {
    g_auto(Pair) pair;
    pair_init(&pair);
    g_autoptr(Secret) secret = secret_of("{\"a\":1}");
    must(message_send_secret(pair.near, secret, &error));
    expect_broken(pair.far, ERROR_INTERNAL);
    g_auto(Pair) other;
    pair_init(&other);
    g_autoptr(Json) json = json_of("{\"a\":1}");
    must(message_send(other.near, json, &error));
    Secret *got = NULL;
    must_fail(ERROR_INTERNAL, "", message_receive_secret(other.far, &got, &error));
    g_assert_null(got);
    g_auto(Pair) unknown;
    pair_init(&unknown);
    push(unknown.near, "\0\0\0\2\0{}", 7);
    expect_broken(unknown.far, ERROR_INTERNAL);
}

static void a_payload_that_is_no_json_is_a_broken_stream(void) {
    static const char *const payloads[] = {"\0\0\0\2\1{]", "\0\0\0\0\1", "\0\0\0\4\1{}{}"};
    static const size_t sizes[] = {7, 5, 9};
    for (size_t i = 0; i < G_N_ELEMENTS(payloads); i++) {
        g_auto(Pair) pair;
        pair_init(&pair);
        push(pair.near, payloads[i], sizes[i]);
        expect_broken(pair.far, ERROR_INTERNAL);
    }
}

static void a_secret_beyond_the_limit_is_refused(void) {
    g_auto(Pair) pair;
    pair_init(&pair);
    push(pair.near, "\x00\x01\x00\x01\2", 5);
    Secret *got = NULL;
    must_fail(ERROR_LIMIT, "too large", message_receive_secret(pair.far, &got, &error));
    g_assert_null(got);
}

/* --- the end of the other process ------------------------------------------------------------- */

static void a_stream_that_ends_within_a_frame_is_the_end(void) {
    static const size_t sizes[] = {0, 1, 4, 5, 8};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_auto(Pair) pair;
        pair_init(&pair);
        if (sizes[i] > 0)
            push(pair.near, "\0\0\0\7\1{\"a\":1}", sizes[i]);
        close_end(&pair.near);
        expect_broken(pair.far, ERROR_CANCELLED);
    }
}

static void sending_to_nobody_is_an_error_and_no_signal(void) {
    g_auto(Pair) pair;
    pair_init(&pair);
    close_end(&pair.far);
    g_autoptr(Json) json = json_of("{}");
    g_autoptr(Secret) secret = secret_of(PLANTED);
    must_fail(ERROR_CANCELLED, "has ended", message_send(pair.near, json, &error));
    must_fail(ERROR_CANCELLED, "has ended", message_send_secret(pair.near, secret, &error));
}

static void a_peer_that_has_gone_is_seen_without_reading(void) {
    g_auto(Pair) pair;
    pair_init(&pair);
    g_assert_false(message_peer_gone(pair.far));
    g_autoptr(Json) json = json_of("{\"last\":true}");
    must(message_send(pair.near, json, &error));
    g_assert_false(message_peer_gone(pair.far));
    close_end(&pair.near);
    g_assert_true(message_peer_gone(pair.far));
    g_autoptr(Json) got = NULL;
    must(message_receive(pair.far, &got, &error));
    g_assert_true(json_member_bool(got, "last", false));
    g_assert_true(message_peer_gone(pair.far));
}

static void ignore_signal(int number) {
    (void)number;
}

typedef struct {
    int end;
    pthread_t reader;
} Piecemeal;

/* One byte at a time, each announced by a signal. */
static void *send_in_pieces(void *data) {
    const Piecemeal *piecemeal = data;
    static const char bytes[] = "\0\0\0\x0e\1{\"abc\":123456}";
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        pthread_kill(piecemeal->reader, SIGUSR1);
        push(piecemeal->end, bytes + i, 1);
    }
    return NULL;
}

static void signals_do_not_interrupt_a_frame(void) {
    struct sigaction action = {.sa_handler = ignore_signal};
    struct sigaction before;
    sigaction(SIGUSR1, &action, &before);
    for (int i = 0; i < 20; i++) {
        g_auto(Pair) pair;
        pair_init(&pair);
        Piecemeal piecemeal = {pair.near, pthread_self()};
        pthread_t thread;
        g_assert_cmpint(pthread_create(&thread, NULL, send_in_pieces, &piecemeal), ==, 0);
        g_autoptr(Json) json = NULL;
        must(message_receive(pair.far, &json, &error));
        pthread_join(thread, NULL);
        g_assert_cmpint(json_member_int(json, "abc", 0), ==, 123456);
    }
    sigaction(SIGUSR1, &before, NULL);
}

/* --- errors and secrets ----------------------------------------------------------------------- */

static void every_error_comes_through(void) {
    for (int code = 0; code < ERROR_CODES; code++) {
        g_autoptr(GError) error = g_error_new(ASSAY_ERROR, code, "what to do about %d", code);
        g_autoptr(Json) json = message_from_error(error);
        g_autoptr(GError) back = message_to_error(json);
        g_assert_error(back, ASSAY_ERROR, code);
        g_assert_cmpstr(back->message, ==, error->message);
    }
}

static void an_error_that_cannot_be_read_is_an_internal_one(void) {
    static const char *const texts[] = {"{}", "[]", "{\"code\": 3, \"message\": 4}",
                                        "{\"code\": \"NO_SUCH_CODE\"}"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Json) json = json_of(texts[i]);
        g_autoptr(GError) error = message_to_error(json);
        g_assert_error(error, ASSAY_ERROR, ERROR_INTERNAL);
        g_assert_cmpstr(error->message, ==, "the worker failed");
    }
    g_autoptr(GError) none = message_to_error(NULL);
    g_assert_error(none, ASSAY_ERROR, ERROR_INTERNAL);
}

static void a_secret_stays_in_no_freed_memory(void) {
    g_auto(Pair) pair;
    pair_init(&pair);
    freed_watch(PLANTED);
    Secret *secret = secret_of(PLANTED);
    must(message_send_secret(pair.near, secret, &error));
    secret_free(secret);
    Secret *got = NULL;
    must(message_receive_secret(pair.far, &got, &error));
    secret_free(got);
    push(pair.near, "\0\0\0\x20\2" PLANTED, 5 + strlen(PLANTED));
    close_end(&pair.near);
    must_fail(ERROR_CANCELLED, "", message_receive_secret(pair.far, &got, &error));
    size_t found = freed_count();
    freed_watch(NULL);
    g_assert_cmpuint(found, ==, 0);
}

#define ADD(name) g_test_add_func("/sync/message/" #name, name)

static void what_waits_is_seen_without_reading(void) {
    g_auto(Pair) pair;
    pair_init(&pair);
    g_autoptr(Json) json = json_of("{\"stop\":\"after\"}");
    g_assert_false(message_waits(pair.far));
    must(message_send(pair.near, json, &error));
    g_assert_true(message_waits(pair.far));
    g_autoptr(Json) received = NULL;
    must(message_receive(pair.far, &received, &error));
    g_assert_false(message_waits(pair.far));
    close_end(&pair.near);
    g_assert_true(message_waits(pair.far));
}

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    ADD(json_comes_through_in_order);
    ADD(secrets_come_through_whatever_their_bytes);
    ADD(a_frame_is_a_length_a_kind_and_the_payload);
    ADD(a_frame_larger_than_the_sockets_buffer_comes_through);
    ADD(too_large_a_message_is_not_begun);
    ADD(a_length_beyond_the_limit_is_a_broken_stream);
    ADD(kinds_are_not_taken_for_each_other);
    ADD(a_payload_that_is_no_json_is_a_broken_stream);
    ADD(a_secret_beyond_the_limit_is_refused);
    ADD(a_stream_that_ends_within_a_frame_is_the_end);
    ADD(sending_to_nobody_is_an_error_and_no_signal);
    ADD(a_peer_that_has_gone_is_seen_without_reading);
    ADD(what_waits_is_seen_without_reading);
    ADD(signals_do_not_interrupt_a_frame);
    ADD(every_error_comes_through);
    ADD(an_error_that_cannot_be_read_is_an_internal_one);
    ADD(a_secret_stays_in_no_freed_memory);
    return g_test_run();
}
