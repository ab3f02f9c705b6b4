#!/usr/bin/env python3
"""assay-sandbox answers as GitHub does, keeps its limits, and fails in the ways it is told to."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
from collections import Counter

import tap
from sandbox_client import TIMEOUT, TOKEN, Sandbox, built

PROTECTION = ("Branch not protected", "Branch not found",
              "Upgrade to GitHub Pro or make this repository public to enable this feature.")


def run(*arguments, **options):
    return subprocess.run([built("assay-sandbox"), *arguments], capture_output=True, text=True, timeout=TIMEOUT,
                          **options)


def branch_path(repository, suffix=""):
    branch = repository["default_branch"].replace("/", "%2F")
    return f"/repos/{repository['full_name']}/branches/{branch}{suffix}"


def rules_path(repository):
    return branch_path(repository).replace("/branches/", "/rules/branches/")


def expect_broken(sandbox, target, kind):
    try:
        sandbox.get(target)
    except kind:
        return
    raise AssertionError(f"{target} was answered in full")


# Command line

def test_help_names_the_options_and_examples():
    result = run("--help")
    assert result.returncode == 0
    for word in ("--port", "--repos", "--token", "--limit", "--until-eof", "Examples"):
        assert word in result.stdout, word


def test_wrong_options_are_refused_with_status_2():
    for arguments in (["--port", "99999"], ["--repos", "-1"], ["--organization", "a b"], ["--bogus"], ["extra"],
                      ["--alerts", "0"], ["--limit", "-1"], ["--window", "0"]):
        result = run(*arguments)
        assert result.returncode == 2, (arguments, result)
        assert result.stderr.startswith("assay-sandbox: "), result.stderr
        assert result.stdout == ""


def test_ready_line_and_port_file_say_where_it_answers():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "port.json"
        with Sandbox("--port-file", str(file)) as sandbox:
            assert json.loads(file.read_text()) == {"port": sandbox.port, "url": sandbox.url}
            assert sandbox.url == f"http://127.0.0.1:{sandbox.port}"
            assert sandbox.get("/user").status == 200


def test_taken_port_is_an_error():
    with Sandbox() as sandbox:
        result = run("--port", str(sandbox.port))
        assert result.returncode == 1 and "choose another port" in result.stderr, result


def test_only_loopback_is_listened_on():
    with Sandbox() as sandbox:
        port = f":{sandbox.port:04X}"
        listening = [line.split()[1] for name in ("tcp", "tcp6")
                     for line in pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]
                     if line.split()[1].endswith(port) and line.split()[3] == "0A"]
        assert listening == ["0100007F" + port], listening


def test_termination_signals_end_it_cleanly():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Sandbox() as sandbox:
            sandbox.process.send_signal(number)
            assert sandbox.process.wait(TIMEOUT) == 0


def test_closed_input_ends_it_even_when_an_answer_is_held():
    sandbox = Sandbox()
    sandbox.control("POST", "hold", {"match": "/user"})
    caller = threading.Thread(target=lambda: quiet_get(sandbox))
    caller.start()
    sandbox.wait(held=1)
    sandbox.process.stdin.write("not the end\n")
    sandbox.process.stdin.flush()
    assert sandbox.stats()["held"] == 1
    sandbox.close()
    assert sandbox.process.wait(TIMEOUT) == 0
    caller.join(TIMEOUT)
    assert not caller.is_alive()


def quiet_get(sandbox):
    connection = sandbox.connect()
    try:
        connection.request("GET", "/user", headers={"Authorization": f"Bearer {TOKEN}"})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        pass  # the sandbox ends while it is being asked
    finally:
        connection.close()


# Who may call

def test_call_without_token_is_401_requires_authentication():
    with Sandbox() as sandbox:
        reply = sandbox.get("/user", Authorization=None)
        assert (reply.status, reply.message) == (401, "Requires authentication")


def test_unknown_token_is_401_bad_credentials():
    with Sandbox() as sandbox:
        for value in ("Bearer wrong", "Basic dGVzdA==", "Bearer ", TOKEN, f"Bearer {TOKEN}x"):
            reply = sandbox.get("/user", Authorization=value)
            assert (reply.status, reply.message) == (401, "Bad credentials"), value
            assert reply.json["status"] == "401"
            assert "x-ratelimit-limit" not in reply.headers


def test_both_authorization_schemes_are_accepted():
    with Sandbox() as sandbox:
        for value in (f"Bearer {TOKEN}", f"token {TOKEN}", f"bearer {TOKEN}"):
            assert sandbox.get("/user", Authorization=value).status == 200, value


def test_call_without_user_agent_is_403():
    with Sandbox() as sandbox:
        reply = sandbox.get("/user", User_Agent=None)
        assert reply.status == 403 and "User-Agent" in reply.message


def test_token_with_everything_shows_its_scopes():
    with Sandbox() as sandbox:
        reply = sandbox.get("/user")
        assert reply.headers["x-oauth-scopes"] == "read:org, repo, security_events"
        assert "github-authentication-token-expiration" not in reply.headers


def test_missing_permission_is_403_and_names_what_is_needed():
    with Sandbox("--token", TOKEN, "--token", "narrow:metadata,contents") as sandbox:
        repository = sandbox.get("/orgs/acme/repos", token="narrow").json[0]
        denied = sandbox.get(branch_path(repository, "/protection"), token="narrow")
        assert (denied.status, denied.message) == (403, "Resource not accessible by personal access token")
        assert denied.headers["x-accepted-github-permissions"] == "administration=read"
        assert denied.headers["x-ratelimit-remaining"] != "0"
        assert "x-oauth-scopes" not in denied.headers
        assert "github-authentication-token-expiration" in denied.headers
        assert sandbox.get(f"/repos/{repository['full_name']}/dependabot/alerts", token="narrow").status == 403
        assert sandbox.get(rules_path(repository), token="narrow").status in (200, 403)
        assert sandbox.get("/user", token="narrow").status == 200


# What is answered

def test_headers_are_those_of_github():
    with Sandbox() as sandbox:
        headers = sandbox.get("/user").headers
        assert headers["content-type"] == "application/json; charset=utf-8"
        assert re.fullmatch(r"[0-9A-F]+(:[0-9A-F]+){4}", headers["x-github-request-id"])
        assert headers["x-github-media-type"] == "github.v3; format=json"
        assert sandbox.get("/user").headers["x-github-request-id"] != headers["x-github-request-id"]


def test_user_and_organization_are_shown():
    with Sandbox("--organization", "initech") as sandbox:
        assert sandbox.get("/user").json["type"] == "User"
        assert [row["login"] for row in sandbox.get("/user/orgs").json] == ["initech"]
        organization = sandbox.get("/orgs/initech").json
        assert (organization["login"], organization["type"]) == ("initech", "Organization")
        assert isinstance(organization["id"], int)
        assert sandbox.get("/orgs/INITECH").status == 200


def test_unknown_things_are_404_not_found():
    with Sandbox("--repos", "3") as sandbox:
        for target in ("/nothing", "/orgs/other/repos", "/repos/acme/repo-4", "/repos/acme/repo-0",
                       "/repos/acme/repo-01", "/repos/acme/repo-", "/repos/acme/x", "/repos/other/repo-1", "/",
                       "/repos/acme/repo-1/branches", "/a" * 40, "/user%zz", "/repos/acme/repo-99999999999999999999"):
            reply = sandbox.get(target)
            assert (reply.status, reply.message) == (404, "Not Found"), target
        reply = sandbox.request("POST", "/user", {"Authorization": f"Bearer {TOKEN}", "User-Agent": "t"}, "{}")
        assert reply.status == 404


def test_repository_list_follows_links_to_its_end():
    with Sandbox("--repos", "250") as sandbox:
        first = sandbox.get("/orgs/acme/repos?type=all&per_page=100")
        assert first.link("next") == "/orgs/acme/repos?type=all&per_page=100&page=2"
        assert first.link("last") == "/orgs/acme/repos?type=all&per_page=100&page=3"
        assert first.link("prev") is None
        last = sandbox.get("/orgs/acme/repos?type=all&per_page=100&page=3")
        assert len(last.json) == 50 and last.link("next") is None
        assert last.link("prev").endswith("&page=2") and last.link("first").endswith("&page=1")
        names = [row["name"] for row in sandbox.pages("/orgs/acme/repos?per_page=100")]
        assert names == [f"repo-{number}" for number in range(1, 251)]


def test_page_sizes_are_30_by_default_and_100_at_most():
    with Sandbox("--repos", "150") as sandbox:
        for query, count in (("", 30), ("?per_page=7", 7), ("?per_page=500", 100), ("?per_page=0", 30),
                             ("?per_page=x", 30), ("?per_page=100&page=2", 50), ("?page=9", 0)):
            assert len(sandbox.get("/orgs/acme/repos" + query).json) == count, query


def test_list_on_a_single_page_has_no_link():
    with Sandbox("--repos", "5") as sandbox:
        assert "link" not in sandbox.get("/orgs/acme/repos").headers
    with Sandbox("--repos", "0") as sandbox:
        assert sandbox.get("/orgs/acme/repos").json == []


def test_repository_list_filters_by_visibility():
    with Sandbox("--repos", "120") as sandbox:
        every = Counter(row["visibility"] for row in sandbox.pages("/orgs/acme/repos?per_page=100"))
        assert set(every) == {"private", "internal", "public"}
        public = sandbox.pages("/orgs/acme/repos?type=public&per_page=5")
        assert len(public) == every["public"] and {row["private"] for row in public} == {False}


def test_repository_object_is_of_real_size_and_form():
    with Sandbox("--repos", "40") as sandbox:
        reply = sandbox.get("/repos/acme/repo-7")
        assert 4500 < len(reply.body) < 6500, len(reply.body)
        repository = reply.json
        listed = sandbox.get("/orgs/acme/repos?per_page=40").json[6]
        assert repository == {**listed, "network_count": 0, "subscribers_count": listed["stargazers_count"]}
        assert repository["full_name"] == "acme/repo-7" and repository["owner"]["login"] == "acme"
        assert sum(name.endswith("_url") for name in repository) >= 40
        assert repository["branches_url"] == f"{sandbox.url}/repos/acme/repo-7/branches{{/branch}}"
        for name, kind in (("id", int), ("private", bool), ("archived", bool), ("default_branch", str),
                           ("pushed_at", str), ("topics", list), ("security_and_analysis", dict)):
            assert isinstance(repository[name], kind), name


def without_port(sandbox, target):
    return sandbox.get(target).body.replace(str(sandbox.port).encode(), b"PORT")


def test_content_follows_from_the_seed():
    targets = ["/orgs/acme/repos?per_page=100", "/orgs/acme/dependabot/alerts?per_page=100"]
    with Sandbox("--seed", "5") as one, Sandbox("--seed", "5") as same, Sandbox("--seed", "6") as other:
        for target in targets:
            assert without_port(one, target) == without_port(same, target)
            assert without_port(one, target) != without_port(other, target)


def test_more_repositories_leave_the_first_ones_as_they_were():
    with Sandbox("--repos", "10") as few, Sandbox("--repos", "100000") as many:
        assert without_port(few, "/repos/acme/repo-10") == without_port(many, "/repos/acme/repo-10")
        assert many.get("/repos/acme/repo-100000").status == 200


def test_mix_of_repositories_is_as_documented():
    with Sandbox("--repos", "1000", "--limit", "0") as sandbox:
        kinds = Counter()
        for repository in sandbox.pages("/orgs/acme/repos?per_page=100"):
            kinds["archived"] += repository["archived"]
            protection = sandbox.get(branch_path(repository, "/protection"))
            rules = sandbox.get(rules_path(repository))
            text = "classic" if protection.status == 200 else protection.message
            assert text == "classic" or text in PROTECTION
            kinds[text, bool(rules.status == 200 and rules.json)] += 1
            kinds["slash"] += "/" in repository["default_branch"]
        expected = {("classic", False): 400, ("classic", True): 100, ("Branch not protected", True): 180,
                    ("Branch not protected", False): 220, ("Branch not found", False): 40, (PROTECTION[2], False): 60,
                    "archived": 54, "slash": 80}
        for kind, count in expected.items():
            assert 0.6 * count < kinds[kind] < 1.5 * count, (kind, kinds)


def test_protection_has_githubs_fields_and_leaves_out_what_is_off():
    with Sandbox("--repos", "200", "--limit", "0") as sandbox:
        seen = Counter()
        for repository in sandbox.pages("/orgs/acme/repos?per_page=100"):
            reply = sandbox.get(branch_path(repository, "/protection"))
            if reply.status != 200:
                continue
            protection = reply.json
            assert reply.headers.get("content-length") and len(reply.body) < 3500
            assert isinstance(protection["enforce_admins"]["enabled"], bool)
            assert isinstance(protection["required_signatures"]["enabled"], bool)
            seen[protection["enforce_admins"]["enabled"]] += 1
            reviews = protection.get("required_pull_request_reviews")
            checks = protection.get("required_status_checks")
            seen["reviews", reviews is not None] += 1
            seen["checks", checks is not None] += 1
            assert reviews is None or 0 <= reviews["required_approving_review_count"] <= 6
            assert checks is None or (checks["contexts"] and checks["checks"][0]["app_id"] == 15368)
        assert len(seen) == 6, seen


def test_rules_name_their_ruleset_and_its_source():
    with Sandbox("--repos", "60") as sandbox:
        rules = [rule for repository in sandbox.pages("/orgs/acme/repos?per_page=100")
                 if (reply := sandbox.get(rules_path(repository))).status == 200 for rule in reply.json]
        assert {"deletion", "non_fast_forward", "pull_request", "required_status_checks"} <= {r["type"] for r in rules}
        assert {r["ruleset_source_type"] for r in rules} == {"Organization", "Repository"}
        reviewed = next(rule for rule in rules if rule["type"] == "pull_request")
        assert isinstance(reviewed["parameters"]["required_approving_review_count"], int)


def test_rules_are_paged_as_well():
    with Sandbox("--repos", "60") as sandbox:
        for repository in sandbox.pages("/orgs/acme/repos?per_page=100"):
            whole = sandbox.get(rules_path(repository))
            if whole.status == 200 and len(whole.json) > 2:
                assert sandbox.pages(rules_path(repository) + "?per_page=2") == whole.json
                return
    raise AssertionError("no repository has rules")


def test_branch_with_a_slash_is_found_only_when_encoded():
    with Sandbox("--repos", "100") as sandbox:
        repository = next(row for row in sandbox.pages("/orgs/acme/repos?per_page=100")
                          if "/" in row["default_branch"] and not row["archived"])
        encoded = sandbox.get(branch_path(repository))
        assert encoded.status == 200 and encoded.json["name"] == "release/2.x"
        assert encoded.json["protection_url"].endswith("/branches/release%2F2.x/protection")
        plain = sandbox.get(f"/repos/{repository['full_name']}/branches/release/2.x")
        assert (plain.status, plain.message) == (404, "Not Found")


def test_unknown_branch_is_404_branch_not_found():
    with Sandbox() as sandbox:
        for suffix in ("", "/protection"):
            reply = sandbox.get(f"/repos/acme/repo-1/branches/nope{suffix}")
            assert (reply.status, reply.message) == (404, "Branch not found")


def test_security_products_that_are_off_say_so_in_githubs_words():
    expected = {
        "dependabot": {(403, "Dependabot alerts are disabled for this repository."),
                       (403, "Dependabot alerts are not available for archived repositories.")},
        "code-scanning": {(403, "Code Security must be enabled for this repository to use code scanning."),
                          (404, "no analysis found")},
        "secret-scanning": {(404, "Secret scanning is disabled on this repository.")},
    }
    with Sandbox("--repos", "120") as sandbox:
        for product, texts in expected.items():
            replies = [sandbox.get(f"/repos/acme/repo-{number}/{product}/alerts") for number in range(1, 121)]
            assert {(r.status, r.message) for r in replies if r.status != 200} == texts, product
            assert any(r.status == 200 and r.json == [] for r in replies)
            assert any(r.status == 200 and r.json for r in replies)


def test_alerts_have_githubs_fields():
    with Sandbox() as sandbox:
        alert = sandbox.get("/orgs/acme/dependabot/alerts").json[0]
        assert alert["security_advisory"]["severity"] in ("low", "medium", "high", "critical")
        assert alert["security_vulnerability"]["package"]["ecosystem"] in ("npm", "pip", "go")
        assert alert["dependency"]["manifest_path"] and alert["repository"]["full_name"].startswith("acme/")
        alert = sandbox.get("/orgs/acme/code-scanning/alerts").json[0]
        assert alert["rule"]["severity"] in ("error", "warning", "note") and alert["tool"]["name"] == "CodeQL"
        alert = sandbox.get("/orgs/acme/secret-scanning/alerts?hide_secret=true").json[0]
        assert alert["secret_type"] and "secret" not in alert


def test_alerts_filter_by_state_and_severity():
    with Sandbox() as sandbox:
        every = sandbox.pages("/orgs/acme/dependabot/alerts?per_page=100")
        opened = sandbox.pages("/orgs/acme/dependabot/alerts?state=open&per_page=100")
        assert opened == [alert for alert in every if alert["state"] == "open"] and 0 < len(opened) < len(every)
        worst = sandbox.pages("/orgs/acme/dependabot/alerts?state=open&severity=critical,high&per_page=3")
        assert worst == [a for a in opened if a["security_advisory"]["severity"] in ("critical", "high")]
        fixed = sandbox.pages("/orgs/acme/code-scanning/alerts?state=fixed&per_page=100")
        assert fixed and all(alert["fixed_at"] for alert in fixed)


def test_dependabot_pages_by_cursor_and_ignores_page():
    with Sandbox("--alerts", "300", "--repos", "20") as sandbox:
        first = sandbox.get("/orgs/acme/dependabot/alerts?per_page=100&page=2")
        assert "after=" in first.link("next") and first.link("last") is None
        assert sandbox.get("/orgs/acme/dependabot/alerts?per_page=100").json == first.json
        rows = sandbox.pages("/orgs/acme/dependabot/alerts?per_page=100")
        keys = [(row["repository"]["name"], row["number"]) for row in rows]
        assert len(set(keys)) == len(keys) > 300
        assert sandbox.get("/orgs/acme/dependabot/alerts?after=rubbish").status == 200


def test_organization_lists_are_the_sum_of_the_repositories():
    with Sandbox("--repos", "40") as sandbox:
        for product in ("dependabot", "code-scanning", "secret-scanning"):
            every = sandbox.pages(f"/orgs/acme/{product}/alerts?per_page=7")
            for alert in every:
                assert alert.pop("repository")["full_name"] in alert["url"]
            single = []
            for number in range(1, 41):
                reply = sandbox.get(f"/repos/acme/repo-{number}/{product}/alerts?per_page=100")
                single += reply.json if reply.status == 200 else []
            assert every == single and every, product


# Limits

def test_limit_is_counted_down_and_enforced():
    with Sandbox("--limit", "3") as sandbox:
        left = [sandbox.get("/user").headers["x-ratelimit-remaining"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        spent = sandbox.get("/user")
        assert spent.status == 403 and spent.message.startswith("API rate limit exceeded for user ID")
        assert spent.headers["x-ratelimit-remaining"] == "0" and spent.headers["x-ratelimit-used"] == "3"
        assert spent.headers["x-ratelimit-limit"] == "3" and spent.headers["x-ratelimit-resource"] == "core"
        assert int(spent.headers["x-ratelimit-reset"]) > 1700000000


def test_rate_limit_call_is_free_and_tells_the_window():
    with Sandbox("--limit", "10") as sandbox:
        sandbox.get("/user")
        for _ in range(3):
            core = sandbox.get("/rate_limit").json["resources"]["core"]
            assert (core["limit"], core["used"], core["remaining"]) == (10, 1, 9)


def test_each_token_has_its_own_limit():
    with Sandbox("--limit", "1", "--token", TOKEN, "--token", "second") as sandbox:
        assert [sandbox.get("/user").status for _ in range(2)] == [200, 403]
        assert sandbox.get("/user", token="second").status == 200
        assert sandbox.stats()["byToken"] == [2, 1]


def test_without_limit_none_is_announced():
    with Sandbox("--limit", "0") as sandbox:
        reply = sandbox.get("/user")
        assert reply.status == 200 and not [name for name in reply.headers if name.startswith("x-ratelimit")]


def test_limit_can_be_set_and_its_window_ended():
    with Sandbox() as sandbox:
        sandbox.control("POST", "limit", {"remaining": 0, "reset_in": 3600})
        assert sandbox.get("/user").status == 403
        sandbox.control("POST", "limit", {"reset_in": 0})
        reply = sandbox.get("/user")
        assert (reply.status, reply.headers["x-ratelimit-remaining"]) == (200, "4999")
        sandbox.control("POST", "limit", {"limit": 7})
        assert sandbox.get("/user").headers["x-ratelimit-remaining"] == "5"


def test_secondary_limit_strikes_unannounced_and_says_when_to_retry():
    with Sandbox("--secondary", "2") as sandbox:
        assert [sandbox.get("/user").status for _ in range(2)] == [200, 200]
        reply = sandbox.get("/user")
        assert reply.status == 403 and "secondary rate limit" in reply.message
        assert 1 <= int(reply.headers["retry-after"]) <= 60 and int(reply.headers["x-ratelimit-remaining"]) > 0


# Faults

def test_status_fault_replaces_status_body_and_headers():
    with Sandbox() as sandbox:
        sandbox.fault(match="/user", kind="status", status=503, body={"message": "Down"}, headers={"Retry-After": "7"})
        reply = sandbox.get("/user")
        assert (reply.status, reply.message, reply.headers["retry-after"]) == (503, "Down", "7")
        sandbox.fault(match="/orgs/*", kind="status")
        assert sandbox.get("/orgs/acme/repos?per_page=1").status == 500
        assert "link" not in sandbox.get("/orgs/acme/repos?per_page=1").headers


def test_fault_strikes_after_so_many_and_so_often():
    with Sandbox() as sandbox:
        sandbox.fault(match="/user", kind="status", after=1, times=2)
        assert [sandbox.get("/user").status for _ in range(5)] == [200, 500, 500, 200, 200]
        rule = sandbox.control("GET", "faults")["faults"][0]
        assert (rule["seen"], rule["struck"]) == (5, 2)


def test_fault_matches_path_method_and_query():
    with Sandbox() as sandbox:
        sandbox.control("POST", "faults", [
            {"match": "/repos/*/repo-7/*", "kind": "status", "status": 500},
            {"match": "/orgs/*page=2*", "kind": "status", "status": 501},
            {"match": "*?*page=3*", "kind": "status", "status": 502},
            {"match": "/user", "method": "POST", "kind": "status", "status": 504}])
        expected = {"/repos/acme/repo-7/branches/x": 500, "/repos/acme/repo-7": 200, "/repos/acme/repo-70/branches/x": 404,
                    "/orgs/acme/repos?page=2": 200, "/orgs/acme/repos?per_page=5&page=3": 502, "/user": 200}
        for target, status in expected.items():
            assert sandbox.get(target).status == status, target


def test_cleared_faults_strike_no_more():
    with Sandbox() as sandbox:
        sandbox.fault(match="*", kind="status")
        assert sandbox.get("/user").status == 500
        sandbox.clear()
        assert sandbox.get("/user").status == 200
        assert sandbox.control("GET", "faults") == {"faults": []}


def test_wrong_fault_is_refused_with_a_reason():
    with Sandbox() as sandbox:
        for rule, word in (({"kind": "bogus"}, "bogus"), ({"kind": "status", "tiems": 1}, "tiems"), ({}, "kind"),
                           ([{"kind": "status"}, {"kind": "x"}], "x"), ("text", "object")):
            reply = sandbox.request("POST", "/_sandbox/faults", body=json.dumps(rule))
            assert reply.status == 400 and word in reply.json["error"], rule
        assert sandbox.request("POST", "/_sandbox/faults", body="{").status == 400
        assert sandbox.request("GET", "/_sandbox/nothing").status == 404


def test_throttle_speaks_of_both_limits():
    with Sandbox() as sandbox:
        sandbox.fault(match="/user", kind="throttle", retry_after=9, times=1)
        reply = sandbox.get("/user")
        assert (reply.status, reply.headers["retry-after"]) == (403, "9") and "secondary rate limit" in reply.message
        sandbox.fault(match="/user", kind="throttle", reset_in=30, status=429, times=1)
        reply = sandbox.get("/user")
        assert (reply.status, reply.headers["x-ratelimit-remaining"]) == (429, "0")
        assert "retry-after" not in reply.headers and "rate limit exceeded" in reply.message


def test_redirect_goes_to_a_path_or_to_another_origin():
    with Sandbox() as sandbox:
        sandbox.fault(match="/user", kind="redirect", location="/orgs/acme", times=1)
        sandbox.fault(match="/user", kind="redirect", location="https://elsewhere.example/x", status=307)
        first, second = sandbox.get("/user"), sandbox.get("/user")
        assert (first.status, first.headers["location"]) == (302, f"{sandbox.url}/orgs/acme")
        assert (second.status, second.headers["location"]) == (307, "https://elsewhere.example/x")


def test_closed_and_truncated_answers_do_not_arrive():
    with Sandbox() as sandbox:
        sandbox.fault(match="/user", kind="close")
        expect_broken(sandbox, "/user", http.client.RemoteDisconnected)
        sandbox.fault(match="/repos/*", kind="truncate")
        expect_broken(sandbox, "/repos/acme/repo-1", http.client.IncompleteRead)
        sandbox.fault(match="/orgs/acme", kind="truncate", bytes=0)
        expect_broken(sandbox, "/orgs/acme", http.client.IncompleteRead)
        assert sandbox.get("/user/orgs").status == 200


def test_broken_deep_and_wide_bodies_are_whole_answers():
    with Sandbox() as sandbox:
        sandbox.fault(match="/user", kind="broken_json", times=1)
        try:
            sandbox.get("/user").json
            raise AssertionError("half a body was JSON")
        except json.JSONDecodeError:
            pass
        sandbox.fault(match="/user", kind="deep", times=1)
        assert sandbox.get("/user").body == b"[" * 1000000
        sandbox.fault(match="/user", kind="deep", size=5)
        assert sandbox.get("/user").body == b"[[[[["
        sandbox.clear()
        sandbox.fault(match="/user", kind="nodes")
        body = sandbox.get("/user").body
        assert abs(len(body) - 1024 * 1024) < 10 and set(map(str, json.loads(body))) == {"{}"}


def test_endless_body_goes_on_for_ever():
    with Sandbox() as sandbox:
        sandbox.fault(match="/user", kind="endless")
        connection = sandbox.connect()
        connection.request("GET", "/user", headers={"Authorization": f"Bearer {TOKEN}", "User-Agent": "t"})
        response = connection.getresponse()
        start = response.read(20 * 1024 * 1024)
        assert len(start) == 20 * 1024 * 1024 and start.startswith(b'[{"a":1},{"a":1},')
        response.close()
        connection.close()
        assert sandbox.get("/user/orgs").status == 200


def test_damaged_fields_leave_the_rest_as_it_was():
    with Sandbox() as sandbox:
        sound = sandbox.get("/repos/acme/repo-1").json
        sandbox.fault(match="/repos/*", kind="wrong_types", fields=["archived", "name", "topics"], times=1)
        bent = sandbox.get("/repos/acme/repo-1").json
        assert isinstance(bent["archived"], str) and bent["name"] == 7 and isinstance(bent["topics"], str)
        assert {k: v for k, v in bent.items() if sound[k] != v}.keys() == {"archived", "name", "topics"}
        sandbox.fault(match="/repos/*", kind="missing_fields", fields=["default_branch"], times=1)
        bent = sandbox.get("/repos/acme/repo-1").json
        assert sound.keys() - bent.keys() == {"default_branch"}
        sandbox.fault(match="/repos/*", kind="surrogate", fields=["name"], times=1)
        reply = sandbox.get("/repos/acme/repo-1")
        assert b'"name":"\\ud800repo-1"' in reply.body
        sandbox.fault(match="/repos/*", kind="big_int", fields=["id"], times=1)
        assert sandbox.get("/repos/acme/repo-1").json["owner"]["id"] > 2 ** 64
        sandbox.fault(match="/repos/*", kind="wrong_types", times=1)
        assert sandbox.get("/repos/acme/repo-1").json["size"] == "not what was expected"


def test_looping_list_announces_itself():
    with Sandbox() as sandbox:
        sandbox.fault(match="/orgs/*", kind="loop")
        reply = sandbox.get("/orgs/acme/repos?per_page=10&page=2")
        assert reply.link("next") == "/orgs/acme/repos?per_page=10&page=2"
        cursor = sandbox.get("/orgs/acme/dependabot/alerts?per_page=1").link("next")
        assert sandbox.get(cursor).link("next") == cursor


def test_endless_list_always_has_another_page():
    with Sandbox("--repos", "5") as sandbox:
        sandbox.fault(match="/orgs/*", kind="endless_pages")
        for target in ("/orgs/acme/repos?per_page=5", "/orgs/acme/secret-scanning/alerts"):
            seen = set()
            for _ in range(20):
                reply = sandbox.get(target)
                assert reply.json, target
                target = reply.link("next")
                assert target not in seen
                seen.add(target)
        target = "/orgs/acme/dependabot/alerts"
        cursors = set()
        for _ in range(20):
            target = sandbox.get(target).link("next")
            cursors.add(target)
        assert len(cursors) == 20


def test_huge_header_and_raw_bytes_pass_by_http():
    with Sandbox() as sandbox:
        sandbox.fault(match="/user", kind="huge_header", times=1)
        assert len(raw_get(sandbox, "/user")) > 1024 * 1024
        sandbox.fault(match="/user", kind="raw", body="SSH-2.0-OpenSSH_9\r\n")
        assert raw_get(sandbox, "/user") == b"SSH-2.0-OpenSSH_9\r\n"


def raw_get(sandbox, target):
    with socket.create_connection(("127.0.0.1", sandbox.port), TIMEOUT) as peer:
        peer.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        parts = []
        while part := peer.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_slow_drip_and_delay_arrive_whole():
    with Sandbox() as sandbox:
        sound = sandbox.get("/user").body
        sandbox.fault(match="/user", kind="slow_drip", delay_ms=1, bytes=40, times=1)
        assert sandbox.get("/user").body == sound
        sandbox.fault(match="/user", kind="delay", delay_ms=20, times=1)
        assert sandbox.get("/user").body == sound
        sandbox.fault(match="/user", kind="status", status=502, delay_ms=20)
        assert sandbox.get("/user").status == 502


# Holding back and counting

def test_held_answers_come_when_they_are_released():
    with Sandbox() as sandbox:
        sandbox.control("POST", "hold", {"match": "/user", "after": 1})
        assert sandbox.get("/user").status == 200
        replies = []
        callers = [threading.Thread(target=lambda: replies.append(fresh_get(sandbox, "/user"))) for _ in range(3)]
        for caller in callers:
            caller.start()
        stats = sandbox.wait(held=3)
        assert (stats["held"], stats["inFlight"], stats["maxConcurrent"], replies) == (3, 3, 3, [])
        assert sandbox.get("/user/orgs").status == 200
        sandbox.control("POST", "release", {"match": "/other"})
        assert sandbox.stats()["held"] == 3
        sandbox.control("POST", "release", {"match": "/user"})
        for caller in callers:
            caller.join(TIMEOUT)
        assert replies == [200, 200, 200]
        assert sandbox.get("/user").status == 200


def fresh_get(sandbox, target):
    connection = sandbox.connect()
    connection.request("GET", target, headers={"Authorization": f"Bearer {TOKEN}", "User-Agent": "t"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_client_that_goes_while_held_does_no_harm():
    with Sandbox() as sandbox:
        sandbox.control("POST", "hold", {})
        peer = socket.create_connection(("127.0.0.1", sandbox.port), TIMEOUT)
        peer.sendall(b"GET /user HTTP/1.1\r\nHost: x\r\n\r\n")
        sandbox.wait(held=1)
        peer.close()
        sandbox.control("POST", "release", {})
        sandbox.control("POST", "reset")
        assert sandbox.get("/user").status == 200


def test_wait_answers_at_the_wanted_count_or_says_408():
    with Sandbox() as sandbox:
        results = []
        connection = sandbox.connect()
        target = f"/_sandbox/wait?requests=3&timeout_ms={TIMEOUT * 1000}"
        waiter = threading.Thread(target=lambda: results.append(fresh_get(sandbox, target)))
        waiter.start()
        for _ in range(3):
            assert sandbox.get("/user").status == 200
        waiter.join(TIMEOUT)
        assert results == [200]
        connection.request("GET", "/_sandbox/wait?requests=99&timeout_ms=30")
        assert connection.getresponse().status == 408
        connection.close()


def test_requests_are_counted_by_line_route_and_status():
    with Sandbox() as sandbox:
        for target in ("/user", "/user", "/repos/acme/repo-1", "/repos/acme/repo-2?x=1", "/nope"):
            sandbox.get(target)
        stats = sandbox.stats()
        assert (stats["requests"], stats["repeated"], stats["inFlight"]) == (5, 1, 0)
        assert stats["byStatus"] == {"200": 4, "404": 1}
        assert stats["byPath"] == {"/user": 2, "/repos/{organization}/{repo}": 2, "other": 1}
        assert sandbox.counts() == {"GET /nope": 1, "GET /repos/acme/repo-1": 1, "GET /repos/acme/repo-2?x=1": 1,
                                    "GET /user": 2}
        assert sandbox.counts("/repos/*") == {"GET /repos/acme/repo-1": 1, "GET /repos/acme/repo-2?x=1": 1}


def test_busiest_window_is_remembered():
    with Sandbox("--window", "600") as sandbox:
        for _ in range(4):
            sandbox.get("/user")
        stats = sandbox.stats()
        assert (stats["maxPerWindow"], stats["windowMs"]) == (4, 600000)


def test_log_keeps_the_order_and_its_bound():
    with Sandbox("--log-requests", "3") as sandbox:
        for target in ("/user", "/user/orgs", "/user", "/rate_limit"):
            sandbox.get(target)
        log = sandbox.control("GET", "requests?order=log")
        assert log == {"requests": ["GET /user", "GET /user/orgs", "GET /user"], "dropped": 1}
    with Sandbox() as sandbox:
        sandbox.get("/user")
        assert sandbox.control("GET", "requests?order=log") == {"requests": [], "dropped": 0}


def test_counted_lines_are_bounded():
    with Sandbox("--count-requests", "2") as sandbox:
        for target in ("/a", "/b", "/c", "/d", "/a"):
            sandbox.get(target)
        counted = sandbox.control("GET", "requests")
        assert counted["other"] == 2 and len(counted["requests"]) == 2
        assert sandbox.stats()["requests"] == 5


def test_reset_forgets_counts_faults_and_limits():
    with Sandbox("--limit", "1", "--log-requests", "9") as sandbox:
        sandbox.fault(match="*", kind="status")
        sandbox.get("/user")
        sandbox.control("POST", "reset")
        stats = sandbox.stats()
        assert (stats["requests"], stats["byPath"], stats["byToken"]) == (0, {}, [0])
        assert sandbox.counts() == {} and sandbox.control("GET", "requests?order=log")["requests"] == []
        assert sandbox.get("/user").status == 200


def test_one_connection_serves_many_requests():
    with Sandbox() as sandbox:
        sandbox.get("/user")
        first = sandbox.connection.sock.getsockname()
        for _ in range(50):
            sandbox.get("/user")
            sandbox.stats()
        assert sandbox.connection.sock.getsockname() == first


# Providers as data

NOTES = {
    "auth": {"header": "X-Key", "prefixes": [""], "missing": "no", "wrong": "no", "denied": "no"},
    "limits": {"spent": "slow", "secondary": "slow"},
    "pages": {"token": {"parameter": "pageToken", "size": "max", "default": 2, "max": 3, "cursor": True}},
    "parameters": {"book": {"item": "book"}, "note": {"item": "note"}, "colour": {"field": "colour", "error": "gone"}},
    "headers": {"always": {"X-Served-By": "${organization}-${request}"}},
    "errors": {"not_found": {"status": 404, "body": {"error": "none"}}, "no": {"status": 401, "body": {"error": "key"}},
               "slow": {"status": 429, "body": {"error": "slow", "in": "${wait}"}}, "gone": {"status": 410}},
    "collections": {
        "book": {"count": 3, "key": "b", "fields": {"colour": {"pick": [[1, "red"]]}, "notes": {"step": [1, 1]}}},
        "note": {"in": "book", "count": "notes", "key": "n", "fields": {
            "title": "Note ${number} of ${book.colour}", "even": {"by": "title", "values": {"Note 2 of red": True}, "else": False},
            "when": {"time": {"from": "2026-01-01T00:00:00Z", "within": "1s"}}, "size": {"between": [4, 4]}, "tag": {"hex": 5}}},
    },
    "shared": {"note": {"title": "${title}", "size": "${size}", "text": "${size} \"${tag}\"", "even?even": "${even}",
                        "at": "${when}"}},
    "routes": [
        {"path": "/books/{book}/notes", "cases": [
            {"rows": {"of": "note", "page": "token", "body": "${>note}", "wrap": {"notes": "${rows}", "next": "${next}"}}}]},
        {"path": "/books/{book}/notes/{note}", "cases": [{"body": {">": "note", "book": "${book.colour}"}}]},
        {"path": "/books/{book}/{colour}", "cases": [{"body": {"colour": "${colour}", "index": "${notes}"}}]},
        {"path": "/all", "open": True, "cases": [
            {"rows": {"of": "note", "across": True, "page": "token", "body": "${title}"}}]},
    ],
}


def with_data(data, *arguments):
    file = tempfile.NamedTemporaryFile("w", suffix=".json")
    json.dump(data, file)
    file.flush()
    return file, ["--provider", file.name, *arguments]


def test_another_provider_is_a_file():
    file, arguments = with_data(NOTES, "--token", "k:x", "--limit", "0")
    with file, Sandbox(*arguments) as sandbox:
        assert sandbox.get("/books/b3/notes").status == 401
        first = sandbox.get("/books/b3/notes", X_Key="k")
        assert first.headers["x-served-by"].startswith("acme-") and "link" not in first.headers
        assert [row["title"] for row in first.json["notes"]] == ["Note 1 of red", "Note 2 of red"]
        assert re.fullmatch(r'4 "[0-9a-f]{5}"', first.json["notes"][0]["text"])
        assert first.json["notes"][0]["size"] == 4 and first.json["notes"][0]["at"] == "2026-01-01T00:00:00Z"
        assert "even" not in first.json["notes"][0] and first.json["notes"][1]["even"] is True
        second = sandbox.get(f"/books/b3/notes?pageToken={first.json['next']}", X_Key="k")
        assert len(second.json["notes"]) == 1 and second.json["next"] is None
        assert sandbox.get("/books/b2/notes/n2", X_Key="k").json["title"] == "Note 2 of red"
        assert sandbox.get("/books/b2/notes/n2", X_Key="k").json["book"] == "red"
        assert sandbox.get("/books/b2/notes/n3", X_Key="k").status == 404
        assert sandbox.get("/books/b2/red", X_Key="k").json == {"colour": "red", "index": 2}
        assert sandbox.get("/books/b2/blue", X_Key="k").status == 410
        assert len(sandbox.get("/all?max=99").json) == 3


def changed(path, value):
    data = json.loads(json.dumps(NOTES))
    at = data
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return data


def test_wrong_provider_data_is_refused_with_what_is_wrong():
    cases = [
        (("collections", "book", "fields", "colour"), {"pcik": 1}, "colour is of no known kind"),
        (("collections", "book", "fields", "colour"), "${later}", "not declared before"),
        (("collections", "book", "fields", "colour"), "${later", "${ without }"),
        (("collections", "book", "fields", "colour"), "a\"b", "JSON would escape"),
        (("collections", "book", "fields", "colour"), {"pick": []}, "weight above 0"),
        (("collections", "book", "fields", "colour"), {"hex": 99}, "hexadecimal digits"),
        (("collections", "book", "fields", "colour"), {"between": [1]}, "two numbers"),
        (("collections", "book", "fields", "colour"), {"time": {"from": "x"}}, "a time"),
        (("collections", "note", "in"), "shelf", "not there"),
        (("collections", "note", "count"), "pages", "field of the parent"),
        (("shared", "note", "title"), "${nothing}", "${nothing}"),
        (("shared", "note", "title"), "${>note}", "includes itself"),
        (("routes", 1, "cases", 0), {"body": {">": "letter"}}, "${>letter}"),
        (("routes", 1, "cases", 0), {"body": {"a": 1, ">": "note"}}, "${>>}"),
        (("shared", "note", "odd?odd"), 1, "odd?odd"),
        (("auth", "wrong"), "oops", "oops"),
        (("errors", "not_found"), None, "not_found"),
        (("routes", 1, "cases", 0), {"error": "oops"}, "Path /books/{book}/notes/{note}: "),
        (("routes", 1, "cases", 0), {"when": {"taste": 1}, "error": "no"}, "taste"),
        (("routes", 0, "cases", 0, "rows", "of"), "page", "no collection"),
        (("routes", 0, "cases", 0, "rows", "page"), "scroll", "style of paging"),
        (("routes", 0, "cases", 0, "rows", "filter"), {"taste": {}}, "taste"),
        (("parameters", "colour", "error"), "oops", "oops"),
        (("parameters", "note", "item"), "page", "page"),
    ]
    for path, value, words in cases:
        data = changed(path, value)
        if value is None:
            del data["errors"]["not_found"]
        file, arguments = with_data(data)
        with file:
            result = run("--port", "0", *arguments)
        assert result.returncode == 1 and words in result.stderr, (path, value, result.stderr)
    assert "no provider" in run("--provider", "gitlab").stderr
    assert run("--provider", "/nonexistent.json").returncode == 1


# The libcurl loop that collections are compared with

def test_bare_loop_fetches_again_what_was_logged():
    loop = built("bench/bare_loop")
    with Sandbox("--log-requests", "1000") as sandbox:
        rows = sandbox.pages("/orgs/acme/repos?per_page=30")
        for row in rows:
            sandbox.get(branch_path(row, "/protection"))
        before = sandbox.stats()
        result = subprocess.run([loop, "--url", sandbox.url, "--token", TOKEN, "--from-sandbox", "--concurrency", "4"],
                                capture_output=True, text=True, timeout=TIMEOUT)
        report = json.loads(result.stdout)
        assert result.returncode == 0 and report["failed"] == 0 and report["calls"] == before["requests"]
        assert report["bytes"] > 400000 and report["cpu_us_per_call"] > 0
        after = sandbox.stats()
        assert after["byStatus"] == {status: 2 * count for status, count in before["byStatus"].items()}


def test_bare_loop_reads_a_list_and_reports_failures():
    loop = built("bench/bare_loop")
    with Sandbox() as sandbox, tempfile.NamedTemporaryFile("w") as file:
        file.write(f"GET /user\n/user/orgs\n{sandbox.url}/rate_limit\n\n")
        file.flush()
        command = [loop, "--url", sandbox.url, "--token", TOKEN, "--list", file.name]
        result = subprocess.run([*command, "--cycles", "5"], capture_output=True, text=True, timeout=TIMEOUT)
        assert result.returncode == 0 and json.loads(result.stdout)["calls"] == 15
        sandbox.fault(match="/user", kind="close")
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
        assert result.returncode == 3 and json.loads(result.stdout)["failed"] == 1
        assert subprocess.run([loop], capture_output=True, timeout=TIMEOUT).returncode == 2


if __name__ == "__main__":
    os.environ.pop("http_proxy", None)
    tap.main(globals())
