#include "db/postgres_value.h"
#include <stdbool.h>
#include <string.h>

/* OIDs of pg_type.dat; they never change. */
enum {
    TYPE_BOOL = 16,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_FLOAT8 = 701,
    TYPE_NUMERIC = 1700,
};

#define NUMERIC_HEAD 8 /* digits, weight, sign, scale: 16 bits each */
#define NUMERIC_NEGATIVE 0x4000
#define NUMERIC_BASE 10000

static uint64_t read_bits(const char *bytes, size_t size) {
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++)
        bits = bits << 8 | (unsigned char)bytes[i];
    return bits;
}

static bool is_integer(unsigned type) {
    return type == TYPE_INT8 || type == TYPE_INT4 || type == TYPE_INT2 || type == TYPE_BOOL;
}

static int64_t read_integer(PostgresValue value) {
    uint64_t bits = read_bits(value.bytes, value.size);
    if (value.size == 4)
        return (int32_t)bits;
    return value.size == 2 ? (int16_t)bits : (int64_t)bits;
}

static double read_double(PostgresValue value) {
    uint64_t bits = read_bits(value.bytes, value.size);
    double real;
    memcpy(&real, &bits, sizeof real);
    return real;
}

static unsigned numeric_part(PostgresValue value, size_t index) {
    return (unsigned)read_bits(value.bytes + 2 * index, 2);
}

/* Digits to the base of 10,000, the first with the weight; see numeric_send(). */
static double read_numeric(PostgresValue value) {
    if (value.size < NUMERIC_HEAD)
        return 0.0;
    unsigned digits = numeric_part(value, 0);
    int weight = (int16_t)numeric_part(value, 1);
    double sum = 0.0, scale = 1.0;
    for (unsigned i = 0; i < digits && NUMERIC_HEAD + 2 * i < value.size; i++)
        sum = sum * NUMERIC_BASE + numeric_part(value, NUMERIC_HEAD / 2 + i);
    for (int i = weight + 1; i < (int)digits; i++)
        scale *= NUMERIC_BASE;
    for (int i = (int)digits; i <= weight; i++)
        sum *= NUMERIC_BASE;
    return (numeric_part(value, 2) == NUMERIC_NEGATIVE ? -sum : sum) / scale;
}

/* The whole part, exact within 64 bits. */
static int64_t read_whole_numeric(PostgresValue value) {
    if (value.size < NUMERIC_HEAD)
        return 0;
    unsigned digits = numeric_part(value, 0);
    int weight = (int16_t)numeric_part(value, 1);
    uint64_t sum = 0;
    for (int i = 0; i <= weight; i++) {
        bool given = (unsigned)i < digits && NUMERIC_HEAD + 2 * (size_t)i < value.size;
        sum = sum * NUMERIC_BASE + (given ? numeric_part(value, NUMERIC_HEAD / 2 + (size_t)i) : 0);
    }
    return (int64_t)(numeric_part(value, 2) == NUMERIC_NEGATIVE ? -sum : sum);
}

int64_t postgres_value_int(PostgresValue value) {
    if (is_integer(value.type))
        return read_integer(value);
    if (value.type == TYPE_NUMERIC)
        return read_whole_numeric(value);
    if (value.type == TYPE_FLOAT8)
        return (int64_t)read_double(value);
    return g_ascii_strtoll(value.bytes, NULL, 10);
}

double postgres_value_real(PostgresValue value) {
    if (value.type == TYPE_FLOAT8)
        return read_double(value);
    if (value.type == TYPE_NUMERIC)
        return read_numeric(value);
    if (is_integer(value.type))
        return (double)read_integer(value);
    return g_ascii_strtod(value.bytes, NULL);
}

const char *postgres_value_text(PostgresValue value, char room[POSTGRES_TEXT_ROOM]) {
    if (is_integer(value.type))
        g_snprintf(room, POSTGRES_TEXT_ROOM, "%" G_GINT64_FORMAT, read_integer(value));
    else if (value.type == TYPE_FLOAT8 || value.type == TYPE_NUMERIC)
        g_ascii_dtostr(room, POSTGRES_TEXT_ROOM, postgres_value_real(value));
    else
        return value.bytes;
    return room;
}
