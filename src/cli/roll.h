/* roll.h - a page of a list (present/roll.h) from the data directory or from a server.
 *
 * Both give the same object. The options --limit and --cursor say which page.
 */
#pragma once

#include "cli/remote.h"
#include "cli/session.h"
#include "present/roll.h"

#define ROLL_OPTIONS                                                                               \
    {"limit", OPTION_COUNT, "N", "at most so many (1,000)"}, {                                     \
        "cursor", OPTION_TEXT, "CURSOR", "go on behind a nextCursor"                               \
    }

/* Where a roll is read. */
typedef struct {
    const Roll *roll;
    const char *path; /* of the API */
    SessionMode mode;
} RollPlace;

/* The caller owns the page; NULL with the error set. */
Json *roll_here(const RollPlace *place, const Arguments *arguments,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
Json *roll_there(const RollPlace *place, const Arguments *arguments, Remote *remote,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
