/* target.h - a request's target (RFC 9112 section 3.2.1) taken apart: path segments and query.
 *
 * Segments are percent-decoded one by one, so that "release%2F2.x" stays one segment. The target
 * is a copy; its parts live as long as it does.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define TARGET_SEGMENTS 16
#define TARGET_PARAMETERS 16

typedef struct {
    char *copy;
    size_t segment_count;
    const char *segments[TARGET_SEGMENTS];
    size_t parameter_count;
    struct {
        const char *name;
        const char *value;
    } parameters[TARGET_PARAMETERS];
} Target;

/* False when the target is too deep, has too many parameters or is badly encoded; it must be
 * cleared in either case. */
bool target_init(Target *target, const char *text);
void target_clear(Target *target);

/* The decoded value of a query parameter, or NULL. */
const char *target_parameter(const Target *target, const char *name);

/* A query parameter as a number between 1 and max, or the fallback. */
uint64_t target_number(const Target *target, const char *name, uint64_t max, uint64_t fallback);
