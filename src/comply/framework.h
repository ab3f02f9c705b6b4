/* framework.h - the frameworks that evidence is held against: frameworks/ID.yaml.
 *
 * Frameworks are data: ids of controls with short titles in our own words (never the standard's
 * text), an optional level, a weight, and further ids under which a control is known. The embedded
 * ones are loaded when first asked for and stay for the life of the process; they never change and
 * may be read by any thread.
 *
 * Ids are accepted in the styles seen in the wild and mean the control as it is written in the
 * file: "CC 6.1", "cc_6_1"; "9.4.2", "ISO-A.9.4.2" (2013); "A.8.5" (2022, when the framework is
 * named; A.8.x alone could be the edition of 2013). Leading zeros are not dropped: 03.05.03 of
 * NIST's revision 3 is not 3.5.3. See control_id.h.
 */
#pragma once

#include "provider/diagnostic.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define FRAMEWORK_MAX_CONTROLS 2000

typedef struct {
    const char *id; /* as written in the file */
    const char *title;
    const char *level; /* NULL when the framework has none */
    double weight;     /* 1 unless the framework says otherwise */
    const char *const *aliases;
    size_t alias_count;
    const char *const *shared; /* ids that stand for this and other controls together */
    size_t shared_count;
    size_t index; /* in Framework.controls */
} FrameworkControl;

typedef struct Framework Framework;
struct Framework {
    const char *id; /* "soc2" */
    const char *name;
    const char *edition;        /* "2017, points of focus 2022" */
    const char *const *aliases; /* further names */
    size_t alias_count;
    double points;      /* what its own score starts at and loses weights from; 0: it has none */
    const char *letter; /* the letter that ids may be written with or without; NULL when none */
    const char *beyond; /* the framework whose controls it adds to, and does not repeat; or NULL */
    const FrameworkControl *controls; /* in the order of the file */
    size_t control_count;
    struct FrameworkIndex *lookup; /* ids in all their styles; for this floor's own use */
};

/* Loads a framework from text; name is what messages call the file. Everything that is wrong is
 * added to diagnostics when it is not NULL; error carries the first (ERROR_CONFIGURATION, with
 * line and column). The caller owns the result. */
Framework *framework_load(const char *name, const char *text, size_t size, Diagnostics *diagnostics,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
void framework_free(Framework *framework);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Framework, framework_free)

/* Ids of the embedded frameworks in alphabetic order, ends in NULL. Static. */
const char *const *framework_ids(void);

/* The embedded framework, by id in any case and spelling ("SOC 2", "ISO 27001:2013"). Borrowed.
 * ERROR_NOT_FOUND names the nearest, ERROR_CONFIGURATION when its file is wrong. */
const Framework *framework_find(const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A control of a framework by any style of its id or of an alias; of a shared id the first that
 * has it. NULL when there is none. */
const FrameworkControl *framework_control(const Framework *framework, const char *id);

/* One control of one framework; both borrowed. */
typedef struct {
    const Framework *framework;
    const FrameworkControl *control;
} ControlRef;

/* What a person may have meant by "soc2:CC8.1", or by "CC8.1" alone: the control in the named
 * framework (or in the one that it goes beyond), or in every framework that has it; all controls of
 * a shared id. Owned array of
 * ControlRef, never empty.
 * ERROR_NOT_FOUND when there is none. */
GArray *framework_control_find(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For definition_check(): whether the framework has the control. Data is not used. */
bool framework_control_known(void *data, const char *framework, const char *control);
