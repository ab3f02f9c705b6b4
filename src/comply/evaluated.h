/* evaluated.h - one control with what it was judged by.
 *
 * Plain values made by evaluate.h; texts and arrays belong to the evaluation.
 */
#pragma once

#include "base/json.h"
#include "comply/control.h"
#include "comply/framework.h"

/* One check on one integration, as a control sees it. */
typedef struct {
    const char *check_id; /* "type.check" */
    const char *title;
    const char *severity;
    const char *integration_id;
    const char *integration; /* its name */
    const char *evidence_type;
    const char *evidence_id; /* NULL: nothing collected */
    const char *reason;      /* or NULL */
    ControlInput input;
} EvaluatedCheck;

typedef struct {
    const FrameworkControl *control;
    ControlAnswer answer;
    const char *reason; /* one sentence */
    const EvaluatedCheck *checks;
    size_t check_count;
} EvaluatedControl;

/* {"confidenceParts": {...}, "checks": [...], "checkCount": n}: what is stored beside a status. At
 * most EVALUATE_CHECKS_MAX checks, the worst first; checkCount tells all. Confidence and its parts
 * have two digits. */
#define EVALUATE_CHECKS_MAX 200
Json *evaluated_control_detail(const EvaluatedControl *control);
/* The confidence with two digits. */
double evaluated_control_confidence(const EvaluatedControl *control);
