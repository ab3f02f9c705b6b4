#!/usr/bin/env python3
"""What the sandbox can be set to makes every check of AWS and GitHub see rows that pass and rows that fail."""

import collections

import tap
from assay_client import Assay
from sandbox_aws_client import ACCESS_KEY, SECRET_KEY, AwsSandbox
from sandbox_client import Sandbox

GOOD = {"password_policy": "strong", "root_mfa": "hardware", "root_used": "never", "account_block": "all", "findings_age": "recent"}
BAD = {"password_policy": "none", "root_mfa": "0", "root_keys": "1", "root_certificates": "1", "root_used": "recent", "standards": "0"}
# Settings, a region, and the evidence that depends on them. The second region is as bad by itself as the first one is good.
ACCOUNTS = [({}, "us-east-1", []),
            (GOOD, "us-east-1", ["iam_password_policy", "iam_root_account", "s3_public_access", "securityhub_findings"]),
            (BAD, "us-east-1", ["iam_password_policy", "iam_root_account", "securityhub_config"]),
            ({}, "eu-west-1", ["cloudtrail_config", "config_recorders", "ec2_settings", "rds_encryption", "rds_snapshots",
                               "securityhub_config", "vpc_flow_logs"])]


def see(assay, seen):
    for row in assay.rows("select check_id, passed, failed from check_result"):
        seen[row["check_id"]] |= {state for state in ("passed", "failed") if row[state] > 0}


def unseen(seen):
    return {name: states for name, states in sorted(seen.items()) if states != {"passed", "failed"}}


def test_every_check_of_aws_sees_rows_that_pass_and_rows_that_fail():
    seen = collections.defaultdict(set)
    for settings, region, types in ACCOUNTS:
        words = [word for name, text in settings.items() for word in ("--set", f"{name}={text}")]
        with AwsSandbox("--users", "20", "--buckets", "20", *words) as sandbox, Assay() as assay:
            assay.ask("connect", "aws", "--name", "prod", "--auth", "keys", "--set", f"regions={region}",
                      "--set", f"endpoint_url={sandbox.url}", "--set", "allow_private=true",
                      "--credential", "access_key_id=env:AK", "--credential", "secret_access_key=env:SK",
                      env={"AK": ACCESS_KEY, "SK": SECRET_KEY})
            assay.sync(*(["--evidence", ",".join(types)] if types else []), name="prod", status=None)
            see(assay, seen)
    assert len(seen) == 87 and unseen(seen) == {}, unseen(seen)


def test_every_check_of_github_sees_rows_that_pass_and_rows_that_fail():
    seen = collections.defaultdict(set)
    with Sandbox("--repos", "40") as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assay.sync()
        see(assay, seen)
    assert len(seen) == 13 and unseen(seen) == {}, unseen(seen)


if __name__ == "__main__":
    tap.main(globals())
