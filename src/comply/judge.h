/* judge.h - judges stored evidence: verdict of each check, findings, check results.
 *
 * A pure function of the evidence record, its document, the definition and the settings: nothing is
 * asked of a provider, and judging the same evidence again changes nothing. The document is
 * streamed chunk by chunk (each read in a short unit of work of its own) and its rows pass through
 * all checks of the type; memory grows with failing resources only (resource_set.h).
 *
 * Findings: a failing resource opens, reopens or refreshes its finding; the worst row wins. A
 * finding is resolved only when this evidence has rows of its resource, none of them fails and none
 * could not be read, and no list that makes rows was cut in the middle. Everything is written in
 * bounded batches; a judge killed between two of them is simply run again.
 *
 * Whatever judges evaluates expressions, so it belongs into a worker process.
 */
#pragma once

#include "base/verdict.h"
#include "db/db.h"
#include "provider/definition.h"

typedef struct {
    int64_t rows;               /* rows of the document */
    int64_t verdicts[VERDICTS]; /* checks by verdict */
    int64_t opened;             /* findings */
    int64_t regressed;
    int64_t refreshed;
    int64_t resolved;
    bool superseded; /* newer evidence of this type exists: nothing was written */
    char *problem;   /* why expressions could not be run, one sentence, or NULL */
} JudgeReport;

void judge_report_clear(JudgeReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(JudgeReport, judge_report_clear)

/* Judges one evidence record by the checks of its type and stores results and findings.
 * report_out may be NULL. ERROR_NOT_FOUND when there is no such evidence or the definition does not
 * have its type; ERROR_DATABASE when the document is damaged. */
bool judge_evidence(Db *db, const DbScope *scope, const Definition *definition,
                    const char *evidence_id, JudgeReport *report_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
