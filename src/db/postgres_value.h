/* postgres_value.h - reads PostgreSQL's binary values: pg_type.dat and the *send() functions.
 *
 * Types that our statements give: integers (bigint, integer, smallint), double precision, numeric
 * (what sum() of bigint is), boolean (0 or 1), text and its kin, bytea. Reading a value as another
 * kind converts as SQLite does where that is plain: numbers to text and back.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    unsigned type;     /* OID */
    const char *bytes; /* with a NUL byte behind them */
    size_t size;
} PostgresValue;

int64_t postgres_value_int(PostgresValue value);
double postgres_value_real(PostgresValue value);

/* The text of a number in room, or the value's own bytes. */
#define POSTGRES_TEXT_ROOM 64
const char *postgres_value_text(PostgresValue value, char room[POSTGRES_TEXT_ROOM]);
