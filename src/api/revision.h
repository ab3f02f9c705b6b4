/* revision.h - how an object that is there is changed: in one unit of work it is read, the caller's
 * role and the header If-Match are held against it as it is then, it is changed, and the audit log
 * says so. Of two who have seen the same object, one is refused; nobody's change is lost, and none
 * is made without its entry.
 *
 *     static const Revision rename = {
 *         .read = read_it, .may = may_change, .show = show_it, .write = write_it};
 *     Thing thing = {.id = call_parameter(call, "id")};
 *     return revision_make(call, &rename, &thing, error) &&
 *            call_answer(call, 200, show_it(call, &thing));
 *
 * The functions run inside the unit, perhaps twice (db/db.h): they ask nothing of a registry, whose
 * definitions are found before, and set what they write to their data anew. What call_refuse() and
 * call_wrong() say in them is forgotten when they run again.
 */
#pragma once

#include "api/call.h"

typedef struct {
    /* Reads the object into data; once more after the change, unless it is gone then. */
    bool (*read)(DbUnit *unit, void *data, GError **error);
    /* Whether the caller may do this to it; NULL: the route's action says all. */
    bool (*may)(Call *call, const void *data, GError **error);
    /* The object as GET sends it, of which the tag is made; the caller owns it. */
    Json *(*show)(const Call *call, const void *data);
    /* Changes it and writes the audit log. */
    bool (*write)(DbUnit *unit, Call *call, void *data, GError **error);
    bool removes; /* it is not read again */
} Revision;

bool revision_make(Call *call, const Revision *revision, void *data,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
