#include "db/postgres_error.h"
#include <string.h>

typedef struct {
    const char *state; /* a SQLSTATE, or a class of two characters */
    ErrorCode code;
    PostgresRetry retry;
    bool repeats; /* the server's message names objects only */
    const char *advice;
} ErrorText;

/* A state stands before its class. */
static const ErrorText error_texts[] = {
    {"", ERROR_DATABASE, RETRY_RECONNECT, false, "the connection to the server was lost"},
    {"08", ERROR_DATABASE, RETRY_RECONNECT, false, "the connection to the server was lost"},
    {"0A000", ERROR_DATABASE, RETRY_ONCE, true, "the schema has changed"},
    {"22", ERROR_DATABASE, RETRY_NEVER, false, "a value is of the wrong kind or out of range"},
    {"23505", ERROR_CONFLICT, RETRY_NEVER, false, "a row with this key exists already"},
    {"23", ERROR_DATABASE, RETRY_NEVER, false, "a rule of the schema was broken"},
    {"25006", ERROR_DATABASE, RETRY_NEVER, false, "it is open for reading only"},
    {"25P03", ERROR_DATABASE, RETRY_RECONNECT, false, "a transaction was left open for too long"},
    {"26000", ERROR_DATABASE, RETRY_ONCE, false, "a prepared statement is gone"},
    {"40001", ERROR_DATABASE, RETRY_AGAIN, false, "others have changed the same rows: try again"},
    {"40P01", ERROR_DATABASE, RETRY_AGAIN, false, "it waited for others in a circle: try again"},
    {"40", ERROR_DATABASE, RETRY_RECONNECT, false, "the transaction was lost"},
    {"42501", ERROR_DATABASE, RETRY_NEVER, true,
     "the role may not do this: see docs/postgresql.md about roles"},
    {"42", ERROR_DATABASE, RETRY_NEVER, true, "it refused the statement"},
    {"53100", ERROR_DATABASE, RETRY_NEVER, false,
     "no space is left on the server's disk: free some and run again"},
    {"53300", ERROR_DATABASE, RETRY_RECONNECT, true, "the server has too many connections"},
    {"53", ERROR_DATABASE, RETRY_NEVER, true, "the server has run out of something"},
    {"54", ERROR_LIMIT, RETRY_NEVER, true, "a value is too large"},
    {"55P03", ERROR_DATABASE, RETRY_LOCK, false,
     "another process held a lock too long: try again when it is done"},
    {"57P", ERROR_DATABASE, RETRY_RECONNECT, true, "the server ended the connection"},
    {"57014", ERROR_DATABASE, RETRY_NEVER, true, "the server cancelled the statement"},
    {"58", ERROR_DATABASE, RETRY_NEVER, true, "reading or writing failed: check the server's disk"},
    {"XX001", ERROR_DATABASE, RETRY_NEVER, true, "it is damaged: restore it from a backup"},
    {"XX002", ERROR_DATABASE, RETRY_NEVER, true, "it is damaged: restore it from a backup"},
    {"XX", ERROR_DATABASE, RETRY_NEVER, true, "the server has failed: look into its log"},
};

static const ErrorText *find_error_text(const char *state) {
    static const ErrorText unknown = {NULL, ERROR_DATABASE, RETRY_NEVER, false,
                                      "it refused the statement"};
    for (size_t i = 0; i < G_N_ELEMENTS(error_texts); i++) {
        const char *known = error_texts[i].state;
        if (*known ? strncmp(known, state, strlen(known)) == 0 : *state == '\0')
            return &error_texts[i];
    }
    return &unknown;
}

void postgres_failure_clear(PostgresFailure *failure) {
    g_free(failure->said);
    g_free(failure->constraint);
    *failure = (PostgresFailure){0};
}

/* A unit that writes meets 25006 on a server that has become a standby. */
PostgresRetry postgres_retry(const PostgresFailure *failure, bool writes) {
    PostgresRetry retry = find_error_text(failure->state)->retry;
    if (failure->is_lost || (writes && strcmp(failure->state, "25006") == 0))
        return RETRY_RECONNECT;
    return retry;
}

void postgres_set_error(GError **error, const PostgresFailure *failure, const char *what,
                        const char *label) {
    const ErrorText *text = find_error_text(failure->state);
    g_autoptr(GString) detail = g_string_new(NULL);
    if (*failure->state)
        g_string_append_printf(detail, " (PostgreSQL: %s", failure->state);
    if (*failure->state && failure->constraint)
        g_string_append_printf(detail, ", %s", failure->constraint);
    if (*failure->state && text->repeats && failure->said)
        g_string_append_printf(detail, ", %s", failure->said);
    if (*failure->state)
        g_string_append_c(detail, ')');
    g_set_error(error, ASSAY_ERROR, (int)text->code, "%s in the database %s: %s%s", what, label,
                text->advice, detail->str);
}
