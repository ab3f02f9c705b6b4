/* message.h - frames on the socket pair between a parent and its worker process.
 *
 * A frame is a 4-byte length (network order), one byte of kind, and the payload: JSON for most, raw
 * bytes for secrets, so that a secret never stands in a JSON text. The socket is private to the two
 * processes (inherited, never bound to a name). Payloads are at most MESSAGE_MAX bytes; a larger
 * length means that the stream is broken.
 */
#pragma once

#include "base/json.h"
#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define MESSAGE_MAX (4 * 1024 * 1024)

typedef enum { MESSAGE_JSON = 1, MESSAGE_SECRET = 2 } MessageKind;

/* Blocking reads and writes; ERROR_CANCELLED when the peer has gone. */
bool message_send(int socket, const Json *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool message_send_secret(int socket, const Secret *secret,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Receives the next frame, which must be of this kind. */
bool message_receive(int socket, Json **json_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool message_receive_secret(int socket, Secret **secret_out,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the peer has closed its end (does not block, consumes nothing). */
bool message_peer_gone(int socket);

/* Whether a receive would find something: a frame, or the end (does not block). */
bool message_waits(int socket);

/* An error as a JSON object {code, message}, and back. */
Json *message_from_error(const GError *error);
GError *message_to_error(const Json *json);
