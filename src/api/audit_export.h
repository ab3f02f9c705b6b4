/* audit_export.h - the audit log as one reply, one object a line, sent piece by piece.
 *
 * A piece (piece_stream.h) is a page of entries. An entry that is damaged, or a server that stops,
 * breaks the reply off: nobody takes a part for the whole.
 */
#pragma once

#include "api/desk.h"
#include "api/stream.h"
#include "db/db.h"
#include "store/audit.h"

typedef struct {
    Desk *desk;
    const DbScope *scope;
    const AuditFilter *filter; /* limit: entries in all; 0: all that there are */
} AuditExport;

/* All of it is copied; the caller owns one reference. */
Stream *audit_export(const AuditExport *wish);
