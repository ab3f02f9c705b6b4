/* URLs of PostgreSQL, what its errors say, and how its values are read; without a server. */
#include "db/postgres_address.h"
#include "db/postgres_error.h"
#include "db/postgres_value.h"
#include <string.h>

/* --- URLs ---------------------------------------------------------------------------------- */

static const char *value_of(const PostgresAddress *address, const char *name) {
    for (int i = 0; address->names[i]; i++) {
        if (strcmp(address->names[i], name) == 0)
            return address->values[i];
    }
    return NULL;
}

static void url_is_taken_apart(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PostgresAddress) address = postgres_address_new(
        "postgres://ann:p%40ss@db.example:6432/assay?sslmode=verify-full&pool=7", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(value_of(address, "user"), ==, "ann");
    g_assert_cmpstr(value_of(address, "password"), ==, "p@ss");
    g_assert_cmpstr(value_of(address, "host"), ==, "db.example");
    g_assert_cmpstr(value_of(address, "port"), ==, "6432");
    g_assert_cmpstr(value_of(address, "dbname"), ==, "assay");
    g_assert_cmpstr(value_of(address, "sslmode"), ==, "verify-full");
    g_assert_cmpuint(address->pool, ==, 7);
    g_assert_null(strstr(address->label, "p@ss"));
}

static void what_is_left_out_has_a_sensible_value(void) {
    g_autoptr(PostgresAddress) address =
        postgres_address_new("postgresql://one,two/assay?connect_timeout=3", NULL);
    g_assert_cmpstr(value_of(address, "target_session_attrs"), ==, "read-write");
    g_assert_cmpstr(value_of(address, "client_encoding"), ==, "UTF8");
    g_assert_cmpstr(value_of(address, "connect_timeout"), ==, "3");
    g_assert_cmpstr(value_of(address, "host"), ==, "one,two");
    g_assert_null(value_of(address, "password"));
    g_assert_cmpuint(address->pool, ==, 0);
}

static void urls_that_cannot_be_are_refused_without_repeating_them(void) {
    static const char *const urls[] = {
        "postgres://ann:hunter2@[db/assay",          "postgres://ann:hunter2@db/assay?nonsense=1",
        "postgres://ann:hun@ter2@db/assay",          "postgres://ann:hunter2/x@db/assay",
        "postgres://ann:hunter2@db/assay?pool=0",    "postgres://ann:hunter2@db/assay?pool=65",
        "postgres://ann:hunter2@db/assay?pool=many",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(postgres_address_new(urls[i], &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
        g_assert_null(strstr(error->message, "ter2"));
        g_assert_null(strstr(error->message, "ann"));
    }
}

/* --- Errors -------------------------------------------------------------------------------- */

typedef struct {
    const char *state;
    bool lost, writes;
    PostgresRetry retry;
    ErrorCode code;
    const char *says;
} ErrorCase;

static const ErrorCase error_cases[] = {
    {"", true, true, RETRY_RECONNECT, ERROR_DATABASE, "the connection to the server was lost"},
    {"57P01", false, true, RETRY_RECONNECT, ERROR_DATABASE, "ended the connection"},
    {"57014", false, true, RETRY_NEVER, ERROR_DATABASE, "cancelled the statement"},
    {"08006", false, false, RETRY_RECONNECT, ERROR_DATABASE, "lost"},
    {"40001", false, true, RETRY_AGAIN, ERROR_DATABASE, "the same rows"},
    {"40P01", false, true, RETRY_AGAIN, ERROR_DATABASE, "in a circle"},
    {"40P01", true, true, RETRY_RECONNECT, ERROR_DATABASE, "in a circle"},
    {"55P03", false, true, RETRY_LOCK, ERROR_DATABASE, "held a lock too long"},
    {"25006", false, false, RETRY_NEVER, ERROR_DATABASE, "reading only"},
    {"25006", false, true, RETRY_RECONNECT, ERROR_DATABASE, "reading only"},
    {"0A000", false, true, RETRY_ONCE, ERROR_DATABASE, "the schema has changed"},
    {"26000", false, true, RETRY_ONCE, ERROR_DATABASE, "is gone"},
    {"23505", false, true, RETRY_NEVER, ERROR_CONFLICT,
     "exists already (PostgreSQL: 23505, a_key)"},
    {"23503", false, true, RETRY_NEVER, ERROR_DATABASE, "a rule of the schema was broken"},
    {"42P01", false, true, RETRY_NEVER, ERROR_DATABASE, "42P01, a_key, the words"},
    {"XX000", false, true, RETRY_NEVER, ERROR_DATABASE, "look into its log"},
    {"XX001", false, true, RETRY_NEVER, ERROR_DATABASE, "damaged"},
    {"99999", false, true, RETRY_NEVER, ERROR_DATABASE, "refused the statement (PostgreSQL: 99999"},
};

static void errors_read_as_their_state_says(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(error_cases); i++) {
        const ErrorCase *c = &error_cases[i];
        g_autoptr(GError) error = NULL;
        PostgresFailure failure = {
            .said = g_strdup("the words"), .constraint = g_strdup("a_key"), .is_lost = c->lost};
        g_strlcpy(failure.state, c->state, sizeof failure.state);
        postgres_set_error(&error, &failure, "note_insert", "assay of db");
        g_assert_error(error, ASSAY_ERROR, (int)c->code);
        if (!strstr(error->message, c->says))
            g_error("%s: %s", c->state, error->message);
        g_assert_true(
            g_str_has_prefix(error->message, "note_insert in the database assay of db: "));
        g_assert_cmpint(postgres_retry(&failure, c->writes), ==, c->retry);
        postgres_failure_clear(&failure);
    }
}

static void words_that_may_hold_a_value_are_not_repeated(void) {
    static const char *const states[] = {"22P02", "23505", "23514", "40001", "P0001"};
    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(GError) error = NULL;
        PostgresFailure failure = {.said = g_strdup("invalid input: \"hunter2\"")};
        g_strlcpy(failure.state, states[i], sizeof failure.state);
        postgres_set_error(&error, &failure, "note_insert", "assay of db");
        g_assert_null(strstr(error->message, "hunter2"));
        postgres_failure_clear(&failure);
    }
}

/* --- Values -------------------------------------------------------------------------------- */

typedef struct {
    unsigned type;
    const char *bytes;
    size_t size;
    int64_t integer;
    double real;
    const char *text;
} ValueCase;

/* What int8send(), float8send(), numeric_send() and their kin write. */
static const ValueCase value_cases[] = {
    {20, "\0\0\0\0\0\0\0\7", 8, 7, 7.0, "7"},
    {20, "\x80\0\0\0\0\0\0\0", 8, INT64_MIN, (double)INT64_MIN, "-9223372036854775808"},
    {23, "\xff\xff\xff\xfe", 4, -2, -2.0, "-2"},
    {21, "\xff\xfe", 2, -2, -2.0, "-2"},
    {16, "\1", 1, 1, 1.0, "1"},
    {701, "\x3f\xf8\0\0\0\0\0\0", 8, 1, 1.5, "1.5"},
    {1700, "\0\0\0\0\0\0\0\0", 8, 0, 0.0, "0"},
    {1700, "\0\2\0\1\0\0\0\0\0\1\0\2", 12, 10002, 10002.0, "10002"},
    {1700, "\0\2\0\0\x40\0\0\1\0\1\x13\x88", 12, -1, -1.5, "-1.5"},
    {1700, "\0\1\0\2\0\0\0\0\0\3", 10, 300000000, 300000000.0, "300000000"},
    {1700, "\0\1", 2, 0, 0.0, "0"},
    {25, "42 and", 6, 42, 42.0, "42 and"},
};

static void values_are_read_as_any_kind(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(value_cases); i++) {
        const ValueCase *c = &value_cases[i];
        const PostgresValue value = {.type = c->type, .bytes = c->bytes, .size = c->size};
        char room[POSTGRES_TEXT_ROOM];
        g_assert_cmpint(postgres_value_int(value), ==, c->integer);
        double real = postgres_value_real(value);
        g_assert_true(real >= c->real && real <= c->real);
        g_assert_cmpstr(postgres_value_text(value, room), ==, c->text);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/postgres_address/" #name, name)
    ADD(url_is_taken_apart);
    ADD(what_is_left_out_has_a_sensible_value);
    ADD(urls_that_cannot_be_are_refused_without_repeating_them);
    ADD(errors_read_as_their_state_says);
    ADD(words_that_may_hold_a_value_are_not_repeated);
    ADD(values_are_read_as_any_kind);
    return g_test_run();
}
