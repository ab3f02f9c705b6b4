/* control_mapping.h - what an organization has changed in the mapping of checks to controls: which
 * further check supports a control, and which is set aside; who, why, when.
 *
 * The definitions' own mapping is not stored; comply/mapping.h lays the changes over it.
 */
#pragma once

#include "store/record.h"

/* Changes of one organization, so that they are always read as a whole. */
#define CONTROL_MAPPINGS_MAX STORE_LIST_MAX

typedef struct {
    const char *framework;
    const char *control_id; /* as the framework writes it */
    const char *provider;
    const char *check_id; /* "type.check" */
    bool added;           /* else set aside */
    const char *who;
    const char *why;
    int64_t created_at;
} ControlMapping;

/* Stores a change; created_at 0 is the clock's now. ERROR_CONFLICT when this check of this control
 * has one already, ERROR_LIMIT when the organization has CONTROL_MAPPINGS_MAX. */
bool control_mapping_insert(DbUnit *unit, const ControlMapping *mapping,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forgets all changes of a control; *count_out, which may be NULL, is their number. */
bool control_mapping_clear(DbUnit *unit, const char *framework, const char *control_id,
                           int64_t *count_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ControlMapping* of a framework (NULL: of all), by control, provider and check. The array frees
 * its rows. */
bool control_mapping_list(DbUnit *unit, const char *framework, GPtrArray **mappings_out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
