#!/usr/bin/env python3
"""Permissions are taken away one by one: what rests on one could not be read and names it, and nothing else changes."""

import tap
from assay_client import Assay
from sandbox_aws_client import ACCESS_KEY, SECRET_KEY, AwsSandbox
from sandbox_client import TOKEN, Sandbox

# A small account in which every check has something to judge and nothing is denied by itself.
COUNTS = {"roles": 12, "policies": 10, "trails": 2, "events": 30, "security_groups": 8, "instances": 10, "volumes": 10,
          "kms_keys": 24, "findings": 20, "config_rules": 6}
SMALL = ["--users", "5", "--buckets", "4", *(word for name, count in COUNTS.items() for word in ("--set", f"{name}={count}"))]
# What rests on a permission where that is not the whole evidence type: by hand, from what AWS says the calls give.
RESTS_ON = {
    "cloudtrail:GetEventSelectors": {"cloudtrail_management_events"},
    "cloudtrail:GetTrailStatus": {"cloudtrail_all_regions", "cloudtrail_delivers", "cloudtrail_logging"},
    "config:DescribeComplianceByConfigRule": {"config_rule_compliant"},
    "config:DescribeConfigurationRecorderStatus": {"config_recording"},
    "config:DescribeDeliveryChannels": {"config_delivers"},
    "config:GetComplianceDetailsByConfigRule": set(),  # names the resources; the verdict is another call's
    "ec2:DescribeVolumes": {"ec2_volumes_encrypted"},
    "ec2:GetEbsEncryptionByDefault": {"ebs_encryption_default"},
    "ec2:GetInstanceMetadataDefaults": {"ec2_metadata_tokens_default"},
    "ec2:GetSnapshotBlockPublicAccessState": {"ebs_snapshots_not_public"},
    "iam:GetCredentialReport": {"iam_access_key_in_use", "iam_no_signing_certificates", "iam_password_in_use", "iam_user_mfa",
                                "iam_user_credentials_in_use", "iam_user_keys_rotated", "iam_user_one_active_key", "root_not_used"},
    "iam:GetAccountSummary": {"root_hardware_mfa", "root_mfa", "root_no_access_keys", "root_no_signing_certificates"},
    "iam:ListVirtualMFADevices": {"root_hardware_mfa"},
    "kms:GetKeyPolicy": {"kms_policy_not_public"},
    "kms:GetKeyRotationStatus": {"kms_rotation", "kms_rotation_yearly"},
    "rds:DescribeDBSnapshotAttributes": {"rds_snapshot_not_public"},
    "s3:GetAccountPublicAccessBlock": {"s3_account_blocks_public_access", "s3_bucket_blocks_public_access", "s3_bucket_not_public"},
    "s3:GetBucketAcl": {"s3_bucket_not_public"},
    "s3:GetBucketLogging": {"s3_access_logging"},
    "s3:GetBucketOwnershipControls": {"s3_acls_disabled"},
    "s3:GetBucketPolicy": {"s3_tls_only"},
    "s3:GetBucketPolicyStatus": {"s3_bucket_not_public"},
    "s3:GetBucketPublicAccessBlock": {"s3_bucket_blocks_public_access", "s3_bucket_not_public"},
    "s3:GetBucketVersioning": {"s3_versioning"},
    "s3:GetEncryptionConfiguration": {"s3_default_encryption", "s3_kms_encryption"},
    "securityhub:GetEnabledStandards": {"securityhub_standards_on"},
}
RESTS_ON["iam:GenerateCredentialReport"] = RESTS_ON["iam:GetCredentialReport"]
COUNTED = ("judged", "passed", "failed", "could_not_read", "not_applicable")


def connect_aws(assay, sandbox, name, regions):
    assay.ask("connect", "aws", "--name", name, "--auth", "keys", "--set", f"regions={regions}",
              "--set", f"endpoint_url={sandbox.url}", "--set", "allow_private=true",
              "--credential", "access_key_id=env:AK", "--credential", "secret_access_key=env:SK",
              env={"AK": ACCESS_KEY, "SK": SECRET_KEY})


def needs_by_type(assay, provider):
    return {row["name"]: row["needs"] for row in assay.ask("provider", "show", provider)["evidenceTypes"]}


def results(assay, integration, types):
    """What was judged last of these evidence types, by the name of the check."""
    rows = assay.rows("select r.* from check_result r join integration i on i.id = r.integration_id where i.name = ?", integration)
    return {row["check_id"].partition(".")[2]: dict(row) for row in rows if row["evidence_type"] in types}


def counts(row):
    return [row[name] for name in COUNTED]


def run(assay, integration, types):
    """(the errors of a run, the results of its checks)."""
    result = assay.run("sync", integration, "--evidence", ",".join(types), "--json").json
    assert result["evidenceCollected"] == len(types) and result["evidenceFailed"] == 0, result
    return result["errors"], results(assay, integration, types)


def changed(before, now, permission):
    """The checks that a denied permission has changed, which is in one way alone."""
    assert set(before) == set(now)
    names = {name for name in now if counts(now[name]) != counts(before[name]) or now[name]["verdict"] != before[name]["verdict"]}
    for name in names:
        told = (permission, name, before[name]["verdict"], now[name]["verdict"], now[name]["reason"])
        assert now[name]["verdict"] == "could_not_read" and permission in now[name]["reason"], told
    return names


def expect_errors(errors, types, name, needs):
    """One error for each type, which names this permission and no other."""
    assert sorted(error["evidenceType"] for error in errors) == sorted(types), (needs, errors)
    for error in errors:
        assert error["code"] == "PERMISSION_DENIED" and error["details"] == {"outcome": "forbidden", "needs": needs}, error
        assert error["message"] == f"Insufficient permissions for {name}. Please check scopes: {needs}.", error


def test_each_action_of_aws_denied_alone_is_named_and_nothing_else_changes():
    with AwsSandbox(*SMALL) as sandbox, Assay() as assay:
        connect_aws(assay, sandbox, "prod", "us-east-1")
        needs = needs_by_type(assay, "aws")
        actions = assay.ask("provider", "policy", "aws")["needs"]["iam"]
        errors, before = run(assay, "prod", list(needs))
        assert errors == [] and len(before) == 87, errors
        assert {row["verdict"] for row in before.values()} == {"pass", "fail"}, before
        for action in actions:
            if action == "ec2:DescribeRegions":  # not asked where the setting names regions
                continue
            types = [name for name, needed in needs.items() if action in needed]
            sandbox.clear()
            sandbox.fault(match=action, kind="denied")
            errors, now = run(assay, "prod", types)
            of_types = {name: before[name] for name in now}
            expect_errors(errors, types, "AWS", f"{action} (iam)")
            # A call that everything of these types begins with leaves all their checks unread.
            assert changed(of_types, now, action) == RESTS_ON.get(action, set(now)), action


def test_denied_list_of_regions_leaves_whatever_is_regional_unread():
    with AwsSandbox(*SMALL, "--regions", "us-east-1") as sandbox, Assay() as assay:
        connect_aws(assay, sandbox, "prod", "all")
        types = [name for name, needed in needs_by_type(assay, "aws").items() if "ec2:DescribeRegions" in needed]
        errors, before = run(assay, "prod", types)
        assert errors == [] and len(types) == 14, (errors, types)
        sandbox.fault(match="ec2:DescribeRegions", kind="denied")
        errors, now = run(assay, "prod", types)
        expect_errors(errors, types, "AWS", "ec2:DescribeRegions (iam)")
        assert changed(before, now, "ec2:DescribeRegions") == set(now)


def test_one_denied_call_leaves_one_row_unread():
    with AwsSandbox(*SMALL) as sandbox, Assay() as assay:
        connect_aws(assay, sandbox, "prod", "us-east-1")
        needs = needs_by_type(assay, "aws")
        for action in ("kms:DescribeKey", "kms:GetKeyPolicy", "s3:GetBucketAcl", "rds:DescribeDBSnapshotAttributes",
                       "iam:ListMFADevices", "cloudtrail:GetTrailStatus"):
            types = [name for name, needed in needs.items() if action in needed]
            sandbox.clear()
            errors, before = run(assay, "prod", types)
            assert errors == [], errors
            sandbox.fault(match=action, kind="denied", times=1)
            errors, now = run(assay, "prod", types)
            expect_errors(errors, types, "AWS", f"{action} (iam)")
            touched = {name for name in now if now[name]["could_not_read"] > 0}
            assert touched == RESTS_ON.get(action, set(now)), (action, touched)
            for name in touched:
                assert now[name]["could_not_read"] == 1, now[name]
                # One row that fails decides by itself; else the unread one might.
                assert now[name]["verdict"] == ("fail" if before[name]["verdict"] == "fail" else "could_not_read"), now[name]
                assert now[name]["verdict"] == "fail" or action in now[name]["reason"], now[name]
            assert all(counts(now[name]) == counts(before[name]) for name in set(now) - touched)


def test_without_any_permission_nothing_passes_and_nothing_fails():
    with AwsSandbox(*SMALL) as sandbox, Assay() as assay:
        connect_aws(assay, sandbox, "prod", "us-east-1")
        needs = needs_by_type(assay, "aws")
        for service in ("iam", "ec2", "rds", "s3", "cloudtrail", "config", "kms", "securityhub"):
            sandbox.fault(match=f"{service}:*", kind="denied")
        errors, now = run(assay, "prod", list(needs))
        assert {error["evidenceType"] for error in errors} == set(needs)
        for error in errors:
            denied = [name.removesuffix(" (iam)") for name in error["details"]["needs"].split("; ")]
            assert set(denied) <= set(needs[error["evidenceType"]]) and len(set(denied)) == len(denied), error
        assert {row["verdict"] for row in now.values()} == {"could_not_read"}, now
        assert all("Insufficient permissions for AWS. Please check scopes: " in row["reason"] for row in now.values()), now


def test_each_permission_of_github_denied_alone_is_named_and_nothing_else_changes():
    # What the sandbox's token lacks, what is named for it, and what rests on it.
    given = {"metadata": "repo (scope), or metadata:read (permission)",
             "administration": "repo (scope), or administration:read (permission)",
             "dependabot_alerts": "security_events (scope), or vulnerability_alerts:read (permission)",
             "code_scanning_alerts": "security_events (scope), or security_events:read (permission)"}
    rests_on = {"metadata": {"branch_protection", "security_alerts"}, "administration": {"branch_protection"},
                "dependabot_alerts": {"security_alerts"}, "code_scanning_alerts": {"security_alerts"}}
    all_of_them = ["contents", *given]
    tokens = {lacking: ",".join(name for name in all_of_them if name != lacking) for lacking in given}
    words = [word for lacking, rest in tokens.items() for word in ("--token", f"{lacking}-denied:{rest}")]
    with Sandbox("--repos", "12", "--token", TOKEN, *words) as sandbox, Assay(sandbox) as assay:
        assay.connect()
        types = list(needs_by_type(assay, "github"))
        errors, before = run(assay, "acme", types)
        assert errors == [] and len(before) == 13, errors
        for lacking, needs in given.items():
            assay.connect(lacking, token="env:LACKING", env={"LACKING": f"{lacking}-denied"})
            errors, now = run(assay, lacking, types)
            expect_errors(errors, rests_on[lacking], "GitHub", needs)
            touched = changed(before, now, needs)
            assert touched and {now[name]["evidence_type"] for name in touched} == rests_on[lacking], touched


if __name__ == "__main__":
    tap.main(globals())
