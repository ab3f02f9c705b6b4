/* aws_report.h - the credential report of IAM: a table of all users as CSV, in base64.
 *
 *   "report": {"of": "user", "first": "text of the root user's row",
 *              "columns": [["user", "${name}"], ...]}
 *
 * The report is made when it is asked for, in as much memory as its text.
 */
#pragma once

#include "base/json.h"
#include "sandbox/template.h"

#include <glib.h>

typedef struct AwsReport AwsReport;

AwsReport *aws_report_load(const Json *json, const TemplateScope *scope,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void aws_report_free(AwsReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsReport, aws_report_free)

/* Appends the report in base64; item is the root's, for its first row. */
void aws_report_render(const AwsReport *report, Item *item, const Variables *variables,
                       GString *out);
