/* control_exception.h - controls that somebody has excepted: who, why, until when. */
#pragma once

#include "store/record.h"

typedef struct {
    const char *framework;
    const char *control_id;
    const char *who;
    const char *why;
    int64_t until_at; /* 0: without end */
    int64_t created_at;
} ControlException;

/* Stores the exception in place of an earlier one. created_at 0 is the clock's now. */
bool control_exception_upsert(DbUnit *unit, const ControlException *exception,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND when there is none. */
bool control_exception_delete(DbUnit *unit, const char *framework, const char *control_id,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ControlException* of a framework that are open at a time, by control id (at most
 * STORE_LIST_MAX). The array frees its rows. */
bool control_exception_list(DbUnit *unit, const char *framework, int64_t at,
                            GPtrArray **exceptions_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
