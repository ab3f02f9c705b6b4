/* checkup.h - what `assay doctor` finds, and what it looks at.
 *
 * A Checkup gathers findings; an Examination is what the checks are given. A check adds one finding
 * at least, also when all is well, so that nobody takes what was not looked at for sound. Every
 * finding that is not OK says what to do. No text holds a secret.
 */
#pragma once

#include "cli/output.h"
#include "cli/place.h"
#include "db/db.h"
#include "vault/keyring.h"

typedef enum { CHECKUP_OK, CHECKUP_WARNING, CHECKUP_ERROR, CHECKUP_STATES } CheckupState;

typedef struct Checkup Checkup;

Checkup *checkup_new(void);
void checkup_free(Checkup *checkup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Checkup, checkup_free)

/* What the findings that are added from now on are about: "disk". Borrowed. */
void checkup_subject(Checkup *checkup, const char *subject);

void checkup_ok(Checkup *checkup, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* advice: a sentence in the imperative. */
void checkup_warn(Checkup *checkup, const char *advice, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void checkup_fail(Checkup *checkup, const char *advice, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

size_t checkup_count(const Checkup *checkup, CheckupState state);

/* Adds the findings of such an object, which a server has sent. */
void checkup_take(Checkup *checkup, const Json *json);

/* {"healthy", "errors", "warnings", "findings": [{"check", "status", "message", "advice"}]} */
Json *checkup_json(const Checkup *checkup);
void checkup_print(const Checkup *checkup, const Output *output);

/* What is looked at. */
typedef struct {
    Checkup *checkup;
    const Place *place;
    Db *db;       /* NULL: not reachable, which was told */
    bool network; /* services may be asked */
    bool serving; /* by a process that serves: its own database and key are what is looked at */
    const Keyring *keyring; /* of that process */
} Examination;
