/* csv.h - comma-separated values with a header line (RFC 4180) as JSON objects.
 *
 * Each line becomes an object: the names of the header line with the fields of the line, all of
 * them strings. Fields may be quoted and then hold commas, line breaks and doubled quotes; lines
 * end in CRLF or LF; a byte order mark and blank lines are dropped (a table of one column has no
 * row for an empty value, then); bad UTF-8 becomes U+FFFD.
 *
 * Strict, because a table that is read wrongly is evidence of nothing: a line with more or fewer
 * fields than the header, a name that is empty or comes twice, a quote in the middle of a field, a
 * NUL, and a table that ends within quotes are refused.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provider/scan.h"

/* Called for each line with its object as JSON text, in order; the bytes are borrowed for the
 * call. Returning false stops with the error that the callback has set. */
typedef bool (*CsvRowFunc)(const char *json, size_t size, void *data, GError **error);

#define CSV_MAX_NAME 256 /* bytes of a name in the header line: each row repeats it */

typedef struct {
    const ScanLimits *limits; /* NULL: scan_default_limits; each field counts as a value */
    CsvRowFunc row;
    void *data;
} CsvRows;

/* Reads a table line by line. ERROR_SERVICE_UNAVAILABLE when it is malformed or cut short,
 * ERROR_LIMIT when it passes a limit; messages name the row, never the text. *count_out (may be
 * NULL) is the number of rows. */
bool csv_rows(const CsvRows *rows, const char *bytes, size_t size, int64_t *count_out,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends the whole table as an array of objects, of at most the limits' max_bytes. On
 * failure json_out is as it was. */
bool csv_to_json(const ScanLimits *limits, const char *bytes, size_t size, GString *json_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As csv_to_json for a table in base64, as answers in JSON and XML carry one (the credential report
 * of IAM); line breaks between its digits are passed over. */
bool csv_base64_to_json(const ScanLimits *limits, const char *text, size_t length,
                        GString *json_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
