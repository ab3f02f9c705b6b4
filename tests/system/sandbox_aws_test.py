#!/usr/bin/env python3
"""assay-sandbox lets in who signs as AWS asks for, and fails in the words of AWS when it is told to."""

import datetime
import email.utils
import json
import os
import pathlib
import subprocess
import time
from collections import Counter

import tap
from sandbox_aws_client import ACCOUNT, FORM, REGIONS, ROLE, AwsReply, AwsSandbox, Call, Credentials
from sandbox_client import TIMEOUT, built

SOURCE = pathlib.Path(os.environ["ASSAY_SOURCE"])
UTC = datetime.timezone.utc


def run(*arguments):
    return subprocess.run([built("assay-sandbox"), *arguments], capture_output=True, text=True, timeout=TIMEOUT)


# Command line

def test_wrong_options_of_aws_are_refused():
    for arguments in (["--account", "12"], ["--partition", "aws-moon"], ["--regions", "us-east-1,,"],
                      ["--regions", "a,a"], ["--users", "-1"], ["--today", "tomorrow"], ["--set", "novalue"],
                      ["--set", "alias=<a>"], ["--page-max", "-1"]):
        result = run("--provider", "aws", *arguments)
        assert result.returncode == 2 and result.stderr.startswith("assay-sandbox: "), (arguments, result)
        assert result.stdout == ""


def test_help_of_aws_names_its_options():
    text = run("--help-aws").stdout
    for word in ("--users", "--access-key", "--role-arn", "--external-id", "--report-polls", "--clock-offset"):
        assert word in text, word


def test_content_follows_from_seed_and_day_alone():
    def look(*arguments):
        with AwsSandbox("--users", "40", *arguments) as aws:
            return [AwsReply.texts(aws.iam("ListAccessKeys", UserName=f"user-{n}"), "CreateDate") for n in range(1, 41)]
    one = look("--today", "2026-11-20")
    assert one == look("--today", "2026-11-20") and one != look("--today", "2026-11-21")
    assert one != look("--today", "2026-11-20", "--seed", "7")


# Signatures

def test_published_requests_have_the_published_signatures():
    """The sandbox's clock is set to the time of the vectors."""
    when = datetime.datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    offset = int(when.timestamp() - time.time())
    key = "AKIDEXAMPLE"
    common = ("--access-key", key, "--secret-key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "--clock-offset",
              str(offset))
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    vectors = [
        ("iam.amazonaws.com", "GET", "/?Action=ListUsers&Version=2010-05-08", "", "us-east-1/iam",
         {"content-type": FORM}, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
        ("sts.us-east-1.amazonaws.com", "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", "us-east-1/sts",
         {"content-type": FORM}, "52a8540fea00e731072179f763577cbe2a45eac2c5d32fb4d785f3eefac88165"),
        ("my-bucket.s3.eu-west-1.amazonaws.com", "GET", "/?publicAccessBlock", "", "eu-west-1/s3",
         {"x-amz-content-sha256": empty, "x-amz-security-token": "TOKENEXAMPLE"},
         "d5c034ed671d3aeba3c2528fc1f67dfab420ab0aa248513f42aefc7321a9b8ac"),
        ("cloudtrail.eu-west-1.amazonaws.com", "POST", "/", "{}", "eu-west-1/cloudtrail",
         {"content-type": "application/x-amz-json-1.1",
          "x-amz-target": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails"},
         "9bc85c005ebf99a5feaadeacecada3407aff8d803e52ba3aa0b2fe36f2ba9b34"),
        ("securityhub.eu-west-1.amazonaws.com", "GET",
         "/standards/controls/arn%3Aaws%3Asecurityhub%3Aeu-west-1%3A123456789012%3Asubscription/"
         "cis-aws-foundations-benchmark/v/1.2.0?MaxResults=100&NextToken=a%2Fb%3D%3D", "", "eu-west-1/securityhub",
         {}, "74fb7389d17e5a9ff0ea3099a228c0ace6595d47719654049deb2e531bc6e47a"),
    ]
    for host, method, target, body, scope, headers, signed in vectors:
        token = ("--session-token", "TOKENEXAMPLE") if "x-amz-security-token" in headers else ()
        with AwsSandbox(*common, *token) as aws:
            given = dict(headers, host=host)
            given["x-amz-date"] = "20150830T123600Z"
            names = ";".join(sorted(given))
            for last, right in ((signed[-1], True), ("0" if signed[-1] != "0" else "1", False)):
                given["authorization"] = (f"AWS4-HMAC-SHA256 Credential={key}/20150830/{scope}/aws4_request, "
                                          f"SignedHeaders={names}, Signature={signed[:-1]}{last}")
                reply = AwsReply(aws.request(method, target, given, body or None))
                wrong = reply.code in ("SignatureDoesNotMatch", "InvalidSignatureException") if reply.status >= 400 else 0
                assert right != bool(wrong), (host, right, reply.status, reply.body)
                assert email.utils.parsedate_to_datetime(reply.headers["date"]).year == 2015


def test_wrong_secret_is_refused_in_the_words_of_each_protocol():
    wrong = Credentials(secret="wrong")
    with AwsSandbox(credentials=wrong) as aws:
        for reply, status, code in (
                (aws.iam("ListUsers"), 403, "SignatureDoesNotMatch"),
                (aws.sts("GetCallerIdentity"), 403, "SignatureDoesNotMatch"),
                (aws.ec2("DescribeVpcs"), 403, "SignatureDoesNotMatch"),
                (aws.rest("s3", "GET", "/"), 403, "SignatureDoesNotMatch"),
                (aws.json("kms", "ListKeys"), 400, "InvalidSignatureException"),
                (aws.rest("securityhub", "GET", "/accounts"), 403, "InvalidSignatureException")):
            assert (reply.status, reply.code) == (status, code), (reply.status, reply.body)


def test_unknown_key_is_refused_in_the_words_of_each_protocol():
    with AwsSandbox(credentials=Credentials(access_key="AKIANOBODY")) as aws:
        for reply, status, code in (
                (aws.iam("ListUsers"), 403, "InvalidClientTokenId"),
                (aws.ec2("DescribeVpcs"), 401, "AuthFailure"),
                (aws.rest("s3", "GET", "/"), 403, "InvalidAccessKeyId"),
                (aws.json("config", "DescribeConfigRules"), 400, "UnrecognizedClientException"),
                (aws.rest("securityhub", "GET", "/accounts"), 403, "UnrecognizedClientException")):
            assert (reply.status, reply.code) == (status, code), (reply.status, reply.body)


def test_request_without_signature_is_refused():
    with AwsSandbox() as aws:
        bare = AwsReply(aws.request("POST", "/", {"Content-Type": FORM}, "Action=ListUsers&Version=2010-05-08"))
        assert (bare.status, bare.code) == (403, "MissingAuthenticationToken")
        target = {"X-Amz-Target": "TrentService.ListKeys", "Content-Type": "application/x-amz-json-1.1"}
        assert AwsReply(aws.request("POST", "/", target, "{}")).code == "MissingAuthenticationTokenException"
        assert AwsReply(aws.request("GET", "/bucket-1?acl")).code == "AccessDenied"
        for header in ("AWS4-HMAC-SHA256 nothing", "Bearer x", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, "
                       "Signature=0", "AWS4-HMAC-SHA256 Credential=a/20260101/r/iam/wrong, SignedHeaders=host, Signature=0"):
            broken = AwsReply(aws.request("POST", "/", {"Authorization": header}, "Action=ListUsers&Version=2010-05-08"))
            assert broken.code == "IncompleteSignature", (header, broken.body)


def test_clock_that_is_off_is_told_and_the_date_says_by_how_much():
    for offset, words in ((400, "Signature expired"), (-400, "Signature not yet current")):
        with AwsSandbox("--clock-offset", str(offset)) as aws:
            reply = aws.iam("ListUsers")
            assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch") and words in reply.message
            assert aws.ec2("DescribeVpcs").code == "RequestExpired"
            assert words in aws.json("kms", "ListKeys").message
            assert aws.json("kms", "ListKeys").code == "InvalidSignatureException"
            date = email.utils.parsedate_to_datetime(reply.headers["date"]).timestamp()
            assert abs(date - time.time() - offset) < 60
            assert aws.rest("s3", "GET", "/").status == 200
    with AwsSandbox("--clock-offset", "1000") as aws:
        assert aws.rest("s3", "GET", "/").code == "RequestTimeTooSkewed"


def test_small_skew_is_let_pass():
    with AwsSandbox("--clock-offset", "200") as aws:
        assert aws.iam("ListUsers").status == 200


def test_headers_that_matter_must_be_signed():
    with AwsSandbox() as aws:
        call = aws.form_call("iam", "ListUsers", {})
        call.headers["x-amz-target"] = "something"
        call.unsigned = ("x-amz-target",)
        assert aws.send(call).code == "SignatureDoesNotMatch"
        call = aws.form_call("iam", "ListUsers", {})
        call.unsigned = ("host",)
        assert aws.send(call).code == "SignatureDoesNotMatch"
        call = aws.form_call("iam", "ListUsers", {})
        call.unsigned = ("content-type",)
        assert aws.send(call).status == 200


def test_body_and_its_hash_must_fit():
    with AwsSandbox() as aws:
        call = aws.form_call("iam", "ListMFADevices", {"UserName": "user-1"})
        headers = call.sign(aws.credentials, f"127.0.0.1:{aws.port}")
        changed = call.body.replace(b"user-1", b"user-2")
        assert AwsReply(aws.request("POST", "/", headers, changed)).code == "SignatureDoesNotMatch"
        assert aws.rest("s3", "GET", "/", headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}).status == 403
        assert aws.rest("s3", "GET", "/", headers={"x-amz-content-sha256": "0" * 64}).status == 403


def test_queries_paths_and_blanks_are_made_canonical():
    with AwsSandbox() as aws:
        for target in ("/?prefix=a%20b&max-buckets=10", "/?max-buckets=10&bucket-region=us-east-1&prefix=",
                       "/?b=2&a=2&a=1&a-b=3&max-buckets=10", "/?max-buckets=10&prefix=%2f%C3%A9~"):
            assert aws.rest("s3", "GET", target).status == 200, target
        call = aws.form_call("iam", "ListUsers", {})
        call.headers["x-amz-user"] = "  a   b  "
        assert aws.send(call).status == 200


def test_scope_must_be_of_the_service_and_its_region():
    with AwsSandbox() as aws:
        reply = aws.form("iam", "ListUsers", region="eu-west-1")
        assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch") and "scoped" in reply.message
        assert aws.ec2("DescribeVpcs", region="ap-east-1").code == "AuthFailure"
        assert aws.sts("GetCallerIdentity", region="ap-east-1").code == "InvalidClientTokenId"
        assert aws.json("kms", "ListKeys", region="ap-east-1").code == "UnrecognizedClientException"
        assert aws.send(Call("nonsense", body=b"x=1")).status == 400


# Sessions

def test_role_is_assumed_with_its_external_id_only():
    with AwsSandbox("--role-arn", ROLE, "--external-id", "ext-1") as aws:
        session = aws.assume(ROLE, ExternalId="ext-1")
        reply = aws.sts("GetCallerIdentity", credentials=session)
        assert reply.text("Arn") == f"arn:aws:sts::{ACCOUNT}:assumed-role/assay/assay-test"
        assert reply.text("UserId").endswith(":assay-test") and reply.text("Account") == ACCOUNT
        for parameters in ({"ExternalId": "ext-2"}, {}):
            denied = aws.sts("AssumeRole", RoleArn=ROLE, RoleSessionName="assay-test", **parameters)
            assert (denied.status, denied.code) == (403, "AccessDenied") and "sts:AssumeRole" in denied.message
        other = aws.sts("AssumeRole", RoleArn=ROLE + "x", RoleSessionName="assay-test", ExternalId="ext-1")
        assert other.code == "AccessDenied"
        assert aws.stats()["byToken"] == [4, 1]


def test_parameters_of_assume_role_are_checked():
    with AwsSandbox("--role-arn", ROLE) as aws:
        session = aws.assume(ROLE)
        for parameters in ({"RoleSessionName": "a"}, {"RoleSessionName": "a b"}, {"RoleSessionName": "x" * 65},
                           {"RoleSessionName": "ok", "DurationSeconds": "899"},
                           {"RoleSessionName": "ok", "DurationSeconds": "43201"}):
            assert aws.sts("AssumeRole", RoleArn=ROLE, **parameters).code == "ValidationError", parameters
        assert aws.sts("AssumeRole", RoleArn=ROLE, RoleSessionName="ok", DurationSeconds="7200").status == 200
        chained = aws.sts("AssumeRole", RoleArn=ROLE, RoleSessionName="ok", DurationSeconds="7200", credentials=session)
        assert chained.code == "ValidationError"


def test_session_needs_its_token_and_ends():
    with AwsSandbox("--role-arn", ROLE) as aws:
        session = aws.assume(ROLE)
        assert aws.iam("ListUsers", credentials=session).status == 200
        assert aws.iam("ListUsers", credentials=Credentials(session.access_key, session.secret)).status == 403
        assert aws.iam("ListUsers", credentials=Credentials(session.access_key, session.secret, "x")).status == 403
        assert aws.iam("ListUsers", credentials=Credentials(token="x")).code == "InvalidClientTokenId"
        aws.control("POST", "reset")
        assert aws.iam("ListUsers", credentials=session).code == "InvalidClientTokenId"


def test_expiration_is_as_long_as_asked_or_as_told():
    def lives(aws, **parameters):
        reply = aws.sts("AssumeRole", RoleArn=ROLE, RoleSessionName="assay-test", **parameters)
        end = datetime.datetime.strptime(reply.text("Expiration"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return end.timestamp() - time.time()
    with AwsSandbox("--role-arn", ROLE) as aws:
        assert 3500 < lives(aws) < 3700 and 850 < lives(aws, DurationSeconds="900") < 950
    with AwsSandbox("--role-arn", ROLE, "--session-seconds", "200") as aws:
        assert 100 < lives(aws) < 250


def test_expired_credentials_are_told_in_the_words_of_each_protocol():
    with AwsSandbox() as aws:
        aws.fault(match="*", kind="expired")
        for reply, status, code in (
                (aws.iam("ListUsers"), 403, "ExpiredToken"), (aws.ec2("DescribeVpcs"), 400, "RequestExpired"),
                (aws.rest("s3", "GET", "/"), 400, "ExpiredToken"),
                (aws.json("kms", "ListKeys"), 400, "ExpiredTokenException"),
                (aws.rest("securityhub", "GET", "/accounts"), 403, "ExpiredTokenException")):
            assert (reply.status, reply.code) == (status, code), (reply.status, reply.body)


def test_session_token_of_the_command_line_is_asked_for():
    with AwsSandbox("--session-token", "tok") as aws:
        assert aws.iam("ListUsers").status == 403
        assert aws.iam("ListUsers", credentials=Credentials(token="tok")).status == 200


# Partitions

def test_other_partitions_have_their_names_and_global_regions():
    for partition, region, regional in (("aws-us-gov", "us-gov-west-1", "us-gov-east-1"),
                                        ("aws-cn", "cn-north-1", "cn-northwest-1")):
        with AwsSandbox("--partition", partition) as aws:
            assert aws.iam("ListUsers").status == 403
            users = aws.form("iam", "ListUsers", region=region)
            assert users.text("Arn").startswith(f"arn:{partition}:iam::")
            assert aws.sts("GetCallerIdentity", region=regional).text("Arn").startswith(f"arn:{partition}:")
            assert aws.ec2("DescribeVpcs", region=regional).status == 200


# Faults, counts and rates

def test_denied_is_said_in_the_words_of_each_protocol_and_names_the_permission():
    with AwsSandbox() as aws:
        for match, ask, status, code in (
                ("iam:ListMFADevices", lambda: aws.iam("ListMFADevices", UserName="user-1"), 403, "AccessDenied"),
                ("ec2:DescribeVpcs", lambda: aws.ec2("DescribeVpcs"), 403, "UnauthorizedOperation"),
                ("s3:GetEncryptionConfiguration", lambda: aws.rest("s3", "GET", "/bucket-1?encryption"), 403,
                 "AccessDenied"),
                ("s3:GetAccountPublicAccessBlock",
                 lambda: aws.rest("s3control", "GET", "/v20180820/configuration/publicAccessBlock",
                                  headers={"x-amz-account-id": ACCOUNT}), 403, "AccessDenied"),
                ("kms:ListKeys", lambda: aws.json("kms", "ListKeys"), 400, "AccessDeniedException"),
                ("securityhub:DescribeHub", lambda: aws.rest("securityhub", "GET", "/accounts"), 403,
                 "AccessDeniedException")):
            aws.fault(match=match, kind="denied")
            reply = ask()
            assert (reply.status, reply.code) == (status, code) and match in reply.message, (match, reply.body)
            aws.clear()
            assert ask().code != code or ask().status < 300


def test_throttling_is_said_in_the_words_of_each_protocol():
    with AwsSandbox() as aws:
        aws.fault(match="*", kind="throttle", retry_after=2)
        for reply, status, code in (
                (aws.iam("ListUsers"), 400, "Throttling"), (aws.ec2("DescribeVpcs"), 503, "RequestLimitExceeded"),
                (aws.rest("s3", "GET", "/"), 503, "SlowDown"),
                (aws.json("cloudtrail", "DescribeTrails"), 400, "ThrottlingException"),
                (aws.rest("securityhub", "GET", "/accounts"), 429, "TooManyRequestsException")):
            assert (reply.status, reply.code) == (status, code), (reply.status, reply.body)
            assert reply.headers["retry-after"] == "2"


def test_fault_strikes_one_operation_one_region_or_one_name():
    with AwsSandbox() as aws:
        aws.fault(match="ec2:*?region=eu-west-1*", kind="code", code="OptInRequired", status=403, body="a<b&c")
        reply = aws.ec2("DescribeVpcs", region="eu-west-1")
        assert (reply.status, reply.code, reply.message) == (403, "OptInRequired", "a<b&c")
        assert aws.ec2("DescribeVpcs").status == 200
        aws.fault(match="iam:ListMFADevices?UserName=user-3", kind="status", status=503, times=1)
        assert aws.iam("ListMFADevices", UserName="user-2").status == 200
        failed = aws.iam("ListMFADevices", UserName="user-3")
        assert (failed.status, failed.code) == (503, "InternalFailure")
        assert aws.iam("ListMFADevices", UserName="user-3").status == 200
        aws.fault(match="kms:*", kind="code", code="KMSInternalException", status=500)
        assert aws.json("kms", "ListKeys").json["__type"] == "KMSInternalException"


def test_lists_may_loop_or_never_end():
    with AwsSandbox("--users", "10") as aws:
        aws.fault(match="iam:ListUsers", kind="loop")
        first = aws.iam("ListUsers")
        assert aws.iam("ListUsers", Marker=first.text("Marker")).text("Marker") == first.text("Marker")
        aws.clear()
        aws.fault(match="iam:ListUsers", kind="endless_pages")
        tokens = [None]
        for _ in range(4):
            given = {} if tokens[-1] is None else {"Marker": tokens[-1]}
            tokens.append(aws.iam("ListUsers", **given).text("Marker"))
        assert None not in tokens[1:] and len(set(tokens)) == 5


def test_bodies_are_bent_in_the_form_of_the_protocol():
    with AwsSandbox() as aws:
        aws.fault(match="iam:ListUsers", kind="deep", size=3000)
        assert aws.iam("ListUsers").body == b"<a>" * 1000
        aws.fault(match="kms:ListKeys", kind="deep", size=100)
        assert aws.json("kms", "ListKeys").body == b"[" * 100
        aws.fault(match="ec2:DescribeVpcs", kind="nodes", size=400)
        assert len(aws.ec2("DescribeVpcs").root) == 100
        aws.fault(match="ec2:DescribeVolumes", kind="broken_json")
        assert aws.ec2("DescribeVolumes").body.startswith(b"<?xml")


def test_calls_are_counted_by_operation_and_parameters():
    with AwsSandbox() as aws:
        for name in ("user-1", "user-2", "user-1"):
            aws.iam("ListMFADevices", UserName=name)
        aws.ec2("DescribeVpcs", region="eu-west-1")
        aws.json("kms", "ListKeys", {"Limit": 10})
        aws.rest("s3", "GET", "/bucket-1?acl")
        assert aws.counts("iam:*") == {"POST iam:ListMFADevices?UserName=user-1": 2,
                                       "POST iam:ListMFADevices?UserName=user-2": 1}
        assert aws.counts("ec2:*") == {"POST ec2:DescribeVpcs?region=eu-west-1": 1}
        assert aws.counts("kms:*") == {"POST kms:ListKeys?region=us-east-1&Limit=10": 1}
        assert len(aws.counts("s3:GetBucketAcl?*bucket-1*")) == 1
        stats = aws.stats()
        assert stats["byPath"]["iam:ListMFADevices"] == 3 and stats["repeated"] == 1 and stats["byToken"] == [6, 0]


def test_documented_rates_are_kept_when_asked():
    with AwsSandbox("--keep-rates") as aws:
        replies = [aws.json("cloudtrail", "LookupEvents", {"MaxResults": 1}) for _ in range(40)]
        counts = Counter(reply.code if reply.status == 400 else reply.status for reply in replies)
        assert counts["ThrottlingException"] > 0 and counts[200] >= 2
    with AwsSandbox() as aws:
        assert all(aws.json("cloudtrail", "LookupEvents", {"MaxResults": 1}).status == 200 for _ in range(10))


def test_held_and_delayed_calls_are_answered_later():
    with AwsSandbox() as aws:
        aws.fault(match="iam:ListUsers", kind="delay", delay_ms=20)
        assert aws.iam("ListUsers").status == 200


def test_wrong_data_is_refused_with_what_is_wrong():
    file = pathlib.Path(os.environ["ASSAY_BUILD"]) / "sandbox_aws_wrong.json"
    base = json.loads((SOURCE / "sandbox/providers/aws.json").read_text())
    for change, words in (
            (lambda d: d["operations"].update({"nowhere:Go": {"body": {}}}), "nowhere:Go"),
            (lambda d: d["operations"].update({"sts:Go": {"body": {"a": "${nothing}"}}}), "${nothing}"),
            (lambda d: d["operations"].update({"sts:Go": {"list": {"key": "A", "of": "none", "row": "x"}}}), "none"),
            (lambda d: d["operations"].update({"sts:Go": {"native": "fly", "body": {}}}), "fly"),
            (lambda d: d["operations"].update({"sts:Go": {"item": {"of": "none", "by": "X"}, "body": {}}}), "none"),
            (lambda d: d["operations"].update({"sts:Go": {"item": {"of": "region", "by": "X", "missing": "oops"},
                                                          "body": {}}}), "oops"),
            (lambda d: d["operations"].update({"sts:Go": {"body": {"a": {"*none": "x"}}}}), "none"),
            (lambda d: d["operations"].update({"sts:Go": {"body": {"a?none=1": "x"}}}), "none=1"),
            (lambda d: d["operations"].update({"sts:Go": {"body": ["x"]}}), "array needs a name"),
            (lambda d: d["operations"].update({"sts:Go": {"cases": [{"error": "oops"}]}}), "oops"),
            (lambda d: d["operations"].update({"sts:Go": {"body": {"a": {"%json": {"b?id": 1}}}}}), "conditions"),
            (lambda d: d["services"]["sts"].update(protocol="smoke"), "protocol"),
            (lambda d: d["protocols"]["query"]["errors"].pop("denied"), "denied"),
            (lambda d: d["errors"].pop("ValidationError"), "ValidationError"),
            (lambda d: d["collections"].pop("account"), "account"),
            (lambda d: d["parts"].append("aws_moon"), "aws_moon")):
        changed = json.loads(json.dumps(base))
        change(changed)
        file.write_text(json.dumps(changed))
        result = run("--provider", str(file))
        assert result.returncode == 1 and words in result.stderr, (words, result.stderr)
    file.unlink()


if __name__ == "__main__":
    os.environ.pop("http_proxy", None)
    tap.main(globals())
