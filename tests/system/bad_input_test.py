#!/usr/bin/env python3
"""Whatever a service, a definition or a person gives: the right code, the rest whole, the database sound.

Every case runs in an installation of its own, whose database is checked at the end (Assay.__exit__).
"""

import contextlib
import email.utils
import http.server
import json
import os
import pathlib
import re
import threading
import time

import tap
from assay_client import Assay
from sandbox_client import TOKEN, Sandbox, built

REPO = "/repos/acme/repo-2"
BRANCHES = f"{REPO}/branches/*"
PROTECTED = {"required_pull_request_reviews": {"required_approving_review_count": 2},
             "required_status_checks": {"contexts": ["build"]}, "enforce_admins": {"enabled": True},
             "required_signatures": {"enabled": True}, "allow_force_pushes": {"enabled": False},
             "allow_deletions": {"enabled": False}}

# A service of the test's own making, asked through the sandbox's faults.
OWN = """\
assay: 1
id: own
name: Own
category: devops
summary: A service for tests
docs: https://example.com/docs
checked: 2026-11-20
hosts: []
settings:
  api_url: {label: API URL, format: url}
auth:
  token:
    label: Token
    scheme: bearer
    fields: {access_token: {label: Token, secret: true}}
http:
  base_url: .settings.api_url
  page: {style: link}
identity: {call: whoami, reply: {user: .login}}
calls:
  whoami: {get: /user}
  repos: {get: /orgs/acme/repos, query: {per_page: 100}, rows: .}
evidence:
  good:
    title: Good
    description: Repositories by name
    type: config
    read: {repo: {call: repos}}
    row: {name: .repo.name}
    fields: {name: string}
    summary: {total: count}
    checks:
      named: {title: It has a name, resource: .name, pass: '.name != ""', severity: low, remediation: Name it., controls: {soc2: [CC8.1]}}
  bad:
    title: Bad
    description: What goes wrong
    type: config
    read: {repo: {call: repos}}
    row: {name: .repo.name, value: BAD_VALUE}
    fields: {name: string, value: int}
    summary: {total: count}
    checks:
      valued: {title: It has a value, resource: .name, pass: BAD_PASS, severity: low, remediation: Value it., controls: {soc2: [CC7.1]}}
schedule: {default: 4h, min: 1h, max: 24h}
setup: Nothing to do.
"""


@contextlib.contextmanager
def world(connected=True, repos=3, **environment):
    with Sandbox("--repos", str(repos), "--limit", "0") as sandbox, Assay(sandbox, **environment) as assay:
        if connected:
            assay.connect()
            sandbox.control("POST", "reset")
        yield sandbox, assay


def own_provider(assay, value=".repo.id", judged=".value > 0", name="own.yaml", text=OWN):
    folder = assay.data / "providers"
    assay.run("init", status=0)
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text.replace("BAD_VALUE", json.dumps(value)).replace("BAD_PASS", json.dumps(judged)))
    return folder / name


def entry(result, evidence_type):
    """The one error of a type."""
    found = [row for row in result.json["errors"] if row["evidenceType"] == evidence_type]
    assert len(found) == 1, result
    assert set(found[0]) == {"evidenceType", "code", "message", "retryable", "details"}, found
    return found[0]


def expect(result, evidence_type, code, retryable, collected=2):
    """One type fails with this code, and nothing else does."""
    found = entry(result, evidence_type)
    assert (found["code"], found["retryable"]) == (code, retryable), result
    assert len(result.json["errors"]) == 1 and result.json["evidenceCollected"] == collected, result
    assert result.json["evidenceFailed"] == 2 - collected, result
    return found


def is_whole(assay, evidence_type):
    record = assay.newest(evidence_type)
    assert record["completeness"]["complete"] is True and record["completeness"]["share"] == 1, record["completeness"]
    return record


def is_cut(assay, evidence_type):
    record = assay.newest(evidence_type)
    assert record["completeness"]["complete"] is False and record["completeness"]["share"] < 1, record["completeness"]
    return record


def recovers(sandbox, assay):
    """Once the trouble is over, the next sync is whole again."""
    sandbox.clear()
    result = assay.sync()
    assert result.json["errors"] == [] and result.json["evidenceCollected"] == 2
    assert assay.integrations()[0]["status"] == "connected"
    is_whole(assay, "branch_protection")
    is_whole(assay, "security_alerts")


def verdicts(assay, control="CC8.1"):
    return {row["check"]: row["verdict"] for row in assay.control(control)["checks"]}


def counted(sandbox, match):
    return sum(sandbox.counts(match).values())


# Definitions

def misspelt():
    text = pathlib.Path(os.environ["ASSAY_SOURCE"], "providers", "github.yaml").read_text()
    line = next(number for number, row in enumerate(text.splitlines(), 1) if row.startswith("    remediation:") or "remediation:" in row)
    return text.replace("remediation:", "remedation:", 1).replace("id: github\n", "id: misspelt\n", 1), line


def test_misspelt_key_of_a_definition_is_told_with_line_column_and_suggestion():
    with Assay() as assay:
        text, line = misspelt()
        file = assay.home / "misspelt.yaml"
        file.write_text(text)
        result = assay.run("provider", "check", file, status=2)
        told = result.out + result.error
        assert re.search(rf"misspelt\.yaml:{line}:\d+: ", told) and "remedation" in told and '"remediation"' in told.replace("'", '"'), result
        assert "remediation" in assay.run("provider", "check", file, "--json", status=2).out


def test_misspelt_definition_fails_alone_and_the_others_work():
    with world(connected=False) as (sandbox, assay):
        text, line = misspelt()
        own_provider(assay, name="misspelt.yaml", text=text)
        failed = assay.connect(provider="misspelt", status=2).failure
        assert failed["code"] == "CONFIGURATION_ERROR" and f"misspelt.yaml:{line}:" in failed["message"], failed
        assert "remediation" in failed["message"] and failed["retryable"] is False
        assay.connect()
        assert assay.sync().json["errors"] == []
        assert [row["integrationType"] for row in assay.integrations()] == ["github"]


def test_definition_that_is_no_yaml_at_all_is_refused_with_a_line():
    with Assay() as assay:
        file = assay.home / "broken.yaml"
        for text in ("assay: 1\nid: [\n", "assay: 1\nid: &a [*a, *a]\n", "\x00\x01", "", "- just a list\n"):
            file.write_text(text)
            told = assay.run("provider", "check", file, status=2)
            assert re.search(r"broken\.yaml:\d+:\d+: ", told.out + told.error), told
        assert assay.run("provider", "check", assay.home / "absent.yaml").status in (2, 3)


# Credentials and settings

def test_wrong_token_is_refused_and_nothing_is_stored():
    with world(connected=False) as (sandbox, assay):
        failure = assay.connect(status=4, env={"TOKEN": "wrong"}).failure
        assert failure["code"] == "AUTHENTICATION_FAILED" and failure["retryable"] is False
        assert failure["message"] == "Invalid GitHub credentials"
        assert assay.ask("integrations")["integrations"] == []
        for table in ("integration", "credential", "job", "evidence"):
            assert assay.value(f"select count(*) from {table}") == 0, table
        assay.connect()


def test_revoked_token_ends_the_sync_and_asks_to_reconnect():
    with world() as (sandbox, assay):
        sandbox.fault(match="*", kind="status", status=401, body={"message": "Bad credentials"})
        result = assay.sync(status=4)
        for kind in ("branch_protection", "security_alerts"):
            found = entry(result, kind)
            assert (found["code"], found["retryable"]) == ("AUTHENTICATION_FAILED", False), found
            assert found["message"] == "Authentication failed for GitHub. Please re-authorize."
        assert counted(sandbox, "*") == 1
        (row,) = assay.integrations("--status", "error")
        assert (row["status"], row["statusReason"]) == ("reconnect_needed", "AUTHENTICATION_FAILED")
        assert "re-authorize" in row["errorMessage"]
        recovers(sandbox, assay)


def test_token_revoked_in_the_middle_stops_asking():
    with world(repos=60) as (sandbox, assay):
        sandbox.fault(match="/repos/*", kind="status", after=5, status=401, body={"message": "Bad credentials"})
        result = assay.sync(status=4)
        assert {row["code"] for row in result.json["errors"]} == {"AUTHENTICATION_FAILED"}
        assert counted(sandbox, "*") < 60, sandbox.stats()
        assert assay.integrations()[0]["status"] == "reconnect_needed"
        assert assay.findings() == [] or {row["state"] for row in assay.findings()} == {"open"}
        recovers(sandbox, assay)


def test_wrong_settings_are_refused_with_what_is_wrong():
    with world(connected=False) as (sandbox, assay):
        for settings, word in (({"organization": None}, "organization"), ({"organization": "a b"}, "organization"),
                               ({"organisation": "acme"}, "organization"), ({"api_url": "ftp://example.com"}, "api_url"),
                               ({"api_url": "http://user:pass@example.com"}, "api_url"), ({"include_archived": "perhaps"}, "include_archived"),
                               ({"allow_private": "perhaps"}, "allow_private")):
            failure = assay.connect(status=2, **settings).failure
            assert word in failure["message"], failure
        assert counted(sandbox, "*") == 0
        assert assay.connect(status=3, provider="gitlab").failure["code"] == "NOT_FOUND"
        assert "github" in assay.connect(status=3, provider="githup").failure["message"]


# Where requests may go

def test_unknown_host_is_a_wrong_setting():
    with world(connected=False) as (sandbox, assay):
        failure = assay.connect(api_url="http://nowhere.invalid", status=2).failure
        assert failure["code"] == "CONFIGURATION_ERROR" and failure["retryable"] is False, failure
        assert "nowhere.invalid is not found" in failure["message"] and assay.integrations() == []
        assay.connect()
        point_to(assay, "http://nowhere.invalid")
        result = assay.sync(status=5)
        for kind in ("branch_protection", "security_alerts"):
            assert entry(result, kind)["code"] == "CONFIGURATION_ERROR"
        assert assay.integrations()[0]["status"] == "degraded"
        point_to(assay, sandbox.url)
        recovers(sandbox, assay)


def test_closed_port_is_unavailable():
    with world(connected=False) as (sandbox, assay):
        with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
            port = server.server_address[1]
        failure = assay.connect(api_url=f"http://127.0.0.1:{port}", status=6).failure
        assert failure["code"] == "SERVICE_UNAVAILABLE" and failure["retryable"] is True


def point_to(assay, url):
    """The stored setting is changed behind the program's back."""
    settings = json.loads(assay.value("select settings from integration"))
    assay.change("update integration set settings = ?", json.dumps({**settings, "api_url": url}))


def test_metadata_addresses_are_refused_in_every_form():
    with world(connected=False) as (sandbox, assay):
        for host in ("169.254.169.254", "[::ffff:169.254.169.254]", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376",
                     "[fd00:ec2::254]", "169.254.170.2", "100.100.100.200"):
            result = assay.connect(api_url=f"http://{host}", status=2)
            assert result.failure["code"] == "CONFIGURATION_ERROR" and result.failure["retryable"] is False, result
        assert assay.integrations() == []


def test_private_addresses_and_plain_http_need_allow_private():
    with world(connected=False) as (sandbox, assay):
        for url in (sandbox.url, sandbox.url.replace("http:", "https:"), sandbox.url.replace("127.0.0.1", "localhost"),
                    "http://example.com"):
            for allow in (None, "false"):
                result = assay.connect(api_url=url, allow_private=allow, status=2)
                assert result.failure["code"] == "CONFIGURATION_ERROR", result
        assert counted(sandbox, "*") == 0 and assay.integrations() == []


class Trap(http.server.BaseHTTPRequestHandler):
    """Another origin, which remembers what it was asked."""
    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        body = json.dumps(PROTECTED).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def trap():
    with http.server.HTTPServer(("127.0.0.1", 0), Trap) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_redirect_to_another_origin_never_gets_the_token():
    with world() as (sandbox, assay), trap() as server:
        sandbox.fault(match=BRANCHES, kind="redirect", location=f"http://127.0.0.1:{server.server_address[1]}/caught")
        result = assay.sync(status=5)
        expect(result, "branch_protection", "CONFIGURATION_ERROR", False)
        assert server.asked == [], server.asked
        is_cut(assay, "branch_protection")
        is_whole(assay, "security_alerts")
        assert TOKEN not in result.out + result.error
        recovers(sandbox, assay)


def test_redirect_to_a_metadata_address_is_not_followed():
    with world() as (sandbox, assay):
        sandbox.fault(match=BRANCHES, kind="redirect", location="http://169.254.169.254/latest/meta-data/")
        expect(assay.sync(status=5), "branch_protection", "CONFIGURATION_ERROR", False)


def test_redirect_within_the_origin_is_followed():
    with world() as (sandbox, assay):
        (line,) = [line for line in ask_all(sandbox) if line.endswith("/protection") and "repo-2" in line]
        sandbox.fault(match=BRANCHES, kind="redirect", times=1, location=line)
        assert assay.sync().json["errors"] == []
        assert counted(sandbox, BRANCHES) == 2
        is_whole(assay, "branch_protection")


def ask_all(sandbox):
    """The paths of the protection of every branch, as the service spells them."""
    rows = sandbox.pages("/orgs/acme/repos?per_page=100")
    sandbox.control("POST", "reset")
    return [f"/repos/{row['full_name']}/branches/{row['default_branch'].replace('/', '%2F')}/protection" for row in rows]


def test_redirect_that_goes_round_is_given_up():
    with world() as (sandbox, assay):
        (line,) = [line for line in ask_all(sandbox) if "repo-2/" in line]
        sandbox.fault(match=BRANCHES, kind="redirect", location=line)
        expect(assay.sync(status=5), "branch_protection", "CONFIGURATION_ERROR", False)
        assert counted(sandbox, BRANCHES) <= 5


# What may not be seen, and what is not there

def test_403_on_one_call_names_the_permission_and_leaves_the_rest_whole():
    with world(repos=1) as (sandbox, assay):
        sandbox.fault(match="/repos/acme/repo-1/branches/*", kind="status", status=403, body={"message": "Resource not accessible by personal access token"})
        found = expect(assay.sync(status=5), "branch_protection", "PERMISSION_DENIED", False)
        assert found["message"].startswith("Insufficient permissions for GitHub. Please check scopes: ")
        assert "administration:read" in found["message"] and "administration:read" in json.dumps(found["details"])
        record = is_cut(assay, "branch_protection")
        assert record["data"]["totalRepositories"] == 1
        assert set(verdicts(assay).values()) <= {"could_not_read", "not_applicable"}, verdicts(assay)
        assert assay.control("CC8.1")["status"] == "inconclusive"
        assert [row for row in assay.findings() if row["evidenceType"] == "branch_protection"] == []
        is_whole(assay, "security_alerts")
        assert assay.integrations()[0]["status"] == "degraded"
        recovers(sandbox, assay)


def test_denied_read_never_passes_and_never_resolves():
    with world(repos=1) as (sandbox, assay):
        missing = {"status": 404, "body": {"message": "Branch not protected"}}
        sandbox.fault(match="/repos/acme/repo-1/rules/*", kind="status", status=200, body=[])
        sandbox.fault(match="/repos/acme/repo-1/branches/*", kind="status", times=1, **missing)
        sandbox.fault(match="/repos/acme/repo-1/branches/*", kind="status", status=403, body={"message": "Resource not accessible by integration"})
        assay.sync("--evidence", "branch_protection")
        before = {(row["check"], row["state"]) for row in assay.findings()}
        assert ("branch_protection.default_branch_protected", "open") in before
        assay.sync("--evidence", "branch_protection", status=5)
        assert {(row["check"], row["state"]) for row in assay.findings()} == before
        assert "pass" not in verdicts(assay).values()


def test_a_fail_that_was_seen_outweighs_what_could_not_be_read():
    with world(repos=3) as (sandbox, assay):
        for number in (1, 2, 3):
            sandbox.fault(match=f"/repos/acme/repo-{number}/rules/*", kind="status", status=200, body=[])
        sandbox.fault(match="/repos/acme/repo-1/branches/*", kind="status", status=404, body={"message": "Branch not protected"})
        sandbox.fault(match="/repos/acme/repo-2/branches/*", kind="status", status=403, body={"message": "Resource not accessible"})
        sandbox.fault(match="/repos/acme/repo-3/branches/*", kind="status", status=200, body=PROTECTED)
        assay.sync(status=5)
        assert verdicts(assay)["branch_protection.default_branch_protected"] == "fail"
        assert {row["resource"] for row in assay.findings() if row["check"].startswith("branch_protection")} == {"acme/repo-1"}


def test_a_denied_row_among_passing_ones_could_not_be_read():
    with world(repos=2) as (sandbox, assay):
        for number in (1, 2):
            sandbox.fault(match=f"/repos/acme/repo-{number}/rules/*", kind="status", status=200, body=[])
        sandbox.fault(match="/repos/acme/repo-1/branches/*", kind="status", status=200, body=PROTECTED)
        sandbox.fault(match="/repos/acme/repo-2/branches/*", kind="status", status=403, body={"message": "Resource not accessible"})
        assay.sync(status=5)
        assert set(verdicts(assay).values()) == {"could_not_read"}, verdicts(assay)
        assert assay.control("CC8.1")["status"] == "inconclusive"


def test_404_that_says_not_configured_is_a_finding():
    with world(repos=1) as (sandbox, assay):
        sandbox.fault(match="/repos/acme/repo-1/branches/*", kind="status", status=404, body={"message": "Branch not protected"})
        sandbox.fault(match="/repos/acme/repo-1/rules/*", kind="status", status=200, body=[])
        assert assay.sync().json["errors"] == []
        record = is_whole(assay, "branch_protection")
        assert record["data"]["details"][0]["protected"] is False
        assert verdicts(assay)["branch_protection.default_branch_protected"] == "fail"


def test_404_of_any_other_wording_may_not_be_seen():
    with world(repos=1) as (sandbox, assay):
        sandbox.fault(match="/repos/acme/repo-1/branches/*", kind="status", status=404, body={"message": "Not Found"})
        expect(assay.sync(status=5), "branch_protection", "PERMISSION_DENIED", False)
        is_cut(assay, "branch_protection")
        assert "pass" not in verdicts(assay).values() and "fail" not in verdicts(assay).values()


def test_denied_root_list_makes_a_record_without_rows():
    with world() as (sandbox, assay):
        sandbox.fault(match="/orgs/acme/repos", kind="status", status=403, body={"message": "Resource not accessible by personal access token"})
        result = assay.sync(status=5)
        assert result.json["evidenceCollected"] == 2 and result.json["evidenceFailed"] == 0
        for kind in ("branch_protection", "security_alerts"):
            assert entry(result, kind)["code"] == "PERMISSION_DENIED"
            record = is_cut(assay, kind)
            assert record["data"]["details"] == [] and record["data"]["totalRepositories"] == 0
        assert "pass" not in verdicts(assay).values()
        recovers(sandbox, assay)


# A service that fails

def test_500_for_ever_on_one_call_is_tried_three_times():
    with world() as (sandbox, assay):
        sandbox.fault(match=BRANCHES, kind="status", status=500)
        found = expect(assay.sync(status=5), "branch_protection", "SERVICE_UNAVAILABLE", True)
        assert "500" in found["message"]
        assert counted(sandbox, BRANCHES) == 3
        is_cut(assay, "branch_protection")
        is_whole(assay, "security_alerts")
        recovers(sandbox, assay)


def test_500_twice_is_ridden_out():
    with world() as (sandbox, assay):
        for path in (BRANCHES, "/orgs/acme/repos", f"{REPO}/dependabot/*"):
            sandbox.fault(match=path, kind="status", status=503, times=2)
        assert assay.sync().json["errors"] == []
        assert counted(sandbox, BRANCHES) == 3 and counted(sandbox, "/orgs/acme/repos*") == 3


def test_500_for_ever_everywhere_opens_the_circuit_breaker():
    with world(repos=60) as (sandbox, assay):
        calls = 60 * 4  # or nearly so: what a whole run asks
        sandbox.fault(match="/repos/*", kind="status", status=500)
        result = assay.sync(status=None)
        assert result.status == 5, result
        for kind in ("branch_protection", "security_alerts"):
            assert entry(result, kind)["code"] == "SERVICE_UNAVAILABLE" and entry(result, kind)["retryable"] is True
        assert max(sandbox.counts("/repos/*").values()) == 3
        assert counted(sandbox, "/repos/*") < calls, "every call was tried although the service is down"
        assert assay.findings() == []
        recovers(sandbox, assay)


def test_500_for_ever_on_the_first_call_is_told_as_later():
    with world() as (sandbox, assay):
        sandbox.fault(match="*", kind="status", status=502)
        result = assay.sync(status=None)
        assert result.status == 5, result
        assert {row["code"] for row in result.json["errors"]} == {"SERVICE_UNAVAILABLE"}
        assert counted(sandbox, "*") == 3
        recovers(sandbox, assay)


def test_closed_connections_are_tried_three_times():
    with world() as (sandbox, assay):
        sandbox.fault(match=BRANCHES, kind="close")
        found = expect(assay.sync(status=5), "branch_protection", "SERVICE_UNAVAILABLE", True)
        assert found["message"].startswith("GitHub")
        # libcurl sends a GET again by itself when a kept connection turns out to be dead, 5 times at most; attempts
        # after the first have a connection of their own.
        assert 3 <= counted(sandbox, BRANCHES) <= 6 + 2, sandbox.counts(BRANCHES)


# Answers that cannot be read

def broken(kind, tries=(2, 3), **options):
    """One broken answer to a single read, and one to a list: told as broken, tried once more."""
    with world() as (sandbox, assay):
        sandbox.fault(match=BRANCHES, kind=kind, **options)
        found = expect(assay.sync(status=5), "branch_protection", "SERVICE_UNAVAILABLE", False)
        assert found["message"].startswith("GitHub"), found
        assert counted(sandbox, BRANCHES) in tries, sandbox.counts(BRANCHES)
        is_cut(assay, "branch_protection")
        is_whole(assay, "security_alerts")
        sandbox.clear()
        sandbox.fault(match="/orgs/acme/repos", kind=kind, **options)
        result = assay.sync(status=5)
        for kind_of_evidence in ("branch_protection", "security_alerts"):
            assert entry(result, kind_of_evidence)["code"] == "SERVICE_UNAVAILABLE"
            assert is_cut(assay, kind_of_evidence)["data"]["details"] == []
        recovers(sandbox, assay)


def test_half_a_body_is_broken():
    broken("broken_json")


def test_endless_body_is_broken():
    broken("endless")


def test_million_deep_body_is_broken():
    broken("deep")


def test_bomb_of_nodes_is_broken():
    broken("nodes", size=8 << 20)


def test_body_that_is_no_json_is_broken():
    broken("status", status=200, body="<html>It works</html>")


def test_endless_header_is_broken_or_unavailable():
    with world() as (sandbox, assay):
        sandbox.fault(match=BRANCHES, kind="huge_header")
        found = entry(assay.sync(status=5), "branch_protection")
        assert found["code"] == "SERVICE_UNAVAILABLE", found
        recovers(sandbox, assay)


def test_answer_that_is_no_http_is_unavailable():
    with world() as (sandbox, assay):
        sandbox.fault(match=BRANCHES, kind="raw", body="220 smtp.example.com ESMTP\r\n")
        assert entry(assay.sync(status=5), "branch_protection")["code"] == "SERVICE_UNAVAILABLE"
        recovers(sandbox, assay)


def test_truncated_body_is_told():
    with world() as (sandbox, assay):
        sandbox.fault(match=BRANCHES, kind="truncate")
        found = entry(assay.sync(status=5), "branch_protection")
        assert found["code"] == "SERVICE_UNAVAILABLE", found
        is_cut(assay, "branch_protection")
        is_whole(assay, "security_alerts")
        recovers(sandbox, assay)


def test_lone_surrogates_are_mended():
    with world() as (sandbox, assay):
        sandbox.fault(match="/repos/*/dependabot/*", kind="surrogate")
        sandbox.fault(match="/orgs/acme/repos", kind="surrogate", fields=["description"])
        assert assay.sync().json["errors"] == []
        raw = assay.run("evidence", "show", assay.evidence("--type", "security_alerts")[0]["id"], "--json", status=0).out
        raw.encode()
        assert "\\ud800" not in raw.lower()


def test_integers_beyond_2_to_the_53_are_kept():
    with world(connected=False) as (sandbox, assay):
        own_provider(assay, value=".repo.id")
        sandbox.fault(match="/orgs/acme/repos", kind="status", status=200, body=[{"name": "one", "id": 9007199254740993}])
        assay.connect(provider="own", organization=None)
        result = assay.sync()
        details = assay.newest("bad")["data"]["details"]
        assert "9007199254740992" not in json.dumps(details), (details, result)


# Lists that do not end

def test_list_that_names_itself_as_next_is_stopped():
    with world() as (sandbox, assay):
        sandbox.fault(match="/orgs/acme/repos", kind="loop")
        result = assay.sync(status=5)
        for kind in ("branch_protection", "security_alerts"):
            found = entry(result, kind)
            assert (found["code"], found["retryable"]) == ("CONFIGURATION_ERROR", False) and found["details"], found
            assert is_cut(assay, kind)["data"]["details"]
        assert counted(sandbox, "/orgs/acme/repos*") <= 3
        assert "pass" not in verdicts(assay).values()
        recovers(sandbox, assay)


def test_list_that_never_ends_is_stopped():
    with world(repos=1) as (sandbox, assay):
        sandbox.fault(match="/repos/acme/repo-1/rules/*", kind="endless_pages")
        found = expect(assay.sync(status=5), "branch_protection", "CONFIGURATION_ERROR", False)
        assert found["details"] == {"outcome": "endless"}, found
        assert counted(sandbox, "/repos/acme/repo-1/rules/*") == 2000
        is_cut(assay, "branch_protection")
        is_whole(assay, "security_alerts")
        recovers(sandbox, assay)


# Members that are missing or of another type

def test_missing_member_makes_its_rows_unreadable():
    with world(repos=1) as (sandbox, assay):
        sandbox.fault(match="/orgs/acme/repos", kind="missing_fields", fields=["full_name"])
        result = assay.sync(status=None)
        assert assay.newest("branch_protection")["data"]["totalRepositories"] == 1
        assert "pass" not in verdicts(assay).values() and "fail" not in verdicts(assay).values(), verdicts(assay)
        assert assay.findings() == [], result
        recovers(sandbox, assay)


def test_mistyped_member_makes_its_rows_unreadable():
    with world(repos=1) as (sandbox, assay):
        sandbox.fault(match="/repos/acme/repo-1/rules/*", kind="status", status=200, body=[])
        sandbox.fault(match="/repos/acme/repo-1/branches/*", kind="status", status=200,
                      body={**PROTECTED, "required_pull_request_reviews": {"required_approving_review_count": "two"}})
        assay.sync(status=None)
        assert verdicts(assay)["branch_protection.review_required"] == "could_not_read", verdicts(assay)
        assert "fail" not in verdicts(assay).values()
        recovers(sandbox, assay)


def test_every_member_mistyped_is_survived():
    with world() as (sandbox, assay):
        sandbox.fault(match="*", kind="wrong_types")
        result = assay.sync(status=None)
        assert result.status in (0, 5), result
        assert "pass" not in verdicts(assay).values()
        recovers(sandbox, assay)


def test_every_member_missing_is_survived():
    with world() as (sandbox, assay):
        sandbox.fault(match="*", kind="missing_fields")
        result = assay.sync(status=None)
        assert result.status in (0, 5), result
        assert "pass" not in verdicts(assay).values()
        recovers(sandbox, assay)


def test_object_where_a_list_is_expected_is_broken():
    with world() as (sandbox, assay):
        sandbox.fault(match="/orgs/acme/repos", kind="status", status=200, body={"repositories": []})
        result = assay.sync(status=5)
        assert {row["code"] for row in result.json["errors"]} == {"SERVICE_UNAVAILABLE"}
        assert is_cut(assay, "branch_protection")["data"]["details"] == []
        recovers(sandbox, assay)


# Expressions

def runaway_world():
    """A stopped expression leaves libjq's state behind on purpose, which leak detection would report."""
    return world(connected=False, ASAN_OPTIONS="detect_leaks=0")


def test_runaway_row_is_stopped_and_the_other_type_is_whole():
    with runaway_world() as (sandbox, assay):
        own_provider(assay, value="[range(0; 4000000000)] | length")
        sandbox.fault(match="/orgs/acme/repos", kind="status", status=200, body=[{"name": "one", "id": 1}])
        assay.connect(provider="own", organization=None)
        result = assay.sync(status=5)
        found = entry(result, "bad")
        assert (found["code"], found["retryable"]) == ("CONFIGURATION_ERROR", False), found
        assert is_whole(assay, "good")["data"]["details"] == [{"name": "one"}]
        assert [row for row in assay.rows("select evidence_type from evidence") if row["evidence_type"] == "good"]


def test_runaway_check_is_stopped_and_the_other_check_is_judged():
    with runaway_world() as (sandbox, assay):
        own_provider(assay, judged="last(range(0; 4000000000)) > .value")
        sandbox.fault(match="/orgs/acme/repos", kind="status", status=200, body=[{"name": "one", "id": 1}])
        assay.connect(provider="own", organization=None)
        result = assay.sync(status=5)
        found = expect(result, "bad", "CONFIGURATION_ERROR", False)
        assert "2000 ms" in found["message"], found
        assert verdicts(assay, "CC8.1") == {"good.named": "pass"}
        assert verdicts(assay, "CC7.1") == {"bad.valued": "could_not_read"}
        assert assay.findings() == []


def test_expression_that_eats_memory_ends_its_worker_and_nothing_else():
    program = built("assay").read_bytes()
    if b"__asan_init" in program or b"__tsan_init" in program:
        return print("# the memory of sanitized builds is not limited")
    with world(connected=False) as (sandbox, assay):
        own_provider(assay, value='reduce range(0; 1000000000) as $i ("x"; . + .) | length')
        sandbox.fault(match="/orgs/acme/repos", kind="status", status=200, body=[{"name": "one", "id": 1}])
        assay.connect(provider="own", organization=None)
        failure = assay.sync(status=1).failure
        assert failure["code"] == "INTERNAL" and "3 times" in failure["message"], failure
        assert counted(sandbox, "/orgs/*") <= 3
        assert assay.rows("select status from job") == [{"status": "failed"}]
        assert assay.sync("--evidence", "good").json["evidenceCollected"] == 1


def test_expressions_that_reach_outside_are_refused_when_loaded():
    with Assay() as assay:
        for value in ("env", "$ENV.TOKEN", "input", "[inputs]", "input_filename", "debug", "stderr", "halt", "halt_error",
                      "get_search_list", "localtime", "import \"a\" as a; 1", "include \"a\"; 1", "$__loc__", "modulemeta"):
            file = own_provider(assay, value=value)
            told = assay.run("provider", "check", file, status=2)
            assert re.search(r"own\.yaml:\d+:\d+: ", told.out + told.error), (value, told)


# Limits

def throttled(sandbox, assay, value):
    sandbox.fault(match=BRANCHES, kind="status", status=429, times=2, headers={"Retry-After": value},
                  body={"message": "Too many requests"})
    assert assay.sync().json["errors"] == []
    assert counted(sandbox, BRANCHES) == 3
    is_whole(assay, "branch_protection")


def test_429_waits_for_the_seconds_of_retry_after():
    with world() as (sandbox, assay):
        throttled(sandbox, assay, "7")


def test_429_waits_for_the_date_of_retry_after():
    with world() as (sandbox, assay):
        throttled(sandbox, assay, email.utils.formatdate(time.time() + 9, usegmt=True))


def test_429_that_asks_for_an_hour_parks_the_sync():
    with world() as (sandbox, assay):
        sandbox.fault(match=BRANCHES, kind="status", status=429, headers={"Retry-After": "3600"}, body={"message": "Too many requests"})
        result = assay.sync(status=6)
        assert result.json["parkedUntil"] and result.json["evidenceCollected"] < 2
        found = entry(result, "branch_protection")
        assert (found["code"], found["retryable"]) == ("RATE_LIMITED", True), found
        assert found["message"] == "Rate limit exceeded for GitHub. Please try again later."
        sandbox.clear()
        again = assay.sync(status=6)
        assert counted(sandbox, BRANCHES) == 1, again
        later = {"ASSAY_TEST_CLOCK_OFFSET": str(3601 * 1000)}
        assert assay.sync(env=later).json["errors"] == []
        assert counted(sandbox, BRANCHES) == 2


def test_spent_limit_parks_and_goes_on_without_asking_again():
    with Sandbox("--repos", "40", "--limit", "5000") as sandbox, Assay(sandbox) as assay:
        assay.connect()
        sandbox.control("POST", "reset")
        sandbox.control("POST", "limit", {"remaining": 560, "reset_in": 3600})
        parked = assay.sync(status=6)
        asked = sandbox.counts()
        assert parked.json["parkedUntil"] and parked.json["evidenceCollected"] == 0
        assert 30 < sum(asked.values()) < 100, sandbox.stats()
        assert assay.rows("select status from job") == [{"status": "parked"}]
        assert assay.integrations()[0]["status"] == "connected"
        later = {"ASSAY_TEST_CLOCK_OFFSET": str(3601 * 1000)}
        assert assay.sync(status=6).status == 6
        assert sandbox.counts() == asked, "a parked sync asked before its time"
        sandbox.control("POST", "limit", {"remaining": 5000, "reset_in": 7200})
        done = assay.sync(env=later)
        assert done.json["errors"] == [] and done.json["evidenceCollected"] == 2
        assert "jobId" not in done.json or done.json["jobId"] == parked.json["jobId"]
        assert set(sandbox.counts().values()) == {1}, "calls that the journal held were made again"
        assert len(assay.evidence()) == 2


def test_limit_that_is_refused_by_the_service_parks_too():
    with world() as (sandbox, assay):
        sandbox.fault(match="/repos/*", kind="throttle", after=2, reset_in=1800)
        parked = assay.sync(status=6)
        assert parked.json["parkedUntil"]
        sandbox.clear()
        before = sandbox.counts("/orgs/*")
        assert assay.sync(env={"ASSAY_TEST_CLOCK_OFFSET": str(1801 * 1000)}).json["errors"] == []
        assert sandbox.counts("/orgs/*") == before, "the list was read again"


if __name__ == "__main__":
    tap.main(globals())
