/* Opening a database of PostgreSQL: what is said when it cannot be, and never the password. */
#include "db/db.h"
#include "unit/database_stage.h"
#include "unit/db_support.h"
#include <string.h>

#define PLANTED "planted-password-4242"

static void expect_refusal(const char *url, const char *says) {
    g_autoptr(GError) error = NULL;
    g_assert_null(db_open(url, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    if (!strstr(error->message, says))
        g_error("\"%s\" does not say \"%s\"", error->message, says);
    g_assert_null(strstr(error->message, PLANTED));
    g_assert_null(strstr(error->message, g_getenv("PGPASSWORD")));
}

static char *url_to(const char *user, const char *password, const char *port, const char *name) {
    return g_strdup_printf("postgres://%s:%s@127.0.0.1:%s/%s", user, password, port, name);
}

static void wrong_password_is_said_and_not_repeated(void) {
    g_autofree char *url = url_to("postgres", PLANTED, g_getenv("PGPORT"), "assay");
    expect_refusal(url, "user or password is wrong");
    g_autofree char *unknown = url_to("nobody-here", PLANTED, g_getenv("PGPORT"), "assay");
    expect_refusal(unknown, "user or password is wrong");
}

static void missing_password_is_said(void) {
    g_autofree char *password = g_strdup(g_getenv("PGPASSWORD"));
    g_autofree char *url =
        g_strdup_printf("postgres://postgres@127.0.0.1:%s/assay", g_getenv("PGPORT"));
    g_autoptr(GError) error = NULL;
    g_unsetenv("PGPASSWORD");
    g_assert_null(db_open(url, &error));
    g_setenv("PGPASSWORD", password, TRUE);
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, "it wants a password"));
}

static void missing_database_is_said(void) {
    g_autofree char *url =
        url_to("postgres", g_getenv("PGPASSWORD"), g_getenv("PGPORT"), "not-there");
    expect_refusal(url, "this database does not exist there");
}

/* Port 1 is nobody's. */
static void server_that_does_not_answer_is_said(void) {
    g_autofree char *url = url_to("postgres", PLANTED, "1", "assay");
    expect_refusal(url, "it cannot be reached");
    expect_refusal("postgres://postgres:" PLANTED "@host.invalid/assay", "host name is not known");
}

static void tls_that_is_wanted_and_not_there_is_said(void) {
    g_autofree char *url =
        url_to("postgres", g_getenv("PGPASSWORD"), g_getenv("PGPORT"), "assay?sslmode=require");
    expect_refusal(url, "it speaks no TLS");
}

static void database_of_another_encoding_is_refused(void) {
    Fixture f;
    fixture_init(&f);
    g_free(stage_database_ask(f.url, "create database latin template template0 encoding 'LATIN1'"
                                     " locale 'C'"));
    g_autofree char *url = url_to("postgres", g_getenv("PGPASSWORD"), g_getenv("PGPORT"), "latin");
    expect_refusal(url, "create it with encoding UTF8");
    fixture_clear(&f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/opening/" #name, name)
    ADD(wrong_password_is_said_and_not_repeated);
    ADD(missing_password_is_said);
    ADD(missing_database_is_said);
    ADD(server_that_does_not_answer_is_said);
    ADD(tls_that_is_wanted_and_not_there_is_said);
    ADD(database_of_another_encoding_is_refused);
    return g_test_run();
}
