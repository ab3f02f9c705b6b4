#!/usr/bin/env python3
"""From connecting a service to scored controls: what assay says is what the service said."""

import atexit
import functools
import json
import os
import pathlib
import re
import uuid

import tap
from assay_client import Assay
from database import is_postgres
from sandbox_client import TOKEN, Sandbox

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
REPOS = 24

COMMANDS = ("init", "connect", "integrations", "sync", "evidence list", "evidence show", "findings", "controls",
            "provider list", "provider show", "provider check", "provider test")

# What each check holds against a row, by the words of the definition's titles.
FAILS = {
    "branch_protection.default_branch_protected": lambda row: row["branchExists"] and not row["protected"],
    "branch_protection.pull_request_required": lambda row: row["branchExists"] and not row["requiresPullRequest"],
    "branch_protection.review_required": lambda row: row["branchExists"] and row["requiredReviewers"] < 1,
    "branch_protection.status_checks_required": lambda row: row["branchExists"] and not row["requiresStatusChecks"],
    "branch_protection.admins_included": lambda row: row["branchExists"] and row["enforcesAdmins"] is False,
    "branch_protection.force_push_blocked": lambda row: row["branchExists"] and not row["forcePushesBlocked"],
    "branch_protection.deletion_blocked": lambda row: row["branchExists"] and not row["deletionsBlocked"],
    "branch_protection.signed_commits_required": lambda row: row["branchExists"] and not row["requiresSignedCommits"],
    "security_alerts.dependabot_enabled": lambda row: not row["dependabotEnabled"],
    "security_alerts.no_critical_dependabot_alerts": lambda row: bool(row["dependabotAlerts"]) and row["dependabotAlerts"]["critical"] > 0,
    "security_alerts.no_high_dependabot_alerts": lambda row: bool(row["dependabotAlerts"]) and row["dependabotAlerts"]["high"] > 0,
    "security_alerts.code_scanning_enabled": lambda row: not row["codeScanningEnabled"],
    "security_alerts.no_code_scanning_errors": lambda row: bool(row["codeScanningAlerts"]) and row["codeScanningAlerts"]["error"] > 0,
}


@functools.cache
def lit():
    """One installation that has synced once, for tests that only look."""
    sandbox = Sandbox("--repos", str(REPOS), "--limit", "0")
    atexit.register(sandbox.close)
    assay = Assay(sandbox)
    atexit.register(assay.close)
    assay.connected = assay.connect().json
    assay.synced = assay.sync().json
    return assay


def small(*arguments):
    return Sandbox("--repos", "4", "--limit", "0", *arguments)


# What the service says, asked without assay

def repositories(sandbox):
    return [row for row in sandbox.pages("/orgs/acme/repos?per_page=100&type=all") if not row["archived"]]


def branch_path(repository, suffix="", kind="branches"):
    branch = repository["default_branch"].replace("/", "%2F")
    return f"/repos/{repository['full_name']}/{kind}/{branch}{suffix}"


def protection_row(sandbox, repository):
    reply = sandbox.get(branch_path(repository, "/protection"))
    classic = reply.json if reply.status == 200 else None
    rules = sandbox.get(branch_path(repository, kind="rules/branches"))
    rules = rules.json if rules.status == 200 else []
    kinds = {rule["type"] for rule in rules}
    reviews = (classic or {}).get("required_pull_request_reviews")
    checks = (classic or {}).get("required_status_checks")
    of_rules = [check["context"] for rule in rules if rule["type"] == "required_status_checks"
                for check in rule["parameters"]["required_status_checks"]]
    return {
        "repository": repository["full_name"],
        "branch": repository["default_branch"],
        "protected": bool(classic or rules),
        "requiresPullRequest": reviews is not None or "pull_request" in kinds,
        "requiredReviewers": max([(reviews or {}).get("required_approving_review_count", 0)] + [
            rule["parameters"]["required_approving_review_count"] for rule in rules if rule["type"] == "pull_request"]),
        "requiresStatusChecks": checks is not None or "required_status_checks" in kinds,
        "statusChecks": sorted(set((checks or {}).get("contexts", []) + of_rules)),
        "enforcesAdmins": None if rules and not classic else bool(classic and classic["enforce_admins"]["enabled"]),
        "requiresSignedCommits": bool(classic and classic["required_signatures"]["enabled"]) or "required_signatures" in kinds,
    }


def alert_row(sandbox, repository):
    def counts(path, words, key):
        first = sandbox.get(f"/repos/{repository['full_name']}/{path}?state=open&per_page=100")
        if first.status != 200:
            return None
        rows = sandbox.pages(f"/repos/{repository['full_name']}/{path}?state=open&per_page=100")
        return {"total": len(rows), **{word: sum(1 for row in rows if key(row) == word) for word in words}}

    dependabot = counts("dependabot/alerts", ("critical", "high", "medium", "low"), lambda row: row["security_advisory"]["severity"])
    scanning = counts("code-scanning/alerts", ("error", "warning"), lambda row: row["rule"]["severity"])
    return {"repository": repository["full_name"], "dependabotEnabled": dependabot is not None, "dependabotAlerts": dependabot,
            "codeScanningEnabled": scanning is not None, "codeScanningAlerts": scanning}


# Connecting

def test_connect_answers_with_success_id_status_and_user():
    reply = lit().connected
    assert set(reply) <= {"success", "id", "status", "user", "accountId", "arn", "organizations"}, reply
    assert (reply["success"], reply["status"], reply["user"]) == (True, "connected", "octo-auditor"), reply
    assert uuid.UUID(reply["id"]).version == 7
    assert reply["organizations"] == ["acme"]


def test_integrations_show_what_is_connected():
    assay = lit()
    listed = assay.ask("integrations")
    assert set(listed) == {"integrations", "nextCursor"} and listed["nextCursor"] is None
    (row,) = listed["integrations"]
    for key in ("id", "organizationId", "integrationType", "name", "auth", "status", "statusReason", "errorMessage", "config",
                "enabledChecks", "evidenceTypes", "scanSchedule", "lastSyncAt", "lastCheckedAt", "nextCheckAt",
                "lastSyncResult", "rotationDueAt", "createdAt", "updatedAt"):
        assert key in row, key
    assert row["id"] == assay.connected["id"] and row["name"] == "acme" and row["integrationType"] == "github"
    assert (row["auth"], row["status"]) == ("pat", "connected")
    assert row["config"]["settings"]["organization"] == "acme"
    assert row["config"]["account"]["user"] == "octo-auditor"
    assert TIME.match(row["lastSyncAt"]) and TIME.match(row["nextCheckAt"]) and row["nextCheckAt"] > row["lastSyncAt"]
    assert row["lastSyncResult"]["evidenceCollected"] == 2


def test_status_filters_take_the_words_of_the_contract():
    assay = lit()
    assert len(assay.integrations("--status", "connected")) == len(assay.integrations("--status", "active")) == 1
    assert assay.integrations("--status", "error") == assay.integrations("--status", "paused") == []
    assert "--status" in assay.ask("integrations", "--status", "happy", status=2)["error"]["message"]


def test_a_second_integration_needs_another_name():
    with small() as sandbox, Assay(sandbox) as assay:
        first = assay.connect().json["id"]
        assert assay.connect(status=1).failure["code"] == "CONFLICT"
        second = assay.connect(name="other").json["id"]
        assert {row["id"] for row in assay.integrations()} == {first, second}


def test_name_or_id_is_accepted_and_anything_else_is_not_found():
    assay = lit()
    assert assay.ask("sync", assay.connected["id"], "--evidence", "security_alerts")["evidenceCollected"] == 1
    for wrong in ("nobody", "00000000-0000-7000-8000-000000000000"):
        assert assay.sync(name=wrong, status=3).failure["code"] == "NOT_FOUND"
    assert assay.ask("evidence", "show", "nothing", status=3)["error"]["code"] == "NOT_FOUND"


# Collecting

def test_sync_answers_with_counts_and_errors():
    reply = lit().synced
    assert {"evidenceCollected", "evidenceFailed", "controlsUpdated", "errors"} <= set(reply) <= {
        "evidenceCollected", "evidenceFailed", "controlsUpdated", "errors", "jobId"}, reply
    assert (reply["evidenceCollected"], reply["evidenceFailed"], reply["errors"]) == (2, 0, [])
    assert reply["controlsUpdated"] > 0


def test_evidence_has_the_fields_of_the_design():
    assay = lit()
    listed = assay.ask("evidence", "list")
    assert listed["nextCursor"] is None and len(listed["evidence"]) >= 2
    for row in listed["evidence"]:
        shown = assay.show(row["id"])
        assert set(shown["data"]) >= {"details"} and "data" not in row
        for key in ("id", "organizationId", "integrationId", "jobId", "evidenceType", "title", "description", "type", "source",
                    "metadata", "collectedAt", "validFrom", "validUntil", "completeness", "ledgerIndex"):
            assert row[key] == shown[key], key
        assert shown["source"] == "github" and shown["integrationId"] == assay.connected["id"]
        assert shown["metadata"] == {"organization": "acme"}
        assert all(TIME.match(shown[key]) for key in ("collectedAt", "validFrom", "validUntil"))
        assert shown["completeness"]["complete"] is True and shown["completeness"]["share"] == 1


def test_branch_protection_is_what_the_service_says():
    assay = lit()
    shown = assay.newest("branch_protection")
    expected = [protection_row(assay.sandbox, repository) for repository in repositories(assay.sandbox)]
    assert (shown["title"], shown["type"]) == ("Branch Protection Status", "config")
    assert shown["description"] == f"Branch protection rules for {len(expected)} repositories"
    protected = sum(1 for row in expected if row["protected"])
    totals = {key: value for key, value in shown["data"].items() if key != "details"}
    assert totals == {"totalRepositories": len(expected), "protectedRepositories": protected,
                      "unprotectedRepositories": len(expected) - protected}
    details = [{key: row[key] for key in wanted} for row, wanted in zip(shown["data"]["details"], expected)]
    assert len(shown["data"]["details"]) == len(expected)
    for found, wanted in zip(details, expected):
        assert found == wanted, (found, wanted)


def test_security_alerts_are_what_the_service_says():
    assay = lit()
    shown = assay.newest("security_alerts")
    expected = [alert_row(assay.sandbox, repository) for repository in repositories(assay.sandbox)]
    assert (shown["title"], shown["type"]) == ("Security Alerts Summary", "report")
    assert shown["description"] == f"Security alerts across {len(expected)} repositories"
    assert len(shown["data"]["details"]) == len(expected)
    for found, wanted in zip(shown["data"]["details"], expected):
        assert found == wanted, (found, wanted)
    counted = [row["dependabotAlerts"] for row in expected if row["dependabotAlerts"]]
    assert shown["data"]["totalRepositories"] == len(expected)
    assert shown["data"]["totalDependabotAlerts"] == sum(row["total"] for row in counted)
    assert shown["data"]["criticalAlerts"] == sum(row["critical"] for row in counted)


def test_no_call_is_made_twice_in_a_run():
    with small() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        sandbox.control("POST", "reset")
        assay.sync()
        counts = sandbox.counts()
        assert set(counts.values()) == {1}, counts
        assert sum(1 for line in counts if line.startswith("GET /orgs/acme/repos")) == 1


def test_second_sync_makes_a_new_record_of_the_same_document():
    with small() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        first, second = assay.sync().json, assay.sync().json
        assert first["jobId"] != second["jobId"]
        assert len(assay.evidence()) == 4 and len(assay.rows("select * from document")) == 2
        newer, older = assay.evidence("--type", "branch_protection")
        assert newer["id"] != older["id"] and newer["collectedAt"] > older["collectedAt"]
        assert {newer["jobId"], older["jobId"]} == {first["jobId"], second["jobId"]}
        assert assay.show(newer["id"])["data"] == assay.show(older["id"])["data"]
        assert {row["ledgerIndex"] for row in assay.evidence()} == {0, 1, 2, 3}


def test_shown_data_are_the_bytes_that_were_hashed():
    assay = lit()
    (row,) = assay.rows("select * from evidence where evidence_type = 'branch_protection' limit 1")
    text = assay.run("evidence", "show", row["id"], "--json", status=0).out
    raw = assay.document(row["document_id"]).decode()
    assert raw in text and text.count("\n") <= 1
    assert json.loads(row["record"])["dataSha256"] == row["data_sha256"]


def test_archived_repositories_are_read_when_wished():
    with Sandbox("--repos", "60", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        everything = len(sandbox.pages("/orgs/acme/repos?per_page=100"))
        live = len(repositories(sandbox))
        assert live < everything
        assay.connect()
        assay.connect(name="all", include_archived="true")
        assay.connect(name="two", repositories="repo-2,acme/repo-3")
        for name in ("acme", "all", "two"):
            assay.sync("--evidence", "branch_protection", name=name)
        totals = {row["integrationId"]: assay.show(row["id"])["data"]["totalRepositories"] for row in assay.evidence()}
        ids = {row["name"]: row["id"] for row in assay.integrations()}
        assert {name: totals[number] for name, number in ids.items()} == {"acme": live, "all": everything, "two": 2}


def test_evidence_option_narrows_what_is_collected():
    with small() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assert assay.sync("--evidence", "security_alerts").json["evidenceCollected"] == 1
        assert not [line for line in sandbox.counts() if "/protection" in line]
        assert [row["evidenceType"] for row in assay.evidence()] == ["security_alerts"]
        assert assay.sync("--evidence", "security_alerts,branch_protection").json["evidenceCollected"] == 2


def test_controls_option_narrows_to_what_supports_them():
    with small() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        for option, expected in (("CC7.1", {"security_alerts"}), ("soc2:CC8.1", {"branch_protection"}),
                                 ("CC8.1,CC7.1", {"security_alerts", "branch_protection"}),
                                 ("iso27001_2022:8.32", {"branch_protection"})):
            job = assay.sync("--controls", option).json["jobId"]
            assert {row["evidenceType"] for row in assay.evidence() if row["jobId"] == job} == expected, option
        assert assay.sync("--controls", "CC1.1", status=2).failure["code"] == "USAGE"


def test_unknown_evidence_type_is_a_usage_error_that_names_it():
    assay = lit()
    failure = assay.sync("--evidence", "branch_protektion", status=2).failure
    assert failure["code"] == "USAGE" and "branch_protektion" in failure["message"] and failure["retryable"] is False


def test_evidence_filters_narrow_the_list():
    assay = lit()
    every = assay.evidence()
    assert {row["evidenceType"] for row in assay.evidence("--type", "branch_protection")} == {"branch_protection"}
    assert assay.evidence("--source", "github", "--integration", "acme") == every
    assert assay.evidence("--from", "2100-01-01") == [] and assay.evidence("--to", "2000-01-01T00:00:00Z") == []
    assert assay.evidence("--from", "1d") == every
    page = assay.ask("evidence", "list", "--limit", "1")
    assert page["evidence"] == every[:1] and page["nextCursor"]
    assert assay.evidence("--source", "nobody") == []


# Judging

def test_findings_are_what_the_rows_say():
    assay = lit()
    rows = {kind: assay.newest(kind)["data"]["details"] for kind in ("branch_protection", "security_alerts")}
    expected = {(check, row["repository"]) for check, fails in FAILS.items() for row in rows[check.partition(".")[0]] if fails(row)}
    found = assay.findings("--limit", "1000")
    assert {(row["check"], row["resource"]) for row in found} == expected
    for row in found:
        assert row["state"] == "open" and row["severity"] in ("critical", "high", "medium", "low")
        assert row["remediation"] and row["title"] and row["integration"] == "acme" and TIME.match(row["openedAt"])
        assert row["controls"]["soc2"]
    assert {row["severity"] for row in assay.findings("--severity", "high")} == {"high"}


def test_controls_follow_from_the_checks():
    assay = lit()
    report = assay.controls("soc2")
    failing = {row["check"] for row in assay.findings("--limit", "1000")}
    by_id = {row["id"]: row for row in report["controls"]}
    for control in ("CC8.1", "CC7.1", "CC6.1"):
        checks = by_id[control]["checks"]
        assert checks, control
        for check in checks:
            assert (check["verdict"] == "fail") == (check["check"] in failing), check
        verdicts = {check["verdict"] for check in checks if check["verdict"] != "not_applicable"}
        expected = {frozenset({"fail"}): "non_compliant", frozenset({"pass"}): "compliant",
                    frozenset({"pass", "fail"}): "partial"}[frozenset(verdicts)]
        assert by_id[control]["status"] == expected, by_id[control]
        assert 0 < by_id[control]["confidence"] <= 1
    assert by_id["CC1.1"]["status"] == "manual"


def test_score_is_met_weight_over_applicable_weight():
    report = lit().controls("soc2")
    counts = {}
    for row in report["controls"]:
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    out = ("manual", "not_applicable", "exception")
    applicable = sum(row["weight"] for row in report["controls"] if row["status"] not in out)
    met = sum(row["weight"] for row in report["controls"] if row["status"] == "compliant")
    score = report["score"]
    assert (score["metWeight"], score["applicableWeight"]) == (met, applicable)
    assert abs(score["score"] - met / applicable) < 1e-9
    assert {name: number for name, number in score["counts"].items() if number} == counts


def test_every_framework_and_its_aliases_can_be_asked_for():
    assay = lit()
    assert assay.controls("soc_2_type_2")["framework"] == "soc2"
    old = {row["id"]: row["status"] for row in assay.controls("iso27001_2013")["controls"]}
    new = {row["id"]: row["status"] for row in assay.controls("iso27001_2022")["controls"]}
    assert old["A.14.2.2"] in ("partial", "non_compliant") and new["8.32"] == old["A.14.2.2"]
    assert assay.ask("controls", "--framework", "soc3", status=3)["error"]["code"] == "NOT_FOUND"
    only = assay.controls("soc2", "--status", "manual")
    assert {row["status"] for row in only["controls"]} == {"manual"}
    assert only["score"] == assay.controls("soc2")["score"]


def protect(sandbox, number, protected):
    """From now on the repository's branch is protected by classic protection, or not at all."""
    sandbox.clear()
    reply = {"status": 404, "body": {"message": "Branch not protected"}}
    if protected:
        reply = {"status": 200, "body": {"required_pull_request_reviews": {"required_approving_review_count": 2},
                                         "required_status_checks": {"contexts": ["build"]}, "enforce_admins": {"enabled": True},
                                         "required_signatures": {"enabled": True}, "allow_force_pushes": {"enabled": False},
                                         "allow_deletions": {"enabled": False}}}
    sandbox.fault(match=f"/repos/acme/repo-{number}/branches/*", kind="status", **reply)
    sandbox.fault(match=f"/repos/acme/repo-{number}/rules/*", kind="status", status=200, body=[])


def test_findings_open_resolve_and_regress_with_the_service():
    with Sandbox("--repos", "1", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        assay.connect()
        seen = []
        for protected in (False, True, False, False):
            protect(sandbox, 1, protected)
            assay.sync("--evidence", "branch_protection")
            (row,) = [row for row in assay.findings() if row["check"].endswith("default_branch_protected")] or [{"state": "none"}]
            seen.append(row["state"])
            control = assay.control("CC8.1")["status"]
            assert control == ("compliant" if protected else "non_compliant"), control
        assert seen == ["open", "resolved", "open", "open"]
        kinds = assay.rows("select kind from finding_transition where check_id like '%default_branch_protected' order by id")
        assert [row["kind"] for row in kinds] == ["opened", "resolved", "regressed"]
        assert assay.ask("findings", "--state", "resolved")["findings"] == []
        assert [row["verdict"] for row in assay.control("CC8.1")["checks"]] == ["fail"] * 7


def test_a_repository_that_is_not_read_any_more_keeps_its_finding():
    with Sandbox("--repos", "1", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        assay.connect()
        protect(sandbox, 1, False)
        assay.sync("--evidence", "branch_protection")
        before = assay.findings()
        sandbox.clear()
        sandbox.fault(match="/orgs/acme/repos", kind="status", status=200, body=[])
        assay.sync("--evidence", "branch_protection")
        after = assay.findings()
        assert before and [(row["check"], row["state"]) for row in after] == [(row["check"], row["state"]) for row in before]


def test_evidence_grows_stale_with_time():
    assay = lit()
    later = {"ASSAY_TEST_CLOCK_OFFSET": str(31 * 24 * 3600 * 1000)}
    control = {row["id"]: row for row in assay.ask("controls", "--framework", "soc2", env=later)["controls"]}["CC8.1"]
    assert control["status"] == "stale" and control["verdict"] in ("partial", "non_compliant"), control


# Organizations

def test_organizations_see_only_their_own():
    with small() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assay.sync("--evidence", "branch_protection")
        assay.run("connect", "github", "--name", "acme", "--set", "organization=acme", "--set", f"api_url={sandbox.url}",
                  "--set", "allow_private=true", "--credential", "access_token=env:TOKEN", "--organization", "second", status=0)
        assert assay.ask("evidence", "list", "--organization", "second")["evidence"] == []
        evidence = assay.evidence()[0]
        assert assay.ask("evidence", "show", evidence["id"], "--organization", "second", status=3)["error"]["code"] == "NOT_FOUND"
        theirs = assay.ask("integrations", "--organization", "second")["integrations"]
        ours = assay.integrations()
        assert len(theirs) == len(ours) == 1 and theirs[0]["id"] != ours[0]["id"]
        assert assay.sync("--organization", "second", name=ours[0]["id"], status=3).failure["code"] == "NOT_FOUND"
        assay.sync("--organization", "second", "--evidence", "branch_protection")
        assert len(assay.evidence()) == 1 and assay.value("select count(*) from ledger_head where size = 1") == 2
        assert assay.ask("integrations", "--organization", "third", status=3)["error"]["code"] == "NOT_FOUND"


# For people

def test_tables_have_words_and_no_escape_codes_when_piped():
    assay = lit()
    first = assay.evidence()[0]["id"]
    for words, expected in ((["integrations"], "connected"), (["evidence", "list"], "branch_protection"),
                            (["evidence", "show", first], "repo-1"), (["findings"], "default branch"), (["controls", "--framework", "soc2"], "CC8.1"),
                            (["controls"], "SOC 2"),
                            (["provider", "list"], "GitHub"), (["provider", "show", "github"], "branch_protection"),
                            (["sync", "acme", "--evidence", "security_alerts"], "1 collected")):
        result = assay.run(*words, status=0)
        assert expected in result.out, result
        assert "\x1b" not in result.out + result.error and "\r" not in result.out + result.error, result
    status = {"compliant", "partial", "failing", "could not read", "stale", "no evidence"}
    assert any(word in assay.run("controls", "--framework", "soc2").out for word in status)


def test_terminals_get_colour_and_one_line_of_progress():
    with small() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        status, shown = assay.run_on_terminal("sync", "acme")
        assert status == 0 and "2 collected" in shown, shown
        status, shown = assay.run_on_terminal("controls", "--framework", "soc2")
        assert status == 0 and "\x1b[" in shown and "CC8.1" in shown
        rows = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.splitlines()]
        assert all(len(row) <= 100 for row in rows if row.startswith("CC")), shown
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            status, shown = assay.run_on_terminal("controls", "--framework", "soc2", env=env)
            assert status == 0 and "\x1b[3" not in shown and "\x1b[1" not in shown, shown[:300]


def test_quiet_leaves_standard_error_empty():
    assay = lit()
    for words in (["integrations"], ["sync", "acme", "--evidence", "security_alerts"], ["controls"]):
        assert assay.run(*words, "--quiet", status=0).error == ""


def test_empty_states_say_the_next_command():
    with Assay() as assay:
        for words in (["integrations"], ["sync", "acme"], ["evidence", "list"], ["controls"], ["findings"]):
            result = assay.run(*words, status=3)
            assert result.out == "" and result.error.startswith("assay: ") and "assay init" in result.error, result
            assert not assay.data.exists(), words
        assay.run("init", status=0)
        assert "assay connect" in "".join([(made := assay.run("integrations", status=0)).out, made.error])
        assay.run("evidence", "list", status=0)
        assert assay.ask("findings") == {"findings": [], "nextCursor": None}


def test_init_makes_the_data_directory_once():
    with Assay() as assay:
        first = assay.run("init", status=0)
        key = (assay.data / "encryption.key").read_bytes()
        assert str(assay.data) in first.out
        assay.run("init", status=0)
        assert (assay.data / "encryption.key").read_bytes() == key
        if is_postgres():
            return
        other = assay.home / "other"
        assay.run("init", "--data", other, status=0)
        assert (other / "assay.db").exists()
        xdg = assay.home / "xdg"
        if os.geteuid() != 0:
            assay.run("init", env={"ASSAY_DATA": None, "XDG_DATA_HOME": str(xdg)}, status=0)
            assert (xdg / "assay" / "assay.db").exists()


def test_every_command_has_help_with_an_example():
    with Assay() as assay:
        for command in COMMANDS:
            result = assay.run(*command.split(), "--help", status=0)
            assert re.search("example", result.out, re.I) and f"assay {command}" in result.out, result
        overview = assay.run("--help", status=0).out
        for command in COMMANDS:
            assert command.split()[0] in overview, command
        assert assay.run("help", status=0).out == overview
        assert re.search(r"\d+\.\d+\.\d+", assay.run("--version", status=0).out)
        assert not assay.data.exists()


def test_wrong_command_lines_are_refused_with_status_2():
    with Assay() as assay:
        for words, expected in ((["snyc"], "sync"), (["integrations", "--stauts", "x"], "--status"), (["evidence"], "evidence"),
                                (["connect"], "PROVIDER"), (["sync"], "INTEGRATION"), (["controls", "extra"], "arguments"),
                                (["evidence", "list", "--limit", "-3"], "--limit"), (["sync", "a", "--from", "yesterdayish"], "--from")):
            result = assay.run(*words, status=2)
            assert result.error.startswith("assay: ") and expected in result.error and result.out == "", result
            with_json = assay.run(*words, "--json", status=2)
            assert with_json.failure["code"] == "USAGE" and with_json.failure["retryable"] is False
        assert not assay.data.exists()


def test_own_definition_with_an_alias_is_connected_by_it():
    text = pathlib.Path(os.environ["ASSAY_SOURCE"], "providers", "github.yaml").read_text()
    text = text.replace("id: github\n", "id: forge\naliases: [old_forge]\n", 1)
    with small() as sandbox, Assay(sandbox) as assay:
        assay.run("init", status=0)
        (assay.data / "providers").mkdir(exist_ok=True)
        (assay.data / "providers" / "forge.yaml").write_text(text)
        assert assay.connect(provider="old_forge").json["success"] is True
        assay.sync("--evidence", "branch_protection")
        assert [row["source"] for row in assay.evidence("--source", "old_forge")] == ["forge"]
        assert assay.integrations()[0]["integrationType"] == "forge"


def test_what_was_looked_at_all_along_is_sound():
    lit().sound()


if __name__ == "__main__":
    tap.main(globals())
