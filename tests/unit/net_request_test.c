#include "net/request.h"

#include <string.h>

static void request_starts_with_safe_defaults(void) {
    g_autoptr(NetRequest) request = net_request_new("GET", "https://a.example/");
    g_assert_false(request->allow_private);
    g_assert_false(request->once);
    g_assert_cmpint(request->total_timeout_ms, ==, 30000);
    g_assert_cmpint(request->connect_timeout_ms, ==, 10000);
    g_assert_cmpuint(request->max_body, ==, 32U * 1024 * 1024);
    g_assert_cmpuint(request->max_header_bytes, ==, 64U * 1024);
    g_assert_null(request->body);
}

static void body_is_copied_and_replaced(void) {
    char bytes[] = "a\0b";
    g_autoptr(NetRequest) request = net_request_new("POST", "https://a.example/");
    request->secret = true;
    net_request_set_body(request, bytes, 3);
    bytes[0] = 'x';
    g_assert_cmpuint(request->body_size, ==, 3);
    g_assert_cmpint(memcmp(request->body, "a\0b", 4), ==, 0);
    net_request_set_body(request, "", 0);
    g_assert_cmpuint(request->body_size, ==, 0);
    g_assert_cmpstr(request->body, ==, "");
    net_request_free(NULL);
}

static void status_alone_is_judged_by_its_table(void) {
    static const struct {
        int status;
        Outcome outcome;
    } rows[] = {
        {200, OUTCOME_OK},          {204, OUTCOME_OK},           {304, OUTCOME_OK},
        {399, OUTCOME_OK},          {400, OUTCOME_BAD_REQUEST},  {401, OUTCOME_AUTH_EXPIRED},
        {402, OUTCOME_BAD_REQUEST}, {403, OUTCOME_FORBIDDEN},    {404, OUTCOME_BAD_REQUEST},
        {408, OUTCOME_TIMEOUT},     {429, OUTCOME_RATE_LIMITED}, {499, OUTCOME_BAD_REQUEST},
        {500, OUTCOME_UNAVAILABLE}, {503, OUTCOME_UNAVAILABLE},  {599, OUTCOME_UNAVAILABLE},
        {600, OUTCOME_BAD_REQUEST},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        NetResponse response = {.status = rows[i].status};
        NetJudgement judgement = net_classify_status(&response, NULL);
        g_assert_cmpint(judgement.outcome, ==, rows[i].outcome);
        g_assert_cmpint(judgement.wait_ms, ==, -1);
    }
}

static void buffer_grows_to_its_bound_and_no_further(void) {
    for (unsigned secret = 0; secret < 2; secret++) {
        NetBuffer buffer = {.secret = secret == 1};
        for (unsigned i = 0; i < 5000; i++) {
            g_assert_true(net_buffer_append(&buffer, "abcd", 4, 20000));
        }
        g_assert_false(net_buffer_append(&buffer, "e", 1, 20000));
        g_assert_false(net_buffer_append(&buffer, "e", SIZE_MAX, 20000));
        g_assert_true(net_buffer_append(&buffer, "", 0, 20000));
        g_assert_cmpuint(buffer.size, ==, 20000);
        g_assert_cmpuint(buffer.allocated, <=, 20000);
        g_assert_cmpuint(strlen(buffer.bytes), ==, 20000);
        g_assert_true(g_str_has_suffix(buffer.bytes, "abcdabcd"));
        net_buffer_clear(&buffer);
        g_assert_null(buffer.bytes);
    }
}

static void emptied_buffer_keeps_small_storage_and_wipes_secrets(void) {
    NetBuffer buffer = {.secret = true};
    g_assert_true(net_buffer_append(&buffer, "planted", 7, 100));
    const char *storage = buffer.bytes;
    net_buffer_reset(&buffer, 4096);
    g_assert_true(buffer.bytes == storage);
    g_assert_cmpint(memcmp(storage, "\0\0\0\0\0\0\0", 7), ==, 0);
    g_assert_false(buffer.secret);
    g_assert_true(net_buffer_append(&buffer, "next", 4, 100));
    net_buffer_reset(&buffer, 10);
    g_assert_null(buffer.bytes);
    g_assert_cmpuint(buffer.allocated, ==, 0);
}

static void taken_body_leaves_an_empty_result(void) {
    NetBuffer buffer = {0};
    g_assert_true(net_buffer_append(&buffer, "{}", 2, 100));
    NetResult result = {.response = {.body = buffer.bytes, .body_size = 2}, .buffer = &buffer};
    size_t size = 9;
    g_autofree char *body = net_result_take_body(&result, &size);
    g_assert_cmpstr(body, ==, "{}");
    g_assert_cmpuint(size, ==, 2);
    g_autofree char *again = net_result_take_body(&result, &size);
    g_assert_cmpstr(again, ==, "");
    g_assert_cmpuint(size, ==, 0);
    g_assert_cmpstr(result.response.body, ==, "");
}

#define ADD(name) g_test_add_func("/net/request/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(request_starts_with_safe_defaults);
    ADD(body_is_copied_and_replaced);
    ADD(status_alone_is_judged_by_its_table);
    ADD(buffer_grows_to_its_bound_and_no_further);
    ADD(emptied_buffer_keeps_small_storage_and_wipes_secrets);
    ADD(taken_body_leaves_an_empty_result);
    return g_test_run();
}
