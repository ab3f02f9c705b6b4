/* findings.h - what checks hold against resources. */
#pragma once

#include "cli/command.h"
#include "cli/session.h"
#include "store/finding.h"

extern const Command findings_command;

/* The object of overview_findings() for this organization, at most filter->limit of them. */
bool findings_read(Session *session, const FindingFilter *filter, const char *cursor,
                   Json **json_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
