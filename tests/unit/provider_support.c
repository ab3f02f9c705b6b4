#include "provider_support.h"

#include "provider/definition_load.h"

static const char head[] = "assay: 1\n"
                           "id: demo\n"
                           "name: Demo\n"
                           "category: devops\n"
                           "summary: A provider for tests\n"
                           "checked: 2026-11-20\n"
                           "hosts: [api.demo.test]\n";
static const char settings[] =
    "settings:\n"
    "  team: {label: Team, pattern: '[a-z/ ?]+'}\n"
    "  api_url: {label: API URL, default: 'https://api.demo.test', format: url}\n";
static const char auth[] = "auth:\n"
                           "  token:\n"
                           "    label: Token\n"
                           "    scheme: bearer\n"
                           "    fields: {access_token: {label: Token, secret: true}}\n";
static const char http[] = "http:\n"
                           "  base_url: .settings.api_url\n"
                           "  headers: {Accept: application/json}\n"
                           "  page: {style: link}\n";
static const char calls[] = "calls:\n"
                            "  me: {get: /me}\n"
                            "  users:\n"
                            "    get: /teams/\\(.settings.team)/users\n"
                            "    query: {size: 100}\n"
                            "    rows: .\n"
                            "    needs: {scope: [users]}\n"
                            "  keys:\n"
                            "    get: /users/\\(.user.id)/keys\n"
                            "    rows: .\n"
                            "    needs: {scope: [keys]}\n"
                            "  profile:\n"
                            "    get: /users/\\(.user.id)/profile\n"
                            "    needs: {scope: [users, profile]}\n";
static const char evidence[] = "evidence:\n"
                               "  users:\n"
                               "    title: Users\n"
                               "    description: \\(.total) users\n"
                               "    type: config\n"
                               "    read:\n"
                               "      user: {call: users}\n"
                               "      profile: {call: profile, for: user}\n"
                               "      keys: {call: keys, for: user, fold: {total: count}}\n"
                               "    row:\n"
                               "      name: .user.name\n"
                               "      mfa: .profile.mfa\n"
                               "      age: .profile.age\n"
                               "      keys: .keys.total\n"
                               "    fields: {name: string, mfa: bool, age: 'int?', keys: int}\n"
                               "    summary: {total: count, safe: count where .mfa}\n"
                               "    checks:\n"
                               "      mfa_on:\n"
                               "        title: MFA is on\n"
                               "        resource: .name\n"
                               "        pass: .mfa\n"
                               "        severity: high\n"
                               "        require: '>80%'\n"
                               "        remediation: Turn MFA on.\n"
                               "        controls: {soc2: [CC6.1]}\n";

const char support_services[] =
    "services:\n"
    "  sts:\n"
    "    protocol: query\n"
    "    version: '2011-06-15'\n"
    "    host: sts.\\(.region).\\(.suffix)\n"
    "  iam:\n"
    "    protocol: query\n"
    "    version: '2010-05-08'\n"
    "    host: {aws: iam.amazonaws.com, aws-us-gov: iam.us-gov.amazonaws.com}\n"
    "    region: {aws: us-east-1, aws-us-gov: us-gov-west-1}\n"
    "    page: {style: token, send: {query: Marker}, from: .Marker,\n"
    "      until: '.IsTruncated != \"true\"'}\n"
    "    limits: [{scope: [connection, service], rate: 20/1s, concurrency: 8}]\n"
    "    responses: [{code: NoSuchEntity, is: absent}]\n"
    "  ec2:\n"
    "    protocol: ec2\n"
    "    version: '2016-11-15'\n"
    "    host: ec2.\\(.region).\\(.suffix)\n"
    "    page: {style: token, send: {query: NextToken}, from: .nextToken}\n"
    "  s3:\n"
    "    protocol: rest_xml\n"
    "    host: s3.\\(.region).\\(.suffix)\n"
    "    s3: true\n"
    "    page: {style: token, send: {query: continuation-token}, from: .ContinuationToken}\n"
    "  s3control:\n"
    "    protocol: rest_xml\n"
    "    host: s3-control.\\(.region).\\(.suffix)\n"
    "    sign_as: s3\n"
    "    action: s3\n"
    "    s3: true\n"
    "  kms:\n"
    "    protocol: json\n"
    "    target: TrentService\n"
    "    json: '1.1'\n"
    "    host: kms.\\(.region).\\(.suffix)\n"
    "    page: {style: token, send: {body: Marker}, from: .NextMarker}\n"
    "  securityhub:\n"
    "    protocol: rest_json\n"
    "    host: securityhub.\\(.region).\\(.suffix)\n"
    "    page: {style: token, send: {body: NextToken}, from: .NextToken}\n";

static const char aws_settings[] = "settings:\n"
                                   "  regions: {label: Regions, type: list, default: all}\n"
                                   "  partition: {label: Partition, default: aws}\n";
static const char aws_calls[] =
    "calls:\n"
    "  caller: {aws: sts.GetCallerIdentity, region: null, needs: {}}\n"
    "  regions: {aws: ec2.DescribeRegions, region: null, rows: .regionInfo.item}\n"
    "  users: {aws: iam.ListUsers, params: {MaxItems: 1000}, rows: .Users.member}\n"
    "  devices:\n"
    "    aws: iam.ListMFADevices\n"
    "    params: {UserName: '\\(.user.UserName)', 'Filter.member.1': a b}\n"
    "    rows: .MFADevices.member\n"
    "  summary: {aws: iam.GetAccountSummary, maps: [SummaryMap]}\n"
    "  request:\n"
    "    aws: iam.GenerateCredentialReport\n"
    "    poll: {until: .State == \"COMPLETE\", every: 2s, for: 60s}\n"
    "  report: {aws: iam.GetCredentialReport, decode: csv, decode_from: .Content, rows: .,\n"
    "    page: none}\n"
    "  vpcs: {aws: ec2.DescribeVpcs, rows: .vpcSet.item}\n"
    "  flow_logs: {aws: ec2.DescribeFlowLogs, rows: .flowLogSet.item}\n"
    "  buckets:\n"
    "    aws: s3.ListBuckets\n"
    "    get: /\n"
    "    query: {max-buckets: 1000}\n"
    "    region: null\n"
    "    rows: .Buckets.Bucket\n"
    "    needs: {iam: ['s3:ListAllMyBuckets']}\n"
    "  encryption:\n"
    "    aws: s3.GetBucketEncryption\n"
    "    get: /\\(.bucket.Name)?encryption\n"
    "    region: .bucket.BucketRegion\n"
    "    lists: [Rule]\n"
    "    needs: {iam: ['s3:GetEncryptionConfiguration']}\n"
    "  policy: {aws: s3.GetBucketPolicy, get: '/\\(.bucket.Name)?policy', decode: json,\n"
    "    region: .bucket.BucketRegion, responses: [{code: NoSuchBucketPolicy, is: absent}]}\n"
    "  account_block:\n"
    "    aws: s3control.GetPublicAccessBlock\n"
    "    get: /v20180820/configuration/publicAccessBlock\n"
    "    headers: {x-amz-account-id: '\\(.me.Account)'}\n"
    "    host_prefix: \\(.me.Account).\n"
    "    region: null\n"
    "  keys: {aws: kms.ListKeys, rows: .Keys}\n"
    "  key: {aws: kms.DescribeKey, json: '{KeyId: .key.KeyId}'}\n"
    "  hub: {aws: securityhub.DescribeHub, get: /accounts,\n"
    "    responses: [{code: InvalidAccessException, is: absent}]}\n"
    "  findings: {aws: securityhub.GetFindings, post: /findings, json: '{MaxResults: 100}',\n"
    "    rows: .Findings}\n";
static const char aws_evidence[] =
    "evidence:\n"
    "  mfa:\n"
    "    title: MFA\n"
    "    description: MFA\n"
    "    type: config\n"
    "    metadata: '{account: .me.Account}'\n"
    "    read:\n"
    "      me: {call: caller}\n"
    "      user: {call: users}\n"
    "      requested: {call: request}\n"
    "      devices: {call: devices, for: user, collect: 10}\n"
    "      report: {call: report, for: user,\n"
    "        index: {on: .user, key: .user.UserName, once_per: requested}}\n"
    "    row:\n"
    "      name: .user.UserName\n"
    "      devices: .devices | length\n"
    "      groups: '[.user.GroupList.member[]]'\n"
    "      password: .report.password_enabled\n"
    "    fields: {name: string, devices: int, groups: '[string]', password: 'string?'}\n"
    "  networks:\n"
    "    title: Networks\n"
    "    description: Networks\n"
    "    type: config\n"
    "    read:\n"
    "      region:\n"
    "        call: regions\n"
    "        given: >-\n"
    "          if .settings.regions == [\"all\"] then null\n"
    "          else [.settings.regions[] | {regionName: .}] end\n"
    "      vpc: {call: vpcs, for: region}\n"
    "      log: {call: flow_logs, for: vpc, collect: 5, where: .log.state == \"on\",\n"
    "        index: {on: .resourceId, key: .vpc.vpcId, once_per: region}}\n"
    "    row: {id: .vpc.vpcId, region: .region.regionName, logs: '[.log[].id]'}\n"
    "    fields: {id: string, region: string, logs: '[string]'}\n";

static const char *or_default(const char *part, const char *fallback) {
    return part != NULL ? part : fallback;
}

char *support_text(const SupportParts *parts) {
    return g_strconcat(or_default(parts->head, head), or_default(parts->settings, settings),
                       or_default(parts->auth, auth), or_default(parts->http, http),
                       or_default(parts->identity, ""), or_default(parts->calls, calls),
                       or_default(parts->evidence, evidence), or_default(parts->rest, ""), NULL);
}

static Definition *load(const char *name, const char *text, size_t size) {
    GError *error = NULL;
    Definition *definition = definition_load(name, text, size, NULL, &error);
    g_assert_no_error(error);
    return definition;
}

Definition *support_load(const SupportParts *parts) {
    g_autofree char *text = support_text(parts);
    return load("demo.yaml", text, strlen(text));
}

Definition *support_aws(const char *own_calls, const char *own_evidence) {
    return support_load(&(SupportParts){.settings = aws_settings,
                                        .http = support_services,
                                        .calls = or_default(own_calls, aws_calls),
                                        .evidence = or_default(own_evidence, aws_evidence)});
}

Definition *support_github(void) {
    const char *source = g_getenv("ASSAY_SOURCE");
    g_autofree char *path =
        g_build_filename(source == NULL ? "." : source, "providers", "github.yaml", NULL);
    g_autofree char *text = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    return load("github.yaml", text, size);
}

Value support_value(const char *json) {
    Value value = VALUE_NONE;
    GError *error = NULL;
    g_assert_true(value_parse(json, strlen(json), &value, &error));
    g_assert_no_error(error);
    return value;
}

SupportRender support_render_new(Definition *definition, const char *values) {
    SupportRender fixture = {.definition = definition, .settings = support_value(values)};
    GError *error = NULL;
    fixture.render = render_new(definition, fixture.settings, 0, &error);
    g_assert_no_error(error);
    return fixture;
}

void support_render_clear(SupportRender *fixture) {
    render_free(fixture->render);
    value_clear(&fixture->settings);
    definition_free(fixture->definition);
}

RenderedRequest support_rendered(SupportRender *fixture, const char *call, const char *env,
                                 const Page *page) {
    g_auto(Value) root = support_value(env);
    RenderedRequest request;
    GError *error = NULL;
    bool done = render_call(fixture->render, definition_call(fixture->definition, call), root, page,
                            &request, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    return request;
}

char *support_outcome(const ExprResult *result) {
    static const char *const names[] = {"one ", "none", "many ", "failed "};
    g_autofree char *json = value_to_json(result->value);
    bool valued = result->outcome == EXPR_ONE || result->outcome == EXPR_MANY;
    return g_strconcat(names[result->outcome], valued ? json : "",
                       result->message != NULL ? result->message : "", NULL);
}

const DefinitionService *support_service(const Definition *definition, const char *name) {
    for (size_t i = 0; i < definition->service_count; i++) {
        if (strcmp(definition->services[i].name, name) == 0)
            return &definition->services[i];
    }
    g_assert_not_reached();
}
