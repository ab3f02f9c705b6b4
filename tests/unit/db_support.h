/* db_support.h - a database of notes in a folder of its own, for the tests of the db floor. */
#pragma once

#include "db/db.h"
#include <pthread.h>

typedef struct {
    char *folder;
    char *path; /* folder/notes.db */
    char *url;  /* sqlite:path, or a database of PostgreSQL (database_stage.h) */
    Db *db;     /* open and migrated; NULL after fixture_close() */
} Fixture;

/* A new folder with an open, migrated database of the catalogue below. */
void fixture_init(Fixture *fixture);
void fixture_clear(Fixture *fixture); /* closes and removes everything */
void fixture_close(Fixture *fixture);
void fixture_open(Fixture *fixture);

/* Opens url with the notes catalogue; fails the test when it cannot. */
Db *support_open(const char *url, const DbOptions *options);

/* The URL of another database, that nobody has migrated. Caller frees. */
char *fixture_empty_url(const Fixture *fixture);

/* The statements of tests/unit/notes and those about migrations. */
const StatementCatalogue *support_catalogue(void);

/* Scopes of two organizations, of the system, and of nobody. */
extern const DbScope scope_one, scope_two, scope_system, scope_nobody;

/* Runs a unit and expects it to commit. */
void expect_run(Db *db, const DbScope *scope, DbMode mode, DbWork work, void *data);

/* Runs a unit and expects this error, with this text in the message. */
void expect_error(Db *db, const DbScope *scope, DbMode mode, DbWork work, void *data,
                  ErrorCode code, const char *text);

/* Work functions. */
typedef struct {
    const char *id;
    const char *body;
} Note;

bool insert_note(DbUnit *unit, void *note, GError **error);
bool add_to_counter(DbUnit *unit, void *unused, GError **error);  /* by one */
bool read_counter(DbUnit *unit, void *int64_out, GError **error); /* 0 when there is none */
bool count_notes(DbUnit *unit, void *int64_out, GError **error);  /* of the organization */
bool check_integrity(DbUnit *unit, void *unused, GError **error); /* asserts that it is sound */

/* Counts done calls; a test waits until all have come. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int done, failed;
    char *last_error;
} Tally;

#define TALLY_INIT                                                                                 \
    { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER }

void tally_count(Tally *tally, const GError *error);
void tally_wait(Tally *tally, int count);

int64_t support_note_count(Db *db, const DbScope *scope);
int64_t support_counter(Db *db, const DbScope *scope);
