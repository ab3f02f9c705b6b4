/* environment.h - the environment variables that are no settings (config.h), for the manual.
 *
 * A test holds the table against what the source reads.
 */
#pragma once

typedef struct {
    const char *name; /* NULL ends the table */
    const char *about;
} EnvironmentVariable;

extern const EnvironmentVariable environment_variables[];
