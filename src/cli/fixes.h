/* fixes.h - what to fix next: open findings, grouped by check and integration, the worst first. */
#pragma once

#include "base/json.h"
#include "cli/output.h"

#include <stddef.h>

/* How bad a severity is: critical 4 ... low 1, 0 for any other text. */
int fixes_rank(const char *severity);

/* Orders findings (JSON objects of overview_findings): worst severity first, then by check,
 * integration and resource. Returns borrowed Json pointers; the caller frees the array. */
GPtrArray *fixes_sort(const Json *findings);

/* Prints up to `most` groups with their remediation; nothing when there are no findings. */
void fixes_print(const Output *output, const Json *findings, size_t most);
