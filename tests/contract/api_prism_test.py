#!/usr/bin/env python3
"""The running API held against its own OpenAPI document by Prism (npm @stoplight/prism-cli, scripts/install-node-modules
tests/contract/prism), which stands between as a validating proxy: every JSON route, what succeeds and what fails.

What succeeds goes through `prism proxy --errors`, which answers itself when request or reply is not as the document says.
What fails on purpose goes through a second one that lets wrong requests pass and says what is wrong with a reply.
"""

import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/system"))
os.environ.setdefault("ASSAY_SOURCE", str(SOURCE))

import tap  # noqa: E402
from api_client import Answer, Api  # noqa: E402
from api_test import connect_request, token  # noqa: E402
from assay_client import Assay, until  # noqa: E402
from sandbox_client import TIMEOUT, TOKEN, Sandbox  # noqa: E402
from serve_client import Service  # noqa: E402

PRISM = SOURCE / "tests/contract/prism/node_modules/@stoplight/prism-cli/dist/index.js"
PASSWORD = "correct horse battery"
ADA = {"email": "ada@example.com", "password": PASSWORD}
NOBODY = "01890000-0000-7000-8000-000000000000"
NEVER_FAIL = {"GET /healthz", "GET /api/openapi.json"}  # answered without a look at anything
WRITES = ("post", "put", "patch")
SCANNERS_ALONE = {"POST /api/assessments"}  # whoever may not ask is not told what is wrong with his body


class Prism:
    """A validating proxy before a service."""

    def __init__(self, document, upstream, *arguments):
        assert PRISM.exists(), f"{PRISM} is missing; run scripts/install-node-modules tests/contract/prism"
        self.process = subprocess.Popen(["node", str(PRISM), "proxy", document, upstream, "--host", "127.0.0.1", "--port", "0",
                                         *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = []
        self.port = None
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        assert self.ready.wait(TIMEOUT) and self.port, f"Prism did not start: {''.join(self.said)}"

    def read(self):
        for line in self.process.stdout:
            self.said.append(line)
            if "listening on http://" in line:
                self.port = int(line.partition("listening on http://")[2].rpartition(":")[2].split("\x1b")[0])
                self.ready.set()
        self.ready.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()

    def send(self, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            given = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, None if body is None else json.dumps(body), {**given, **headers})
            return Answer(connection.getresponse())
        finally:
            connection.close()


def expand(path, values):
    for value in values:
        path = path[:path.index("{")] + value + path[path.index("}") + 1:]
    return path


class Client:
    """Asks through the proxies, and remembers which operations have succeeded and failed."""

    def __init__(self, strict, lenient):
        self.strict, self.lenient = strict, lenient
        self.headers = {}
        self.succeeded, self.failed = set(), set()

    def ask(self, operation, *values, body=None, status=200, query="", headers=None):
        method, path = operation.split(" ")
        target = expand(path, values) + query
        answer = self.strict.send(method, target, body, self.headers if headers is None else headers)
        assert answer.status == status, (operation, answer)
        assert "sl-violations" not in answer.headers, (operation, answer)
        self.succeeded.add(operation)
        return answer

    def fail(self, operation, *values, status, body=None, query="", headers=None):
        method, path = operation.split(" ")
        target = expand(path, values) + query
        answer = self.lenient.send(method, target, body, self.headers if headers is None else headers)
        assert answer.status == status, (operation, answer)
        assert answer.headers["content-type"] == "application/problem+json", (operation, answer)
        found = [one for one in json.loads(answer.headers.get("sl-violations", "[]")) if one["location"][0] == "response"]
        assert not found, (operation, answer.body, found)
        self.failed.add(operation)
        return answer


@contextlib.contextmanager
def world():
    """A service with nobody in it, and a client before it that goes through Prism."""
    with Sandbox("--repos", "3", "--limit", "0") as sandbox, Assay(sandbox) as assay, \
            tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        assay.run("init", status=0)
        with Service(assay, "--role", "all", "--workers", "2") as service:
            document = Api(service.api).send("GET", "/api/openapi.json").json
            json.dump(document, file)
            file.flush()
            with Prism(file.name, service.api, "--errors") as strict, Prism(file.name, service.api) as lenient:
                yield sandbox, assay, service, document, Client(strict, lenient)


def is_json(operation):
    replies = [reply for status, reply in operation["responses"].items() if status.startswith("2")]
    return any(media == "application/json" for reply in replies for media in reply.get("content", {}))


def operations(document):
    """Those that answer JSON when they succeed."""
    return {f"{method.upper()} {path}": operation for path, methods in document["paths"].items()
            for method, operation in methods.items() if is_json(operation)}


def cookie_of(answer):
    return answer.headers["set-cookie"].split(";")[0]


def enter_as_person(client, answer):
    client.headers = {"Cookie": cookie_of(answer), "X-CSRF-Token": answer.json["csrfToken"]}


def walk_operations(client):
    for path in ("/healthz", "/readyz", "/api/openapi.json"):
        client.ask(f"GET {path}")


def walk_people(client, service):
    setup = service.ready["setup"].partition("#")[2]
    client.ask("POST /api/setup", body={**ADA, "token": setup, "name": "Ada"}, status=201)
    enter_as_person(client, client.ask("POST /api/session", body=ADA))
    client.ask("GET /api/session")
    client.ask("POST /api/session/password", body={"password": PASSWORD, "newPassword": PASSWORD + "!"})
    enter_as_person(client, client.ask("POST /api/session", body={**ADA, "password": PASSWORD + "!"}, headers={}))
    invited = client.ask("POST /api/invitations", body={"email": "eve@example.com", "role": "member"}, status=201)
    ticket = invited.json["link"].partition("#")[2]
    client.ask("GET /api/invitations")
    client.ask("POST /api/invitations/lookup", body={"token": ticket}, headers={})
    accept = {"token": ticket, "name": "Eve", "password": PASSWORD}
    eve = client.ask("POST /api/invitations/accept", body=accept, status=201, headers={})
    more = client.ask("POST /api/invitations", body={"email": "bob@example.com", "role": "auditor"}, status=201).json
    pending = client.ask("GET /api/invitations").json["invitations"]
    assert more["link"] and pending
    client.ask("DELETE /api/invitations/{id}", pending[-1]["id"])
    users = client.ask("GET /api/users").json["users"]
    other = next(user["userId"] for user in users if user["email"] == "eve@example.com")
    client.ask("GET /api/users/{id}", other)
    client.ask("PATCH /api/users/{id}", other, body={"role": "auditor"})
    client.ask("DELETE /api/users/{id}", other)
    sessions = client.ask("GET /api/sessions").json["sessions"]
    assert sessions and cookie_of(eve)
    second = client.ask("POST /api/session", body={**ADA, "password": PASSWORD + "!"}, headers={})
    mine = {row["id"] for row in sessions}
    fresh = next(row["id"] for row in client.ask("GET /api/sessions").json["sessions"] if row["id"] not in mine)
    client.ask("DELETE /api/sessions/{id}", fresh)
    assert second.json["csrfToken"]
    client.ask("DELETE /api/session")


def walk_installation(client):
    client.ask("GET /api/configuration")
    client.ask("GET /api/organizations")
    client.ask("POST /api/organizations", body={"name": "second"}, status=201)
    client.ask("GET /api/organization")
    client.ask("PATCH /api/organization", body={"name": "first"})
    client.ask("GET /api/installation/audit")
    client.ask("GET /api/installation/tokens")
    made = client.ask("POST /api/tokens", body={"name": "nightly", "role": "member"}, status=201).json
    client.ask("GET /api/tokens")
    client.ask("DELETE /api/tokens/{id}", made["tokenInfo"]["id"])
    assert client.ask("GET /api/installation/doctor").json["findings"]
    client.ask("PUT /api/limits/{provider}", "github", body={"limit": "30/1m"})
    assert client.ask("GET /api/limits").json["operator"]
    client.ask("DELETE /api/limits/{provider}", "github")
    client.ask("GET /api/providers")
    client.ask("GET /api/providers/{id}", "github")
    client.ask("GET /api/providers/{id}/policy", "github")
    client.ask("GET /api/providers/{id}/policy", "aws", query="?evidence=iam_users")


def walk_accounts(client):
    wish = {"email": "carl@example.com", "password": PASSWORD, "role": "member"}
    account = client.ask("POST /api/installation/users", body=wish, status=201).json["user"]["id"]
    client.ask("GET /api/installation/users")
    client.ask("GET /api/installation/users/{id}", account)
    client.ask("PATCH /api/installation/users/{id}", account, body={"disabled": True})
    client.ask("PUT /api/installation/users/{id}/password", account, body={"password": PASSWORD + "!"})

    def sealed():
        row = client.ask("GET /api/installation/audit").json["audit"][-1]
        return row["id"] if row["leafIndex"] is not None else None

    client.ask("GET /api/installation/audit/{id}/proof", until(sealed, "the sequencer"))


def walk_token(client, assay):
    """A token is let into the second organization by one that has a role in both."""
    made = client.ask("POST /api/tokens", body={"name": "nightly", "role": "member"}, status=201).json["tokenInfo"]["id"]
    two = assay.ask("tokens", "create", "two", "--role", "owner", "--organization", "first")
    assay.ask("tokens", "allow", "two", "--role", "owner", "--organization", "second")
    headers = {"Authorization": f"Bearer {two['token']}", "X-Assay-Organization": "second"}
    client.ask("POST /api/tokens/{id}/access", made, body={"role": "member"}, status=201, headers=headers)
    client.ask("DELETE /api/tokens/{id}", made)
    client.ask("DELETE /api/installation/tokens/{id}", made)


def walk_operator(client, assay):
    walk_token(client, assay)
    client.ask("PATCH /api/organizations/{id}", "second", body={"name": "third"})
    walk_accounts(client)


def ended(client, job):
    def look():
        now = client.ask("GET /api/jobs/{id}", job).json
        return now if now["completedAt"] else None
    return until(look, f"the end of job {job}")


def walk_integration(client, sandbox):
    connected = client.ask("POST /api/integrations/connect", body=connect_request(sandbox), status=201).json
    ended(client, connected["jobId"])
    identity = connected["id"]
    client.ask("GET /api/integrations")
    client.ask("GET /api/integrations/list", query="?companyId=first")
    client.ask("GET /api/integrations/{id}", identity)
    client.ask("POST /api/integrations/{id}/test", identity)
    again = {"credentials": {"accessToken": TOKEN}}
    ended(client, client.ask("POST /api/integrations/{id}/reconnect", identity, body=again).json["jobId"])
    client.ask("PATCH /api/integrations/{id}", identity, body={"name": "renamed", "scanSchedule": "8h", "schedule": {"paused": False}})
    client.ask("GET /api/schedules")
    client.ask("GET /api/schedules/{id}", identity)
    client.ask("PATCH /api/schedules/{id}", identity, body={"every": "6h"})
    queued = client.ask("POST /api/integrations/{id}/sync", identity, body={"evidenceTypes": ["branch_protection"]}, status=202)
    ended(client, queued.json["jobId"])
    scanned = client.ask("POST /api/integrations/{id}/scan", identity, status=202)
    ended(client, scanned.json["jobId"])
    walk_scanner(client, identity)
    sandbox.fault(match="/repos/*", kind="hold")
    held = client.ask("POST /api/integrations/{id}/sync", identity, status=202).json["jobId"]
    sandbox.wait(held=1)
    client.ask("POST /api/jobs/{id}/cancel", held, status=202)
    sandbox.control("POST", "release", {})
    ended(client, held)
    sandbox.clear()
    ended(client, client.ask("POST /api/jobs/{id}/retry", held, status=202).json["jobId"])
    walk_results(client)
    client.ask("DELETE /api/integrations/{id}", identity)


def walk_scanner(client, identity):
    wish = {"name": "scanner", "role": "scanner", "integrations": [identity]}
    headers = {"Authorization": "Bearer " + client.ask("POST /api/tokens", body=wish, status=201).json["token"]}
    taken = client.ask("GET /api/integrations", query="?status=active&due=true", headers=headers).json["integrations"]
    assert [row["id"] for row in taken] == [identity]
    found = {"integrationId": identity, "check": "mfa", "resource": "user/1", "result": "fail", "details": {"n": 1}}
    client.ask("POST /api/assessments", body=found, status=201, headers=headers)
    assert client.ask("GET /api/assessments", query="?result=fail").json["assessments"]
    client.ask("POST /api/integrations/{id}/scan/done", identity, headers=headers)


def walk_results(client):
    client.ask("GET /api/jobs")
    collected = client.ask("POST /api/integrations/collect-evidence", body={"companyId": "first", "controlId": "soc2:CC8.1"})
    assert collected.json["evidenceCount"] > 0
    client.ask("PUT /api/controls/{id}/exception", "soc2:CC8.1", body={"reason": "moved", "until": "2200-01-01T00:00:00Z"})
    client.ask("DELETE /api/controls/{id}/exception", "soc2:CC8.1")
    signed = [{"provider": "github", "check": "branch_protection.signed_commits_required"}]
    client.ask("PUT /api/controls/{id}/mapping", "soc2:CC1.5", body={"add": signed, "reason": "our policy"})
    client.ask("DELETE /api/controls/{id}/mapping", "soc2:CC1.5")
    evidence = client.ask("GET /api/evidence").json["evidence"]
    client.ask("POST /api/evidence/{id}/review", evidence[0]["id"], body={"state": "approved", "comment": "seen"})
    for item in evidence:
        client.ask("GET /api/evidence/{id}", item["id"])
    assert client.ask("GET /api/findings", query="?state=all").json["findings"]
    client.ask("GET /api/frameworks")
    client.ask("GET /api/controls", query="?framework=soc2")
    client.ask("GET /api/controls/{id}", "soc2:CC8.1")
    client.ask("GET /api/scores")
    client.ask("GET /api/activity")

    def sealed():
        rows = client.ask("GET /api/audit").json["audit"]
        return rows if rows[-1]["leafIndex"] is not None else None

    client.ask("GET /api/audit/{id}/proof", until(sealed, "the sequencer")[-1]["id"])


def test_every_route_succeeds_as_described():
    with world() as (sandbox, assay, service, document, client):
        walk_operations(client)
        walk_people(client, service)
        client.headers = {"Authorization": f"Bearer {token(assay, 'owner', '--operator')}"}
        walk_installation(client)
        walk_operator(client, assay)
        walk_integration(client, sandbox)
        name = client.ask("GET /api/organization").json["name"]
        client.fail("DELETE /api/organization", query="?confirm=another", status=400)
        client.ask("DELETE /api/organization", query="?confirm=" + name)
        missing = set(operations(document)) - client.succeeded
        assert not missing, f"these were not asked: {sorted(missing)}"
        assert len(client.succeeded) > 40


def fail_as_stranger(client, name, operation):
    body = {} if name.split(" ")[0].lower() in WRITES else None
    values = [NOBODY] * name.count("{")
    if operation.get("security") != []:
        client.fail(name, *values, body=body, status=401, headers={})
        client.fail(name, *values, body=body, status=401, headers={"Authorization": "Bearer assay_none"})


def fail_with_wrong_input(client, name, operation):
    """A parameter that does not exist, and a body that fits nothing."""
    values = [NOBODY] * name.count("{")
    wrong = "requestBody" in operation
    headers = client.headers if operation.get("security") != [] else {}
    if name not in NEVER_FAIL:
        client.fail(name, *values, query="?colour=red", status=400, headers=headers)
    if wrong:
        refused = 403 if name in SCANNERS_ALONE else 400
        client.fail(name, *values, body={"surprise": []}, status=refused, headers=headers)
        client.fail(name, *values, body=["no object"], status=refused, headers=headers)


def test_every_route_fails_as_described():
    with world() as (sandbox, assay, service, document, client):
        client.headers = {"Authorization": f"Bearer {token(assay, 'owner', '--operator')}"}
        described = operations(document)
        for name, operation in described.items():
            fail_as_stranger(client, name, operation)
            fail_with_wrong_input(client, name, operation)
            if "{id}" in name and name.startswith("GET"):
                client.fail(name, NOBODY, status=404, query="?framework=soc2" if "controls" in name else "")
        missing = set(described) - client.failed - NEVER_FAIL
        assert not missing, f"these were not made to fail: {sorted(missing)}"


def test_what_roles_conflicts_and_services_refuse_is_as_described():
    with world() as (sandbox, assay, service, document, client):
        client.headers = {"Authorization": f"Bearer {token(assay, 'owner', '--operator')}"}
        reader = {"Authorization": f"Bearer {token(assay, 'auditor')}"}
        request = connect_request(sandbox)
        client.fail("POST /api/integrations/connect", body=request, status=403, headers=reader)
        client.fail("GET /api/configuration", status=403, headers=reader)
        client.fail("POST /api/integrations/connect", body={**request, "credentials": {"accessToken": "wrong"}}, status=422)
        sandbox.fault(match="/user", kind="status", status=500, times=50)
        client.fail("POST /api/integrations/connect", body=request, status=502)
        sandbox.clear()
        identity = client.ask("POST /api/integrations/connect", body=request, status=201).json["id"]
        client.fail("POST /api/integrations/connect", body=request, status=409)
        other = {"credentials": {"accessToken": TOKEN}, "settings": {"organization": "globex"}}
        client.fail("POST /api/integrations/{id}/reconnect", identity, body=other, status=409)
        client.fail("POST /api/integrations/{id}/reconnect", identity, body={"credentials": {"accessToken": "wrong"}}, status=422)
        stale = {**client.headers, "If-Match": '"stale"'}
        client.fail("PATCH /api/integrations/{id}", identity, body={"name": "b"}, status=412, headers=stale)
        client.ask("PATCH /api/integrations/{id}", identity, body={"status": "paused"})
        client.fail("POST /api/integrations/{id}/sync", identity, body={}, status=409)
        client.fail("PATCH /api/integrations/{id}", identity, body={"status": "soon"}, status=400)
        client.fail("POST /api/session", body=ADA, status=401, headers={})
        client.fail("POST /api/invitations/lookup", body={"token": "assay_none"}, status=404, headers={})


def test_prism_finds_what_is_not_as_described():
    with world() as (sandbox, assay, service, document, client), tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        reply = document["paths"]["/healthz"]["get"]["responses"]["200"]["content"]["application/json"]
        reply["schema"] = {"type": "object", "required": ["nowhere"]}
        json.dump(document, file)
        file.flush()
        with Prism(file.name, service.api, "--errors") as wrong:
            assert wrong.send("GET", "/healthz", None, {}).status == 500


if __name__ == "__main__":
    tap.main(globals())
