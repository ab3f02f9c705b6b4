/* aws_options.h - the command line of the AWS sandbox, and the constants that follow from it.
 *
 * Constants: account, partition, suffix, regions, region_count, global_region, users, buckets,
 * today, today_epoch, hour_epoch (the hour in which the sandbox was started; the beginning of the
 * day where that is given), and what --set gives; the data's own are overridden by these.
 */
#pragma once

#include "base/json.h"
#include "sandbox/aws.h"

#include <glib.h>
#include <stdbool.h>

#define AWS_ACCESS_KEY "AKIASANDBOX000000001"
#define AWS_SECRET_KEY "sandbox/secret+key/that/is/forty/chars00"

typedef struct {
    int users;
    int buckets;
    char *regions;
    char *account;
    char *partition;
    char *access_key;
    char *secret_key;
    char *session_token;
    char *role_arn;
    char *external_id;
    int session_seconds;
    int page_max;
    int report_polls;
    gboolean keep_rates;
    char *today;
    int64_t hour; /* of its start; 0: the day was given */
    int clock_offset;
    char **set;
} AwsCommandLine;

void aws_command_line_init(AwsCommandLine *line);
void aws_command_line_clear(AwsCommandLine *line);

/* A group of options that fills line; the context takes it. */
GOptionGroup *aws_command_line_group(AwsCommandLine *line);

/* Fills in what was not given; NULL, or what is wrong. */
const char *aws_command_line_check(AwsCommandLine *line);

/* Compiles data (taken). ERROR_CONFIGURATION and the data's errors. */
Aws *aws_command_line_open(const AwsCommandLine *line, Json *data, uint64_t seed,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
