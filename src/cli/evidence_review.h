/* evidence_review.h - approves or rejects an evidence item. */
#pragma once

#include "cli/command.h"

extern const Command evidence_review_command;
