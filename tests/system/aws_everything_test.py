#!/usr/bin/env python3
"""All evidence of one AWS account: what is asked, and that nothing is asked twice."""

import tap
from assay_client import Assay
from sandbox_aws_client import ACCESS_KEY, ACCOUNT, SECRET_KEY, AwsSandbox

USERS = 40


def connect(assay, sandbox, name="prod"):
    return assay.ask("connect", "aws", "--name", name, "--auth", "keys", "--set", "regions=us-east-1",
                     "--set", f"endpoint_url={sandbox.url}", "--set", "allow_private=true",
                     "--credential", "access_key_id=env:AK", "--credential", "secret_access_key=env:SK",
                     env={"AK": ACCESS_KEY, "SK": SECRET_KEY})


def asked(sandbox):
    """How often each operation was asked, by its name."""
    return dict(sandbox.stats()["byPath"])


def test_no_call_is_made_twice_in_a_run():
    with AwsSandbox("--users", str(USERS)) as sandbox, Assay() as assay:
        connect(assay, sandbox)
        sandbox.control("POST", "reset")
        result = assay.sync(name="prod", status=5).json
        assert result["evidenceCollected"] == 24 and result["evidenceFailed"] == 0, result
        counts = asked(sandbox)
        assert counts["iam:GetCredentialReport"] == 1, counts
        polls = counts["iam:GenerateCredentialReport"] - 1
        assert sandbox.stats()["repeated"] == polls, sandbox.stats()


def test_a_second_run_asks_the_same_again():
    with AwsSandbox("--users", str(USERS)) as sandbox, Assay() as assay:
        connect(assay, sandbox)
        sandbox.control("POST", "reset")
        assay.sync(name="prod", status=5)
        first = asked(sandbox)
        sandbox.control("POST", "reset")
        assay.sync(name="prod", status=5)
        second = asked(sandbox)
        for counts in (first, second):
            counts.pop("iam:GenerateCredentialReport")
        assert first == second, (first, second)


def test_connections_to_one_account_spend_from_the_same_limits():
    with AwsSandbox("--users", "2") as sandbox, Assay() as assay:
        for name in ("prod", "again"):
            connect(assay, sandbox, name)
            assay.sync("--evidence", "iam_password_policy", name=name)
        limits = [row for row in assay.ask("limits")["limits"] if row["key"].startswith("aws/iam/")]
        assert [(row["key"], row["accountId"], row["integrationId"]) for row in limits] == [
            (f"aws/iam/all/{ACCOUNT}", ACCOUNT, None)], limits
        assert ACCOUNT in assay.run("limits", status=0).out


tap.main(globals())
