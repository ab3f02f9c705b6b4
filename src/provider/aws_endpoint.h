/* aws_endpoint.h - partitions and accounts of AWS, and where a service is in a partition.
 *
 * Credentials, ARNs and hosts never cross partitions, so a connection has exactly one.
 *
 * https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
 */
#pragma once

#include "provider/definition.h"

#define AWS_REGION_MAX 32     /* bytes of a region's name */
#define AWS_HOST_MAX_LEAVES 4 /* expressions in the template of a host */

/* The names in the order in which DefinitionService.hosts has them, ended by NULL: "aws",
 * "aws-us-gov", "aws-cn". */
extern const char *const aws_partition_names[AWS_PARTITIONS + 1];

/* The index of a partition by name; NULL and "" are "aws". -1 when it is unknown. */
int aws_partition(const char *name);

/* "amazonaws.com", "amazonaws.com.cn". Static storage. */
const char *aws_partition_suffix(int partition);

/* The region that is asked when nothing says another: "us-east-1", "us-gov-west-1",
 * "cn-northwest-1". Static storage. */
const char *aws_partition_region(int partition);

/* Whether a text can be the name of a region; nothing else may become part of a host. */
bool aws_region_is_name(const char *text);

/* Whether a text is the id of an account, twelve digits; NULL is none. */
bool aws_account_is_id(const char *text);

/* Whether the region must be enabled by an account before its keys are known there. Regions that
 * came after this was written must. */
bool aws_region_is_opt_in(const char *region);

/* Appends the host of a service, "ec2.eu-west-1.amazonaws.com". ERROR_CONFIGURATION when the
 * service is not in the partition or the region is no name. */
bool aws_endpoint_host(const DefinitionService *service, int partition, const char *region,
                       GString *host_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
