/* settings_mark.h - which settings a service was last started with, so that a change is noticed.
 *
 * Settings are files, variables and flags, and nobody sees them change; the next start does. What
 * is kept of each is a salted hash, also of those that are no secret. One row for each role of
 * `assay serve`, whose processes may well have settings of their own. It belongs to the
 * installation: all functions run in any scope.
 */
#pragma once

#include "store/record.h"

#define SETTINGS_MARK_MAX (256 * 1024) /* bytes of hashes */

typedef struct {
    const char *role;   /* "all", "api", "worker" */
    const char *salt;   /* hexadecimal */
    const char *hashes; /* JSON: {name: hexadecimal} */
} SettingsMark;

void settings_mark_free(SettingsMark *mark); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SettingsMark, settings_mark_free)

/* *mark_out is NULL before the first start. */
bool settings_mark_find(DbUnit *unit, const char *role, SettingsMark **mark_out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stores it in place of the one before. */
bool settings_mark_put(DbUnit *unit, const SettingsMark *mark,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
