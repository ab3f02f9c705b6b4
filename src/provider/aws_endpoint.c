#include "provider/aws_endpoint.h"

#include <string.h>

const char *const aws_partition_names[AWS_PARTITIONS + 1] = {"aws", "aws-us-gov", "aws-cn", NULL};

static const struct {
    const char *suffix;
    const char *region;
} partitions[AWS_PARTITIONS] = {
    {"amazonaws.com", "us-east-1"},
    {"amazonaws.com", "us-gov-west-1"},
    {"amazonaws.com.cn", "cn-northwest-1"},
};

/* Regions that every account has from its beginning.
 * https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html */
static const char *const always_on[] = {"ap-northeast-1", "ap-northeast-2",
                                        "ap-northeast-3", "ap-south-1",
                                        "ap-southeast-1", "ap-southeast-2",
                                        "ca-central-1",   "cn-north-1",
                                        "cn-northwest-1", "eu-central-1",
                                        "eu-north-1",     "eu-west-1",
                                        "eu-west-2",      "eu-west-3",
                                        "sa-east-1",      "us-east-1",
                                        "us-east-2",      "us-gov-east-1",
                                        "us-gov-west-1",  "us-west-1",
                                        "us-west-2",      NULL};

int aws_partition(const char *name) {
    if (name == NULL || name[0] == '\0')
        return 0;
    for (int i = 0; i < AWS_PARTITIONS; i++) {
        if (strcmp(aws_partition_names[i], name) == 0)
            return i;
    }
    return -1;
}

const char *aws_partition_suffix(int partition) {
    return partitions[partition].suffix;
}

const char *aws_partition_region(int partition) {
    return partitions[partition].region;
}

bool aws_region_is_name(const char *text) {
    size_t length = strlen(text);
    if (length < 3 || length > AWS_REGION_MAX || text[0] == '-' || text[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_islower(text[i]) && !g_ascii_isdigit(text[i]) && text[i] != '-')
            return false;
    }
    return true;
}

bool aws_region_is_opt_in(const char *region) {
    return !g_strv_contains(always_on, region);
}

/* The template's expressions are `.region` and `.suffix`: the loader has seen to it. */
static bool append_template(const DefinitionService *service, int partition, const char *region,
                            GString *out, GError **error) {
    ExprResult results[AWS_HOST_MAX_LEAVES] = {{.outcome = EXPR_NONE}};
    size_t count = template_leaf_count(service->host);
    for (size_t i = 0; i < count; i++) {
        bool suffix = expr_mentions(template_leaf(service->host, i), "suffix");
        const char *text = suffix ? partitions[partition].suffix : region;
        results[i] = (ExprResult){.outcome = EXPR_ONE, .value = value_new_string(text)};
    }
    bool done = template_render(service->host, results, out, error);
    expr_results_clear(results, count);
    return done;
}

bool aws_account_is_id(const char *text) {
    return text != NULL && strlen(text) == 12 && strspn(text, G_CSET_DIGITS) == 12;
}

bool aws_endpoint_host(const DefinitionService *service, int partition, const char *region,
                       GString *host_out, GError **error) {
    if (!aws_region_is_name(region)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "'%.40s' is not the name of a region such as eu-west-1; check the setting "
                    "regions",
                    region);
        return false;
    }
    if (service->hosts[partition] != NULL) {
        g_string_append(host_out, service->hosts[partition]);
        return true;
    }
    if (service->host != NULL)
        return append_template(service, partition, region, host_out, error);
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "the service %s is not known in the partition %s", service->name,
                aws_partition_names[partition]);
    return false;
}
