/* shape.h - the form of requests and replies, as tables.
 *
 * One table serves three ends: bodies of requests are held against it, with a JSON Pointer (RFC
 * 6901) to everything that is wrong; the OpenAPI document is made from it (JSON Schema 2020-12);
 * tests hold replies against that document. Tables are static and never change.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHAPE_WRONG_MAX 20 /* what one reply names */

typedef enum {
    SHAPE_STRING,
    SHAPE_INTEGER,
    SHAPE_NUMBER,
    SHAPE_BOOLEAN,
    SHAPE_TIME,    /* RFC 3339 text */
    SHAPE_ID,      /* UUID text */
    SHAPE_OBJECT,  /* of: its schema; NULL: any object */
    SHAPE_ARRAY,   /* of: objects of that schema; NULL: items of the type `items` */
    SHAPE_MAP,     /* an object whose values are of the type `items`, or `of` */
    SHAPE_ANYTHING /* any JSON value */
} ShapeType;

enum {
    SHAPE_REQUIRED = 1 << 0, /* is always there */
    SHAPE_NULLABLE = 1 << 1, /* may be null */
    SHAPE_SECRET = 1 << 2,   /* is a secret or holds some; all else is refused with a token in it */
    SHAPE_LINES = 1 << 3     /* a text of several lines; all others are one */
};

typedef struct Shape Shape;

typedef struct {
    const char *name;
    ShapeType type;
    unsigned flags;
    const char *about; /* one sentence; NULL: the name says it */
    const Shape *of;
    ShapeType items;
    const char *const *words; /* of a string (or an array's strings): one of these; ends in NULL */
    int64_t least;            /* of an integer */
    int64_t most;             /* of an integer; bytes of a string; items of an array; 0: usual */
} ShapeField;

struct Shape {
    const char *name; /* in the OpenAPI document; NULL: written where it is used */
    const char *about;
    const ShapeField *fields; /* ends in a field without a name */
    bool open;                /* further members are allowed */
};

/* A row of a table of fields: name, type suffix, flags, sentence, then what else there is to say
 * (.words = ..., .of = ...). */
#define SHAPE_FIELD(field, kind, marks, sentence, ...)                                             \
    { .name = (field), .type = SHAPE_##kind, .flags = (marks), .about = (sentence), ##__VA_ARGS__ }

/* Most bytes of a string and items of an array, where a field does not say. */
#define SHAPE_STRING_MAX 4096
#define SHAPE_ITEMS_MAX 1000

typedef struct {
    char *pointer; /* "/dateRange/start"; "" is the body itself */
    char *detail;
} ShapeWrong;

/* Everything that is wrong with a value, as ShapeWrong*; empty when nothing is. The array frees
 * them. No detail repeats a value. */
GPtrArray *shape_check(const Shape *schema, const Json *value);
void shape_wrong_free(ShapeWrong *wrong);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ShapeWrong, shape_wrong_free)
ShapeWrong *shape_wrong_new(const char *pointer, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Members that are spelt in snake_case, renamed in place to the names of the schema; also those of
 * objects and of lists of objects within, as deep as the schema goes. */
void shape_respell(const Shape *schema, Json *value);

/* The schema as JSON Schema. Named schemas are referred to as #/components/schemas/NAME and added
 * to `named` (an object), with those that they refer to themselves. */
Json *shape_json(const Shape *schema, Json *named);
/* One field's schema, in the same way. */
Json *shape_field_json(const ShapeField *field, Json *named);
