/* document_stream.h - an object and the data of its document as one reply, sent piece by piece.
 *
 * A piece (piece_stream.h) is a chunk of the data. The stored bytes are sent as they are, behind
 * "data": in the object. The hash is known at the end: when it is not the one that was logged, the
 * last brace is not sent and the reply is broken off.
 */
#pragma once

#include "api/desk.h"
#include "api/stream.h"
#include "db/db.h"

typedef struct {
    Desk *desk;
    const DbScope *scope;
    const char *document_id; /* NULL: "data" is null */
    const char *sha256;
    const Json *object;
} DocumentStream;

/* All of it is copied; the caller owns one reference. */
Stream *document_stream(const DocumentStream *wish);
