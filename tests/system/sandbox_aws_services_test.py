#!/usr/bin/env python3
"""assay-sandbox has the operations of AWS, their forms, and things in every state that is judged."""

import base64
import csv
import datetime
import io
import json
import os
import pathlib
import sys
import time
from collections import Counter
from urllib.parse import quote, unquote

import tap
from sandbox_aws_client import ACCOUNT, FORM, REGIONS, ROLE, AwsSandbox, Call, pages

SOURCE = pathlib.Path(os.environ["ASSAY_SOURCE"])
UTC = datetime.timezone.utc


def data():
    """All of the sandbox's data of AWS, as it is merged at start."""
    merged = {}
    for file in sorted((SOURCE / "sandbox" / "providers").glob("aws*.json")):
        for name, part in json.loads(file.read_text()).items():
            if isinstance(part, dict):
                merged.setdefault(name, {}).update(part)
    return merged


def all_users(aws, **parameters):
    return pages(lambda **given: aws.iam("ListUsers", **given), lambda r: r.texts("UserName"),
                 lambda r: r.text("Marker"), "Marker", **parameters)


def bucket_regions(aws):
    root = aws.rest("s3", "GET", "/?max-buckets=1000").root
    return {bucket.findtext("Name"): bucket.findtext("BucketRegion") for bucket in root.iterfind(".//Bucket")}


# IAM

def test_users_are_listed_page_by_page():
    with AwsSandbox("--users", "250") as aws:
        names, count = all_users(aws)
        assert names == [f"user-{n}" for n in range(1, 251)] and count == 3
        assert all_users(aws, MaxItems="1000") == (names, 1)
        for size in ("0", "1001", "many"):
            assert aws.iam("ListUsers", MaxItems=size).code == "ValidationError"
        assert aws.iam("ListUsers", Marker="nonsense").code == "ValidationError"
        first = aws.iam("ListUsers", MaxItems="249")
        assert first.text("IsTruncated") == "true" and first.text("Marker")
        last = aws.iam("ListUsers", MaxItems="250")
        assert last.text("IsTruncated") == "false" and last.text("Marker") is None


def test_pages_may_be_smaller_than_asked():
    with AwsSandbox("--users", "50", "--page-max", "7") as aws:
        names, count = all_users(aws, MaxItems="1000")
        assert len(names) == 50 and count == 8
        reply = aws.iam("GetAccountAuthorizationDetails", MaxItems="1000")
        assert len(reply.root.findall(".//UserDetailList/member")) == 7 and reply.text("IsTruncated") == "true"


def test_unknown_names_are_no_such_entity():
    with AwsSandbox("--users", "5") as aws:
        for action, parameters in (
                ("ListMFADevices", {"UserName": "user-6"}), ("GetUser", {"UserName": "user-0"}),
                ("ListMFADevices", {"UserName": "user-01"}), ("GetRole", {"RoleName": "role-9999"}),
                ("GetPolicyVersion", {"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/none", "VersionId": "v1"}),
                ("GetUserPolicy", {"UserName": "user-1", "PolicyName": "none"}),
                ("GetAccessKeyLastUsed", {"AccessKeyId": "AKIANONE"}), ("ListGroupPolicies", {"GroupName": "none"})):
            reply = aws.iam(action, **parameters)
            assert (reply.status, reply.code) == (404, "NoSuchEntity"), (action, reply.body)
        assert aws.iam("GetUser", UserName='<"&>').message == 'The user with name <"&> cannot be found.'
        missing = aws.iam("ListMFADevices")
        assert (missing.status, missing.code) == (400, "ValidationError") and "UserName" in missing.message


def test_unknown_operations_and_versions_are_refused():
    with AwsSandbox() as aws:
        assert aws.iam("DeleteUser", UserName="user-1").code == "InvalidAction"
        call = Call("iam", body=b"Action=ListUsers&Version=2000-01-01", headers={"Content-Type": FORM})
        assert aws.send(call).code == "InvalidAction"
        assert aws.json("kms", "ScheduleKeyDeletion").code == "UnknownOperationException"
        call = Call("kms", body=b"{}", headers={"X-Amz-Target": "TrentService.ListKeys", "Content-Type": "text/plain"})
        assert aws.send(call).code == "UnknownOperationException"
        call = Call("kms", body=b"[1", headers={"X-Amz-Target": "TrentService.ListKeys",
                                                "Content-Type": "application/x-amz-json-1.1"})
        assert aws.send(call).code == "SerializationException"
        assert aws.send(Call("iam", body=b"Action=%zz&Version=2010-05-08", headers={"Content-Type": FORM})).status == 400
        assert aws.rest("s3", "GET", "/bucket-1?uploads").status == 405
        assert aws.rest("securityhub", "GET", "/nothing").status == 404


def report(aws):
    for _ in range(10):
        if aws.iam("GenerateCredentialReport").text("State") == "COMPLETE":
            break
    reply = aws.iam("GetCredentialReport")
    text = base64.b64decode(reply.text("Content"), validate=True).decode()
    return reply, list(csv.DictReader(io.StringIO(text)))


def test_credential_report_is_generated_polled_and_read():
    with AwsSandbox("--users", "30", "--report-polls", "2") as aws:
        early = aws.iam("GetCredentialReport")
        assert (early.status, early.code) == (410, "ReportNotPresent")
        states = [aws.iam("GenerateCredentialReport").text("State") for _ in range(2)]
        waiting = aws.iam("GetCredentialReport")
        assert states == ["STARTED", "INPROGRESS"] and (waiting.status, waiting.code) == (404, "ReportInProgress")
        reply, rows = report(aws)
        assert reply.text("ReportFormat") == "text/csv" and reply.text("GeneratedTime").endswith("Z")
        assert len(rows) == 31 and rows[0]["user"] == "<root_account>" and rows[0]["arn"].endswith(":root")
        assert all(None not in row and None not in row.values() for row in rows)
        aws.control("POST", "reset")
        assert aws.iam("GetCredentialReport").code == "ReportNotPresent"


def test_credential_report_says_what_the_calls_say():
    with AwsSandbox("--users", "60") as aws:
        for row in report(aws)[1][1:]:
            name = row["user"]
            devices = aws.iam("ListMFADevices", UserName=name).texts("SerialNumber")
            assert row["mfa_active"] == ("true" if devices else "false")
            profile = aws.iam("GetLoginProfile", UserName=name)
            assert (profile.status == 200) == (row["password_enabled"] == "true")
            assert profile.status == 200 or profile.code == "NoSuchEntity"
            keys = aws.iam("ListAccessKeys", UserName=name).root.findall(".//AccessKeyMetadata/member")
            assert [key.findtext("Status") == "Active" for key in keys] == [
                row[f"access_key_{n}_active"] == "true" for n in range(1, len(keys) + 1)]
            for number, key in enumerate(keys, 1):
                assert key.findtext("CreateDate")[:-1] + "+00:00" == row[f"access_key_{number}_last_rotated"]
                used = aws.iam("GetAccessKeyLastUsed", AccessKeyId=key.findtext("AccessKeyId"))
                date = used.text("LastUsedDate")
                assert row[f"access_key_{number}_last_used_date"] == (date[:-1] + "+00:00" if date else "N/A")
                assert used.text("ServiceName") == row[f"access_key_{number}_last_used_service"]
            for number in range(len(keys) + 1, 3):
                assert row[f"access_key_{number}_last_rotated"] == "N/A"


def test_mix_of_users_is_as_documented():
    with AwsSandbox("--users", "2000") as aws:
        rows = report(aws)[1][1:]
        console = [row for row in rows if row["password_enabled"] == "true"]
        assert 0.74 < len(console) / len(rows) < 0.82
        assert 0.16 < sum(row["mfa_active"] == "false" for row in console) / len(console) < 0.25
        old = (datetime.datetime.now(UTC) - datetime.timedelta(days=90)).strftime("%Y-%m-%d")
        active = [row for row in rows if row["access_key_1_active"] == "true"]
        assert 0.3 < sum(row["access_key_1_last_rotated"] < old for row in active) / len(active) < 0.5
        assert any(row["access_key_1_last_used_date"] == "N/A" for row in active)
        assert any(row["password_last_used"] == "no_information" for row in console)


def test_authorization_details_hold_all_and_filter():
    with AwsSandbox("--users", "120", "--set", "roles=25", "--set", "policies=12") as aws:
        def read(**given):
            counts = Counter()
            def rows(reply):
                for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
                    element = reply.root.find(f".//{name}")
                    assert element is not None, name
                    counts[name] += len(element)
                return []
            pages(lambda **more: aws.iam("GetAccountAuthorizationDetails", **more), rows, lambda r: r.text("Marker"),
                  "Marker", **given)
            return dict(counts)
        assert read() == {"UserDetailList": 120, "GroupDetailList": 4, "RoleDetailList": 25, "Policies": 15}
        only = read(Filter__member__1="User", Filter__member__2="LocalManagedPolicy", MaxItems="50")
        assert only == {"UserDetailList": 120, "GroupDetailList": 0, "RoleDetailList": 0, "Policies": 12}


def documents(reply, name):
    return [json.loads(unquote(text)) for text in reply.texts(name)]


def test_policy_documents_are_percent_encoded_json():
    with AwsSandbox() as aws:
        reply = aws.iam("GetAccountAuthorizationDetails", MaxItems="1000")
        kinds = Counter(json.dumps(document["Statement"]) for document in documents(reply, "Document"))
        assert len(kinds) >= 4 and "%22" in reply.text("Document") and "{" not in reply.text("Document")
        trusts = documents(reply, "AssumeRolePolicyDocument")
        principals = [trust["Statement"][0]["Principal"] for trust in trusts]
        assert "*" in principals and any("AWS" in one for one in principals if isinstance(one, dict))
        policy = aws.iam("ListPolicies", Scope="Local").text("Arn")
        version = aws.iam("GetPolicyVersion", PolicyArn=policy, VersionId="v1")
        assert documents(version, "Document")[0]["Version"] == "2012-10-17"


def test_policies_filter_by_scope_and_attachment():
    with AwsSandbox() as aws:
        every = aws.iam("ListPolicies").texts("PolicyName")
        local = aws.iam("ListPolicies", Scope="Local").texts("PolicyName")
        attached = aws.iam("ListPolicies", Scope="Local", OnlyAttached="true").texts("PolicyName")
        assert set(every) - set(local) == {"AdministratorAccess", "ReadOnlyAccess", "SecurityAudit"}
        assert 0 < len(attached) < len(local)


def test_roles_say_when_they_were_used():
    with AwsSandbox() as aws:
        names = aws.iam("ListRoles").texts("RoleName")
        used = [aws.iam("GetRole", RoleName=name).text("LastUsedDate") for name in names]
        assert len(names) == 40 and None in used and any(used)
        assert any(name.startswith("AWSServiceRole") for name in names)


def test_account_states_are_set_on_the_command_line():
    with AwsSandbox() as aws:
        assert aws.iam("GetAccountPasswordPolicy").text("MinimumPasswordLength") == "8"
        assert aws.iam("ListVirtualMFADevices").texts("SerialNumber")[0].endswith("root-account-mfa-device")
    with AwsSandbox("--set", "password_policy=none", "--set", "root_mfa=0", "--set", "root_keys=1") as aws:
        reply = aws.iam("GetAccountPasswordPolicy")
        assert (reply.status, reply.code) == (404, "NoSuchEntity")
        entries = aws.iam("GetAccountSummary").root.findall(".//SummaryMap/entry")
        summary = {entry.findtext("key"): entry.findtext("value") for entry in entries}
        assert summary["AccountMFAEnabled"] == "0" and summary["AccountAccessKeysPresent"] == "1"
        root = report(aws)[1][0]
        assert root["mfa_active"] == "false" and root["access_key_1_active"] == "true"
    with AwsSandbox("--set", "password_policy=strong") as aws:
        assert aws.iam("GetAccountPasswordPolicy").text("PasswordReusePrevention") == "24"


def test_a_hardware_device_of_root_is_no_virtual_one():
    with AwsSandbox("--set", "root_mfa=hardware") as aws:
        entries = aws.iam("GetAccountSummary").root.findall(".//SummaryMap/entry")
        assert {entry.findtext("key"): entry.findtext("value") for entry in entries}["AccountMFAEnabled"] == "1"
        assert report(aws)[1][0]["mfa_active"] == "true"
        assert not any("root" in serial for serial in aws.iam("ListVirtualMFADevices").texts("SerialNumber"))


def test_virtual_devices_are_those_of_the_users():
    with AwsSandbox("--users", "60") as aws:
        listed = set(aws.iam("ListVirtualMFADevices", MaxItems="1000").texts("SerialNumber"))
        own = {serial for n in range(1, 61) for serial in
               aws.iam("ListMFADevices", UserName=f"user-{n}").texts("SerialNumber") if ":mfa/" in serial}
        assert own and own == {serial for serial in listed if not serial.endswith("root-account-mfa-device")}


# EC2 and RDS

def test_regions_are_those_that_are_on():
    with AwsSandbox("--regions", "us-east-1,eu-west-1,eu-south-1") as aws:
        reply = aws.ec2("DescribeRegions")
        assert reply.texts("regionName") == ["us-east-1", "eu-west-1", "eu-south-1"]
        assert reply.texts("optInStatus") == ["opt-in-not-required", "opt-in-not-required", "opted-in"]
        every = aws.ec2("DescribeRegions", AllRegions="true")
        assert "not-opted-in" in every.texts("optInStatus")
        assert aws.ec2("DescribeRegions", RegionName__1="eu-west-1").texts("regionName") == ["eu-west-1"]
        listed = aws.rest("account", "POST", "/listRegions", {}).json["Regions"]
        assert [region["RegionName"] for region in listed] == ["us-east-1", "eu-west-1", "eu-south-1"]


def test_regions_have_things_of_their_own():
    with AwsSandbox() as aws:
        for action, name in (("DescribeVpcs", "vpcId"), ("DescribeSecurityGroups", "groupId"),
                             ("DescribeInstances", "instanceId"), ("DescribeVolumes", "volumeId")):
            one, other = (set(aws.ec2(action, region=region).texts(name)) for region in REGIONS)
            assert one and other and not one & other, action


def test_ec2_pages_by_token_and_bounds_sizes():
    with AwsSandbox() as aws:
        every = aws.ec2("DescribeVolumes").texts("volumeId")
        paged, count = pages(lambda **given: aws.ec2("DescribeVolumes", MaxResults="7", **given),
                             lambda r: [e.text for e in r.root.findall("./volumeSet/item/volumeId")],
                             lambda r: r.text("nextToken"), "NextToken")
        assert paged == [e for e in dict.fromkeys(every)] and count == 5
        for size in ("4", "1001"):
            assert aws.ec2("DescribeVolumes", MaxResults=size).code == "InvalidParameterValue"
        assert aws.ec2("DescribeVolumes", NextToken="x").code == "InvalidPaginationToken"


def test_flow_logs_belong_to_vpcs_and_filter():
    with AwsSandbox() as aws:
        vpcs = aws.ec2("DescribeVpcs").root.findall("./vpcSet/item")
        ids = [vpc.findtext("vpcId") for vpc in vpcs]
        logs = aws.ec2("DescribeFlowLogs").root.findall("./flowLogSet/item")
        logged = {log.findtext("resourceId") for log in logs}
        assert 0 < len(logged & set(ids)) < len(ids) and logged - set(ids)
        assert {"ALL", "REJECT"} <= {log.findtext("trafficType") for log in logs}
        one = aws.ec2("DescribeFlowLogs", Filter__1__Name="resource-id", Filter__1__Value__1=ids[1],
                      Filter__1__Value__2=ids[2])
        assert one.texts("resourceId") == ids[1:3]


def test_security_groups_have_the_states_of_the_checks():
    with AwsSandbox() as aws:
        groups = [group for region in REGIONS
                  for group in aws.ec2("DescribeSecurityGroups", region=region).root.findall("./securityGroupInfo/item")]
        def opens(group, port):
            for rule in group.findall("./ipPermissions/item"):
                anywhere = rule.findtext("ipRanges/item/cidrIp") == "0.0.0.0/0" or \
                    rule.findtext("ipv6Ranges/item/cidrIpv6") == "::/0"
                low, high = rule.findtext("fromPort"), rule.findtext("toPort")
                if anywhere and (rule.findtext("ipProtocol") == "-1" or int(low) <= port <= int(high)):
                    return True
            return False
        for port in (22, 3389, 5432):
            assert 0 < sum(opens(group, port) for group in groups) < len(groups), port
        defaults = [len(group.findall("./ipPermissions/item")) for group in groups
                    if group.findtext("groupName") == "default"]
        assert 0 in defaults and max(defaults) > 0
        used = set(aws.ec2("DescribeNetworkInterfaces").texts("groupId"))
        assert used and {group.findtext("groupId") for group in groups} - used
        rules = aws.ec2("DescribeSecurityGroupRules").root.findall("./securityGroupRuleSet/item")
        assert {rule.findtext("isEgress") for rule in rules} == {"true", "false"}


def test_instances_and_volumes_fit_together():
    with AwsSandbox() as aws:
        instances = aws.ec2("DescribeInstances").root.findall("./reservationSet/item/instancesSet/item")
        volumes = {volume.findtext("volumeId"): volume
                   for volume in aws.ec2("DescribeVolumes").root.findall("./volumeSet/item")}
        used = [i.findtext("blockDeviceMapping/item/ebs/volumeId") for i in instances]
        assert None in used and all(volume in volumes for volume in used if volume)
        assert {"required", "optional"} == {i.findtext("metadataOptions/httpTokens") for i in instances}
        assert {"running", "terminated"} <= {i.findtext("instanceState/name") for i in instances}
        assert any(i.findtext("ipAddress") for i in instances) and not all(i.findtext("ipAddress") for i in instances)
        assert {"true", "false"} == {volume.findtext("encrypted") for volume in volumes.values()}
        groups = set(aws.ec2("DescribeSecurityGroups").texts("groupId"))
        assert {i.findtext("groupSet/item/groupId") for i in instances} - {None} <= groups
        settings = [(aws.ec2("GetEbsEncryptionByDefault", region=region).text("ebsEncryptionByDefault"),
                     aws.ec2("GetInstanceMetadataDefaults", region=region).text("httpTokens"),
                     aws.ec2("GetSnapshotBlockPublicAccessState", region=region).text("state")) for region in REGIONS]
        assert settings == [("true", "required", "block-all-sharing"), ("false", None, "unblocked")]


def test_databases_and_snapshots_have_good_and_bad_states():
    with AwsSandbox("--set", "snapshots=40", "--set", "databases=130") as aws:
        rows, count = pages(lambda **given: aws.rds("DescribeDBInstances", **given),
                            lambda r: r.root.findall(".//DBInstances/DBInstance"), lambda r: r.text("Marker"), "Marker")
        assert len(rows) == 130 and count == 2
        for name in ("StorageEncrypted", "PubliclyAccessible", "DeletionProtection"):
            assert {"true", "false"} == {row.findtext(name) for row in rows}, name
        assert aws.rds("DescribeDBInstances", MaxRecords="19").code == "InvalidParameterValue"
        manual = aws.rds("DescribeDBSnapshots", SnapshotType="manual").texts("DBSnapshotIdentifier")
        assert 0 < len(manual) < 40
        public = [aws.rds("DescribeDBSnapshotAttributes", DBSnapshotIdentifier=name).text("AttributeValue")
                  for name in manual]
        assert "all" in public and None in public
        assert aws.rds("DescribeDBSnapshotAttributes", DBSnapshotIdentifier="none").code == "DBSnapshotNotFound"
        clusters = aws.rds("DescribeDBClusters")
        assert clusters.texts("DBClusterIdentifier") and clusters.texts("StorageEncrypted")
        snapshot = aws.rds("DescribeDBClusterSnapshots").text("DBClusterSnapshotIdentifier")
        reply = aws.rds("DescribeDBClusterSnapshotAttributes", DBClusterSnapshotIdentifier=snapshot)
        assert reply.text("AttributeName") == "restore"


# S3

def test_buckets_tell_their_region_only_when_a_parameter_is_sent():
    with AwsSandbox("--buckets", "25") as aws:
        bare = aws.rest("s3", "GET", "/")
        assert len(bare.texts("Bucket/Name")) == 25 and not bare.texts("BucketRegion")
        assert set(bucket_regions(aws).values()) == set(REGIONS)
        names, count = pages(
            lambda **given: aws.rest("s3", "GET", "/?max-buckets=10" + "".join(
                f"&continuation-token={quote(value, safe='')}" for value in given.values())),
            lambda r: r.texts("Bucket/Name"), lambda r: r.text("ContinuationToken"), "token")
        assert names == bare.texts("Bucket/Name") and count == 3
        assert aws.rest("s3", "GET", "/?max-buckets=10001").code == "InvalidArgument"
        here = aws.rest("s3", "GET", "/?bucket-region=eu-west-1").texts("BucketRegion")
        assert set(here) == {"eu-west-1"}


def test_bucket_is_found_in_its_own_region_only():
    with AwsSandbox() as aws:
        name, home = next((name, region) for name, region in bucket_regions(aws).items() if region != "us-east-1")
        assert aws.rest("s3", "GET", f"/{name}?acl", region=home).status == 200
        reply = aws.rest("s3", "GET", f"/{name}?acl")
        assert (reply.status, reply.code, reply.text("Region")) == (301, "PermanentRedirect", home)
        assert reply.headers["x-amz-bucket-region"] == home and reply.text("BucketName") == name
        head = aws.rest("s3", "HEAD", f"/{name}")
        assert head.status == 301 and head.headers["x-amz-bucket-region"] == home and head.body == b""
        head = aws.rest("s3", "HEAD", f"/{name}", region=home)
        assert head.status == 200 and head.headers["x-amz-bucket-region"] == home
        location = aws.rest("s3", "GET", f"/{name}?location")
        assert location.root.tag == "LocationConstraint" and location.root.text == home
        assert aws.rest("s3", "GET", "/none?acl").code == "NoSuchBucket"


def test_buckets_have_the_states_of_the_checks():
    with AwsSandbox() as aws:
        seen = {}
        for name, region in bucket_regions(aws).items():
            for flag in ("encryption", "publicAccessBlock", "policyStatus", "acl", "ownershipControls", "versioning",
                         "logging", "policy", "tagging", "lifecycle", "object-lock"):
                reply = aws.rest("s3", "GET", f"/{name}?{flag}", region=region)
                seen.setdefault(flag, Counter())[reply.code if reply.status >= 400 else reply.status] += 1
        absent = {"encryption": "ServerSideEncryptionConfigurationNotFoundError",
                  "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration", "policyStatus": "NoSuchBucketPolicy",
                  "policy": "NoSuchBucketPolicy", "ownershipControls": "OwnershipControlsNotFoundError",
                  "tagging": "NoSuchTagSet", "lifecycle": "NoSuchLifecycleConfiguration",
                  "object-lock": "ObjectLockConfigurationNotFoundError"}
        for flag, counts in seen.items():
            assert counts[200] > 0 and counts["AccessDenied"] > 0, (flag, counts)
            assert flag not in absent or counts[absent[flag]] > 0, (flag, counts)


def test_bucket_answers_have_their_forms():
    with AwsSandbox() as aws:
        regions = bucket_regions(aws)
        def read(flag):
            replies = [aws.rest("s3", "GET", f"/{name}?{flag}", region=region) for name, region in regions.items()]
            return [reply for reply in replies if reply.status == 200]
        algorithms = {reply.root.findtext("Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm")
                      for reply in read("encryption")}
        assert {"AES256", "aws:kms"} <= algorithms
        assert {"true", "false"} == {reply.text("IsPublic") for reply in read("policyStatus")}
        grants = {uri for reply in read("acl") for uri in reply.texts("Grantee/URI")}
        assert any(uri.endswith("/AllUsers") for uri in grants)
        assert any(json.loads(reply.body)["Statement"][0]["Effect"] == "Deny" for reply in read("policy"))
        assert any(len(reply.root) == 0 for reply in read("versioning"))
        assert any(len(reply.root) == 0 for reply in read("logging"))
        assert any("." in name for name in regions)


def test_account_block_is_told_to_its_account_only():
    path = "/v20180820/configuration/publicAccessBlock"
    with AwsSandbox() as aws:
        own = aws.rest("s3control", "GET", path, headers={"x-amz-account-id": ACCOUNT})
        assert (own.status, own.code) == (404, "NoSuchPublicAccessBlockConfiguration")
        assert own.root.tag == "ErrorResponse"
        other = aws.rest("s3control", "GET", path, headers={"x-amz-account-id": "999999999999"})
        assert other.code == "AccessDenied"
        assert aws.rest("s3control", "GET", path).status == 400
    for state, rest in (("all", "true"), ("partial", "false")):
        with AwsSandbox("--set", f"account_block={state}") as aws:
            reply = aws.rest("s3control", "GET", path, headers={"x-amz-account-id": ACCOUNT})
            assert reply.text("BlockPublicAcls") == "true" and reply.text("RestrictPublicBuckets") == rest


# Services that speak JSON

def test_trails_show_their_shadows_and_live_at_home():
    with AwsSandbox() as aws:
        trails = aws.json("cloudtrail", "DescribeTrails").json["trailList"]
        own = aws.json("cloudtrail", "DescribeTrails", {"includeShadowTrails": False}).json["trailList"]
        assert {t["HomeRegion"] for t in trails} == set(REGIONS) and {t["HomeRegion"] for t in own} == {"us-east-1"}
        elsewhere = aws.json("cloudtrail", "DescribeTrails", region="eu-west-1").json["trailList"]
        single = [t["TrailARN"] for t in elsewhere if not t["IsMultiRegionTrail"]]
        assert single and not set(single) & {t["TrailARN"] for t in trails}
        assert aws.json("cloudtrail", "GetTrailStatus", {"Name": single[0]}).code == "TrailNotFoundException"
        assert aws.json("cloudtrail", "GetTrailStatus", {"Name": single[0]}, region="eu-west-1").status == 200
        status = {t["Name"]: aws.json("cloudtrail", "GetTrailStatus", {"Name": t["TrailARN"]}).json for t in trails}
        assert {s["IsLogging"] for s in status.values()} == {True, False}
        assert any(s.get("LatestDeliveryError") for s in status.values())
        kinds = {tuple(sorted(aws.json("cloudtrail", "GetEventSelectors", {"TrailName": t["TrailARN"]}).json))
                 for t in trails}
        assert kinds == {("EventSelectors", "TrailARN"), ("AdvancedEventSelectors", "TrailARN")}
        missing = aws.json("cloudtrail", "GetTrailStatus", {"Name": "none"})
        assert missing.json["__type"] == "com.amazonaws.cloudtrail.v20131101#TrailNotFoundException"
        assert "Message" in missing.json
    with AwsSandbox("--set", "trails=0") as aws:
        assert aws.json("cloudtrail", "DescribeTrails").json == {"trailList": []}


def test_events_are_looked_up_by_time_and_attribute():
    with AwsSandbox("--today", "2026-11-20") as aws:
        def look(**body):
            return pages(lambda **given: aws.json("cloudtrail", "LookupEvents", dict(body, **given)),
                         lambda r: r.json["Events"], lambda r: r.json.get("NextToken"), "NextToken")
        every, count = look()
        assert len(every) == 200 and count == 4
        assert [e["EventTime"] for e in every] == sorted((e["EventTime"] for e in every), reverse=True)
        end = int(datetime.datetime(2026, 11, 19, tzinfo=UTC).timestamp())
        some, _ = look(StartTime=end - 86400, EndTime=end)
        assert some == [e for e in every if end - 86400 <= e["EventTime"] <= end] and some
        logins, _ = look(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ConsoleLogin"}])
        assert logins == [e for e in every if e["EventName"] == "ConsoleLogin"] and logins
        inside = [json.loads(e["CloudTrailEvent"]) for e in logins]
        assert {"Yes", "No"} == {e["additionalEventData"]["MFAUsed"] for e in inside}
        assert any(e["userIdentity"]["type"] == "Root" for e in inside)
        assert all(isinstance(e["userIdentity"]["accountId"], str) for e in inside)
        assert {"Success", "Failure"} == {e["responseElements"]["ConsoleLogin"] for e in inside}
        assert aws.json("cloudtrail", "LookupEvents", {"MaxResults": 51}).code == "InvalidMaxResultsException"
        assert aws.json("cloudtrail", "LookupEvents", {"NextToken": "?"}).code == "InvalidNextTokenException"


def test_events_of_a_day_have_what_is_to_be_noticed():
    with AwsSandbox() as aws:
        events = aws.json("cloudtrail", "LookupEvents", {"MaxResults": 12}).json["Events"]
        records = [(event, json.loads(event["CloudTrailEvent"])) for event in events]
        assert [e["EventName"] for e, _ in records if "Username" not in e] == ["CreateAccessKey"]
        assert {r.get("errorCode") for _, r in records} == {None, "AccessDenied"}
        opened = [r["requestParameters"]["ipPermissions"]["items"][0]["ipRanges"]["items"][0]["cidrIp"]
                  for e, r in records if e["EventName"] == "AuthorizeSecurityGroupIngress"]
        assert sorted(opened) == ["0.0.0.0/0", "10.0.0.0/8"]
        assert all(("additionalEventData" in r) == (e["EventName"] == "ConsoleLogin") for e, r in records)
        assert {"StopLogging", "DeleteTrail", "DeleteFlowLogs"} <= {e["EventName"] for e in events}


def test_events_are_counted_from_the_hour_and_findings_may_be_recent():
    with AwsSandbox("--set", "findings_age=recent") as aws:
        newest, *others = aws.json("cloudtrail", "LookupEvents", {"MaxResults": 24}).json["Events"]
        assert newest["EventTime"] % 3600 == 0 and 0 <= time.time() - newest["EventTime"] < 7200
        assert [newest["EventTime"] - event["EventTime"] for event in others] == [3600 * n for n in range(1, 24)]
        findings = aws.rest("securityhub", "POST", "/findings", {"MaxResults": 100}).json["Findings"]
        first = [datetime.datetime.fromisoformat(finding["FirstObservedAt"]) for finding in findings]
        assert all(0 < (datetime.datetime.now(UTC) - one).days <= 6 for one in first)


def test_config_records_or_not_and_rules_have_results():
    with AwsSandbox("--regions", "us-east-1,eu-west-1,eu-north-1", "--set", "config_rules=60") as aws:
        recorders = [aws.json("config", "DescribeConfigurationRecorders", region=r).json["ConfigurationRecorders"]
                     for r in ("us-east-1", "eu-west-1", "eu-north-1")]
        assert [len(list_) for list_ in recorders] == [1, 1, 0] and recorders[0][0]["recordingGroup"]["allSupported"]
        status = aws.json("config", "DescribeConfigurationRecorderStatus", region="eu-west-1").json
        assert status["ConfigurationRecordersStatus"][0]["recording"] is False
        channels = aws.json("config", "DescribeDeliveryChannels", region="eu-north-1").json
        assert channels == {"DeliveryChannels": []}
        assert not recorders[1][0]["recordingGroup"]["allSupported"]
        rules, count = pages(lambda **given: aws.json("config", "DescribeConfigRules", given),
                             lambda r: r.json["ConfigRules"], lambda r: r.json.get("NextToken"), "NextToken")
        assert len(rules) == 60 and count == 3
        failing, _ = pages(
            lambda **given: aws.json("config", "DescribeComplianceByConfigRule",
                                     dict(given, ComplianceTypes=["NON_COMPLIANT"])),
            lambda r: r.json["ComplianceByConfigRules"], lambda r: r.json.get("NextToken"), "NextToken")
        assert 0 < len(failing) < 60
        for rule in failing[:5]:
            body = {"ConfigRuleName": rule["ConfigRuleName"], "ComplianceTypes": ["NON_COMPLIANT"]}
            rows, count = pages(lambda **given: aws.json("config", "GetComplianceDetailsByConfigRule", dict(body, **given)),
                                lambda r: r.json["EvaluationResults"], lambda r: r.json.get("NextToken"), "NextToken")
            expected = rule["Compliance"]["ComplianceContributorCount"]["CappedCount"]
            assert len(rows) == expected and count == (expected + 9) // 10
        gone = aws.json("config", "GetComplianceDetailsByConfigRule", {"ConfigRuleName": "none"})
        assert gone.code == "NoSuchConfigRuleException" and "none" in gone.message
        assert aws.json("config", "DescribeConfigRuleEvaluationStatus").json["ConfigRulesEvaluationStatus"]


def test_keys_rotate_do_not_or_cannot():
    with AwsSandbox("--set", "kms_keys=120") as aws:
        keys, count = pages(lambda **given: aws.json("kms", "ListKeys", given), lambda r: r.json["Keys"],
                            lambda r: r.json.get("NextMarker"), "Marker")
        assert len(keys) == 120 and count == 2
        rotation = Counter()
        for key in keys:
            described = aws.json("kms", "DescribeKey", {"KeyId": key["KeyArn"]})
            reply = aws.json("kms", "GetKeyRotationStatus", {"KeyId": key["KeyId"]})
            rotation[reply.code if reply.status == 400 else reply.json["KeyRotationEnabled"]] += 1
            if described.status == 200:
                metadata = described.json["KeyMetadata"]
                assert metadata["KeyId"] == key["KeyId"] and metadata["AWSAccountId"] == ACCOUNT
                assert (metadata["KeyState"] == "PendingDeletion") == ("DeletionDate" in metadata)
            else:
                assert described.code == "AccessDeniedException"
        assert set(rotation) == {True, False, "UnsupportedOperationException", "KMSInvalidStateException",
                                 "AccessDeniedException"}
        policies = [aws.json("kms", "GetKeyPolicy", {"KeyId": key["KeyId"], "PolicyName": "default"}) for key in keys]
        principals = {json.dumps(json.loads(p.json["Policy"])["Statement"][0]["Principal"])
                      for p in policies if p.status == 200}
        assert '"*"' in principals and len(principals) == 2
        assert aws.json("kms", "DescribeKey", {"KeyId": "0"}).code == "NotFoundException"
        assert aws.json("kms", "ListAliases").json["Aliases"][0]["AliasName"].startswith("alias/")
        assert "Tags" in aws.json("kms", "ListResourceTags", {"KeyId": keys[0]["KeyId"]}).json
        assert aws.json("kms", "ListKeys", {"Limit": 1001}).code == "ValidationException"
        assert aws.json("kms", "ListKeys", {"Marker": "?"}).code == "InvalidMarkerException"


def test_security_hub_is_on_or_off_and_filters_findings():
    with AwsSandbox() as aws:
        off = aws.rest("securityhub", "GET", "/accounts", region="eu-west-1")
        assert (off.status, off.code) == (401, "InvalidAccessException") and "Message" in off.json
        assert aws.rest("securityhub", "GET", "/accounts").json["HubArn"].endswith("hub/default")
        def read(filters, size=100):
            return pages(lambda **given: aws.rest("securityhub", "POST", "/findings",
                                                  dict({"Filters": filters, "MaxResults": size}, **given)),
                         lambda r: r.json["Findings"], lambda r: r.json.get("NextToken"), "NextToken")
        every, count = read({}, 60)
        assert len(every) == 150 and count == 3
        wanted = {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
                  "WorkflowStatus": [{"Value": "NEW", "Comparison": "EQUALS"},
                                     {"Value": "NOTIFIED", "Comparison": "EQUALS"}],
                  "SeverityLabel": [{"Value": "CRITICAL", "Comparison": "EQUALS"},
                                    {"Value": "HIGH", "Comparison": "EQUALS"}]}
        worst, _ = read(wanted)
        assert worst and worst == [f for f in every if f["RecordState"] == "ACTIVE" and f["Severity"]["Label"] in
                                   ("CRITICAL", "HIGH") and f["Workflow"]["Status"] in ("NEW", "NOTIFIED")]
        recent, _ = read(dict(wanted, UpdatedAt=[{"DateRange": {"Value": 7, "Unit": "DAYS"}}]))
        assert 0 < len(recent) < len(worst)
        standards = aws.rest("securityhub", "POST", "/standards/get", {"MaxResults": 100}).json["StandardsSubscriptions"]
        arn = quote(standards[1]["StandardsSubscriptionArn"], safe="/")
        controls = aws.rest("securityhub", "GET", f"/standards/controls/{arn}?MaxResults=10")
        assert len(controls.json["Controls"]) == 10 and controls.json["NextToken"]
        unknown = aws.rest("securityhub", "GET", "/standards/controls/arn%3Anone")
        assert (unknown.status, unknown.code) == (404, "ResourceNotFoundException")
        assert aws.rest("securityhub", "GET", "/securityControls/definitions").json["SecurityControlDefinitions"]
        assert aws.rest("securityhub", "GET", "/findingAggregator/list").json == {"FindingAggregators": []}
        assert aws.rest("securityhub", "POST", "/findings", {"MaxResults": 101}).code == "InvalidInputException"


# Against the vendor's own client and models

def botocore():
    """The vendor's client library, where it is installed."""
    try:
        import botocore.session
        return botocore.session.get_session()
    except ImportError:
        print("# python3-botocore is not installed", file=sys.stderr)
        return None


# Newer than the models of December 2022 that Debian has.
NEWER = {"ec2:GetInstanceMetadataDefaults", "ec2:GetSnapshotBlockPublicAccessState",
         "securityhub:ListSecurityControlDefinitions", "account:ListRegions",
         "s3:ListBuckets/Buckets/Bucket/BucketRegion", "s3:ListBuckets/ContinuationToken",
         "ec2:DescribeSecurityGroups/securityGroupInfo/item/securityGroupArn",
         "securityhub:DescribeHub/ControlFindingGenerator",
         "config:DescribeConfigurationRecorders/ConfigurationRecorders/recordingMode",
         "securityhub:GetFindings/Findings/Compliance/SecurityControlId",
         "securityhub:GetFindings/Findings/Compliance/AssociatedStandards",
         "kms:GetKeyRotationStatus/RotationPeriodInDays", "kms:GetKeyRotationStatus/NextRotationDate",
         "kms:GetKeyRotationStatus/KeyId", "kms:GetKeyPolicy/PolicyName",
         "rds:DescribeDBInstances/DBInstances/DBInstance/CertificateDetails"}


def unknown_xml(shape, element, path):
    """Paths of elements that the model does not have."""
    if shape.type_name == "map":
        return
    if shape.type_name == "list":
        for child in element:
            yield from unknown_xml(shape.member, child, f"{path}/{child.tag}")
        return
    if shape.type_name != "structure":
        return
    members = {}
    for name, member in shape.members.items():
        flat = member.type_name == "list" and member.serialization.get("flattened")
        tag = member.serialization.get("name", name)
        if flat and "name" not in member.serialization:
            tag = member.member.serialization.get("name", name)
        members[tag] = member.member if flat else member
    for child in element:
        place = f"{path}/{child.tag}"
        if child.tag not in members:
            yield place
        elif not members[child.tag].serialization.get("xmlAttribute"):
            yield from unknown_xml(members[child.tag], child, place)


def unknown_json(shape, value, path):
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in value.items():
            if name not in shape.members:
                yield f"{path}/{name}"
            else:
                yield from unknown_json(shape.members[name], member, f"{path}/{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for member in value:
            yield from unknown_json(shape.member, member, path)
    elif {"string": str, "boolean": bool, "integer": int}.get(shape.type_name, object) is not object:
        if not isinstance(value, {"string": str, "boolean": bool, "integer": int}[shape.type_name]):
            yield f"{path} is of the wrong type"


def answers(aws, service, operation, definition):
    """Successful answers to an operation, asked for things of low numbers."""
    names = {"UserName": [f"user-{n}" for n in range(1, 13)], "RoleName": [f"role-{n}" for n in range(1, 25)],
             "GroupName": ["support", "admins"], "PolicyName": ["inline-1"], "Name": ["trail-1", "trail-3"],
             "TrailName": ["trail-1"], "ConfigRuleName": [f"rule-{n}" for n in range(1, 6)],
             "PolicyArn": [f"arn:aws:iam::{ACCOUNT}:policy/policy-{n}" for n in range(1, 5)],
             "DBSnapshotIdentifier": ["snapshot-1"], "DBClusterSnapshotIdentifier": ["cluster-snapshot-1"],
             "Bucket": [f"bucket-{n}" for n in range(1, 20)], "x-amz-account-id": [ACCOUNT],
             "AccessKeyId": [f"AKIASBXA{n:012}" for n in range(1, 8)]}
    if service == "kms":
        names["KeyId"] = [key["KeyId"] for key in aws.json("kms", "ListKeys").json["Keys"][:8]]
    if service == "securityhub" and "StandardsSubscriptionArn" in str(definition):
        subscriptions = aws.rest("securityhub", "POST", "/standards/get", {}).json["StandardsSubscriptions"]
        names["StandardsSubscriptionArn"] = [one["StandardsSubscriptionArn"] for one in subscriptions]
    lookups = definition.get("item", [])
    wanted = [one["by"] for one in (lookups if isinstance(lookups, list) else [lookups])]
    choices = names[wanted[0]] if wanted else [None]
    for choice in choices:
        given = {wanted[0]: choice} if wanted else {}
        given.update({name: names[name][0] for name in wanted[1:]})
        for region in REGIONS:
            reply = ask(aws, service, operation, definition, given, region)
            if reply.status == 200:
                yield reply


def ask(aws, service, operation, definition, given, region):
    if "http" in definition:
        method, target = definition["http"].split(" ")
        for name, value in given.items():
            target = target.replace(f"{{{name}}}", value).replace(f"{{{name}+}}", quote(value, safe="/"))
        target += "?max-buckets=10" if target == "/" else ""
        headers = {name: value for name, value in given.items() if name.startswith("x-amz-")}
        return aws.rest(service, method, target, {} if method == "POST" else None, region, headers)
    if service in ("iam", "sts", "rds", "ec2"):
        return aws.form(service, operation, region=region, **given)
    return aws.json(service, operation, given, region)


def test_every_operation_answers_with_members_of_the_vendors_models():
    session = botocore()
    operations = data()["operations"]
    with AwsSandbox("--users", "12", "--role-arn", ROLE, "--set", "account_block=all", "--set", "aggregators=1",
                    "--report-polls", "0") as aws:
        aws.iam("GenerateCredentialReport")
        for name, definition in operations.items():
            service, operation = name.split(":")
            if name == "sts:AssumeRole":
                replies = [aws.sts("AssumeRole", RoleArn=ROLE, RoleSessionName="assay-test")]
            else:
                replies = list(answers(aws, service, operation, definition))
            assert replies, f"{name} never succeeds"
            problems = set().union(*(check_model(session, service, operation, reply) for reply in replies))
            assert not problems - NEWER, problems - NEWER


def check_model(session, service, operation, reply):
    """Parses the answer; what its model does not have, when there is one."""
    name = f"{service}:{operation}"
    content = None if reply.body == b"" or operation == "GetBucketPolicy" else reply.root if reply.is_xml else reply.json
    if session is None or content is None:
        return set()
    model = session.get_service_model(service)
    if operation not in model.operation_names:
        return {name}
    shape = model.operation_model(operation).output_shape
    if not reply.is_xml:
        return set(unknown_json(shape, content, name))
    if service in ("iam", "sts", "rds"):
        content = content.find(f"{operation}Result")
    payload = shape.serialization.get("payload")
    if payload:
        shape = shape.members[payload]
    ignored = {f"{name}/requestId"}
    if operation == "GetBucketLocation":
        return set()
    return set(unknown_xml(shape, content, name)) - ignored


def test_the_vendors_client_reads_lists_to_their_end():
    session = botocore()
    if session is None:
        return
    from botocore.config import Config
    with AwsSandbox("--users", "230") as aws:
        def client(service, region="us-east-1"):
            return session.create_client(
                service, region_name=region, endpoint_url=aws.url, aws_access_key_id=aws.credentials.access_key,
                aws_secret_access_key=aws.credentials.secret,
                config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}))
        def rows(service, operation, key, **parameters):
            pager = client(service).get_paginator(operation)
            return [row for page in pager.paginate(**parameters) for row in page[key]]
        assert len(rows("iam", "list_users", "Users")) == 230
        assert len(rows("iam", "get_account_authorization_details", "UserDetailList")) == 230
        assert len(rows("ec2", "describe_security_groups", "SecurityGroups", PaginationConfig={"PageSize": 9})) == 30
        assert len(rows("rds", "describe_db_instances", "DBInstances")) == 12
        assert len(rows("kms", "list_keys", "Keys", PaginationConfig={"PageSize": 5})) == 24
        assert len(rows("config", "describe_config_rules", "ConfigRules")) == 12
        assert len(rows("cloudtrail", "lookup_events", "Events")) == 200
        assert len(rows("securityhub", "get_findings", "Findings", PaginationConfig={"PageSize": 40})) == 150
        assert len(client("s3").list_buckets()["Buckets"]) == 40
        assert client("sts").get_caller_identity()["Account"] == ACCOUNT
        policy = client("iam").get_account_authorization_details(Filter=["Role"])["RoleDetailList"][0]
        assert policy["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"


if __name__ == "__main__":
    os.environ.pop("http_proxy", None)
    tap.main(globals())
