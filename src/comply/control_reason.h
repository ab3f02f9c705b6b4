/* control_reason.h - why a control stands where it does, in one sentence for people. */
#pragma once

#include "comply/evaluated.h"
#include "comply/mapping.h"
#include "store/control_exception.h"

/* What the sentence is made of; all borrowed. */
typedef struct {
    const EvaluatedControl *control;
    const ControlException *exception; /* NULL: none is open */
    const MappedCheck *mapped;         /* checks of all providers known, connected or not */
    size_t mapped_count;
    const char *gap; /* why nothing was collected, when something is connected; or NULL */
} ControlReasonFacts;

/* Caller frees. */
char *control_reason_new(const ControlReasonFacts *facts);
