/* audit_export.h - the audit log as one reply, one object a line, sent piece by piece.
 *
 * Each time the connection has nothing left to send, the pool reads the next page of entries, so
 * that memory holds about one page, however long the log is and however slow the client. An entry
 * that is damaged, or a server that stops, breaks the reply off: nobody takes a part for the whole.
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
