/* envelope.h - the bytes of an answer as the JSON that the definition speaks of.
 *
 * What an API wraps around its answers is taken off before anything else looks at them:
 *
 *   XML               becomes JSON (xml.h)
 *   query             the inside of OPERATIONResponse, OPERATIONResult
 *   ec2               the inside of OPERATIONResponse
 *   rest_xml          the inside of the root element
 *   `decode: csv`     an array of objects: the table, which the body is, or which stands in base64
 *                     at `decode_from` of the unwrapped answer
 *
 * The result goes through scan_body() and is what is recorded, so a replay has no envelope. An
 * empty body stays empty.
 */
#pragma once

#include "provider/definition.h"

/* Whether answers to this call have an envelope; without one their bytes are used as they came. */
bool envelope_has(const DefinitionCall *call);

/* Appends the opened answer. On failure json_out is as it was: ERROR_SERVICE_UNAVAILABLE when the
 * answer is malformed, cut short or another than that of the operation (OUTCOME_BROKEN),
 * ERROR_LIMIT when it passes a limit. Messages never quote the answer. */
bool envelope_open(const DefinitionCall *call, const char *bytes, size_t size, GString *json_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for an answer that is no success. Protocols wrap errors otherwise than answers, so those
 * in XML are given from their root element on: {"ErrorResponse": {"Error": {"Code": ...}}}. */
bool envelope_open_error(const DefinitionCall *call, const char *bytes, size_t size,
                         GString *json_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
