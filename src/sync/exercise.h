/* exercise.h - the tests of a definition: recorded exchanges in, evidence and verdicts out.
 *
 * A folder holds cases NAME.jsonl (connect/exchange.h). The first line of a case says what is run:
 *
 *     {"run": {"settings": {...}, "evidenceTypes": [...], "clock": "2026-01-02T03:04:05Z"}}
 *
 * and NAME.golden.json what must come out: per evidence type title, description, metadata, data and
 * what was not read, the verdict of every check with its reason, and the errors. The case runs
 * through the whole path: response rules, paging, rows, documents in a database of its own (in a
 * temporary folder), judging.
 */
#pragma once

#include "base/json.h"
#include "net/client.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    NetClient *client;           /* borrowed */
    const char *definition_file; /* path */
    const char *folder;          /* with the cases */
    bool write_golden;           /* write what came out instead of comparing */
} Exercise;

/* *report_out: {"passed", "failed", "cases": [{"name", "passed", "difference"?}]}. A case that
 * cannot be read or run counts as failed; ERROR_CONFIGURATION when the definition does not load or
 * there is no case. */
bool exercise_run(const Exercise *exercise, Json **report_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
