/* control.h - where one control stands, by what its checks say. Pure: arrays in, answer out.
 *
 * Inputs are (check, integration) pairs: every check that is mapped to the control, once per
 * integration whose definition has it. The order is exception, manual and no_evidence, stale,
 * not_applicable, then the table of docs/judging.md. Met means compliant and nothing else.
 */
#pragma once

#include "base/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    CONTROL_COMPLIANT,
    CONTROL_PARTIAL,
    CONTROL_NON_COMPLIANT,
    CONTROL_INCONCLUSIVE,
    CONTROL_STALE,
    CONTROL_NO_EVIDENCE,
    CONTROL_NOT_APPLICABLE,
    CONTROL_MANUAL,
    CONTROL_EXCEPTION,
    CONTROL_STATES /* also: none */
} ControlState;

/* "compliant", "non_compliant" ...; NULL for CONTROL_STATES. Static storage. */
const char *control_state_name(ControlState state);
bool control_state_from_name(const char *name, ControlState *state_out);

/* One check on one integration. Texts are compared, not kept. */
typedef struct {
    const char *integration_id;
    const char *evidence_type;
    bool collected; /* there is a result; the rest is read only then */
    Verdict verdict;
    int64_t collected_at;
    int64_t valid_until;
    double completeness; /* of the evidence, 0..1 */
} ControlInput;

/* Inputs of one integration stand together, and within it those of one evidence type. */
typedef struct {
    const ControlInput *inputs;
    size_t count;
    bool served;   /* a known provider has a check for the control, connected or not */
    bool excepted; /* an exception is open */
    int64_t now_ms;
} ControlQuestion;

typedef struct {
    double coverage;     /* share of the mapped evidence types that are present */
    double freshness;    /* mean of remaining validity / validity */
    double completeness; /* mean share of reads that were complete */
    double agreement;    /* 1, or 0.7 when two integrations disagree */
} ControlConfidence;

typedef struct {
    ControlState state;
    ControlState beside; /* what stale and exception keep beside them, else CONTROL_STATES */
    ControlConfidence parts;
    double confidence; /* their product */
    size_t collected;  /* inputs with a result */
    size_t verdicts[VERDICTS];
} ControlAnswer;

void control_judge(const ControlQuestion *question, ControlAnswer *answer_out);
