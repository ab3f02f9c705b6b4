#!/usr/bin/env python3
"""People, tokens and the audit log across programs: the command line and a running service on one database, a client
that is nobody's browser, and proofs of the audit log recomputed from their description alone."""

import contextlib
import hashlib
import http.cookiejar
import json
import re
import urllib.error
import urllib.request

import tap
from assay_client import Assay, until
from sandbox_client import TIMEOUT, Sandbox
from serve_client import Service

PASSWORD = "correct horse battery"
ADA = {"email": "ada@example.com", "password": PASSWORD}


def stored(assay):
    """Everything that the installation has written: its files, and the rows of a database that is elsewhere."""
    files = b"".join(path.read_bytes() for path in sorted(assay.data.rglob("*")) if path.is_file())
    tables = ("user_account", "user_session", "invitation", "setup_token", "api_token", "idempotency", "audit",
              "login_attempt")
    rows = [assay.rows(f"select * from {table}") for table in tables]
    return files + repr(rows).encode()


class Client:
    """Speaks JSON to a service; keeps cookies as a browser does, and the CSRF token."""

    def __init__(self, service, token=None):
        self.base = service.api
        self.token = token
        self.csrf = None
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def ask(self, method, path, body=None, status=200):
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.csrf:
            headers["X-CSRF-Token"] = self.csrf
        request = urllib.request.Request(self.base + path, method=method, headers=headers,
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with self.opener.open(request, timeout=TIMEOUT) as reply:
                got, text = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            got, text = error.code, error.read()
        assert got == status, (method, path, got, text[:2000])
        answer = json.loads(text)
        self.csrf = answer.get("csrfToken") or self.csrf
        return answer

    def log_in(self, status=200):
        return self.ask("POST", "/api/session", ADA, status)


def serving(assay):
    return Service(assay, "--role", "all", "--listen", "127.0.0.1:0")


def setup_token(service):
    page, _, token = service.ready["setup"].partition("#")
    assert page == f"{service.api}/setup" and re.fullmatch(r"assay_setup_\w+", token), page
    return token


def set_up(service):
    client = Client(service)
    client.ask("POST", "/api/setup", {**ADA, "token": setup_token(service)}, 201)
    return client


def verify(proof):
    """RFC 9162 section 2.1.3.2, and the leaf as docs/security.md tells it."""
    sha = lambda data: hashlib.sha256(data).digest()
    node = sha(b"\0\1" + sha(bytes.fromhex(proof["salt"]) + proof["record"].encode()))
    assert node.hex() == proof["leafHash"]
    first, last = proof["leafIndex"], proof["treeSize"] - 1
    for sibling in map(bytes.fromhex, proof["path"]):
        assert last > 0
        if first % 2 == 1 or first == last:
            node = sha(b"\1" + sibling + node)
            while first % 2 == 0 and first != 0:
                first, last = first >> 1, last >> 1
        else:
            node = sha(b"\1" + node + sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and node.hex() == proof["rootHash"]


def test_the_first_start_prints_a_link_that_makes_the_owner_once():
    with Assay() as assay:
        with serving(assay) as service:
            token = setup_token(service)
            client = set_up(service)
            assert client.ask("GET", "/api/session")["organizations"][0]["role"] == "owner"
            Client(service).ask("POST", "/api/setup", {**ADA, "token": token}, 404)
        with serving(assay) as service:
            Client(service).log_in()
            assert service.ready["setup"] is None
        assert PASSWORD not in service.said()


def test_no_password_token_or_cookie_is_stored_or_logged():
    with Assay() as assay, serving(assay) as service:
        secrets = [setup_token(service), PASSWORD]
        client = set_up(service)
        secrets += [cookie.value for cookie in client.cookies] + [client.csrf]
        made = client.ask("POST", "/api/tokens", {"name": "nightly", "role": "member"}, 201)
        invited = client.ask("POST", "/api/invitations", {"email": "eve@example.com", "role": "member"}, 201)
        secrets += [made["token"], invited["link"].partition("#")[2]]
        client.ask("POST", "/api/session/password", {"password": PASSWORD, "newPassword": "another horse battery"})
        Client(service).ask("POST", "/api/session", {**ADA, "password": "a mistyped horse"}, 401)
        secrets += ["another horse battery", "a mistyped horse"]
        assert len(secrets) == 8 and all(secrets)
        kept = stored(assay)
        assert made["tokenInfo"]["id"].encode() in kept
        found = [secret for secret in secrets if secret.encode() in kept or secret in service.said()]
        assert found == [], found


def test_whoever_is_disabled_on_the_command_line_is_out_of_the_service_at_once():
    with Assay() as assay, serving(assay) as service:
        client = set_up(service)
        client.ask("GET", "/api/users")
        assay.ask("users", "disable", "ada@example.com")
        client.ask("GET", "/api/users", status=401)
        client.log_in(status=401)
        assay.ask("users", "enable", "ada@example.com")
        client.log_in()
        client.ask("GET", "/api/users")


def test_a_token_of_the_command_line_works_until_it_is_revoked_there():
    with Assay() as assay, serving(assay) as service:
        made = assay.ask("tokens", "create", "nightly", "--role", "auditor")
        client = Client(service, made["token"])
        assert client.ask("GET", "/api/session")["name"] == "nightly"
        client.ask("GET", "/api/audit")
        client.ask("POST", "/api/tokens", {"name": "more", "role": "member"}, 403)
        until(lambda: assay.ask("tokens", "list")["tokens"][0]["lastUsedAt"], "the last use of the token")
        for _ in range(3):  # the service remembers it now
            client.ask("GET", "/api/organization")
        assay.ask("tokens", "revoke", "nightly")
        client.ask("GET", "/api/organization", status=401)
        client.ask("GET", "/api/audit", status=401)
        assert made["token"] not in service.said()


def test_an_invitation_of_the_command_line_is_taken_up_at_the_service():
    with Assay() as assay, serving(assay) as service:
        set_up(service)
        link = assay.ask("users", "invite", "eve@example.com", "--role", "member")["link"]
        answer = {"token": link.partition("#")[2], "name": "Eve", "password": PASSWORD}
        eve = Client(service)
        eve.ask("POST", "/api/invitations/accept", answer, 201)
        assert len(eve.ask("GET", "/api/users")["users"]) == 2
        eve.ask("GET", "/api/tokens", status=403)
        Client(service).ask("POST", "/api/invitations/accept", answer, 404)


def test_every_entry_of_the_audit_log_is_sealed_and_proven_to_anybody():
    with Sandbox("--repos", "2") as sandbox, Assay(sandbox) as assay, serving(assay) as service:
        client = set_up(service)
        for number in range(5):
            client.ask("POST", "/api/tokens", {"name": f"token {number}", "role": "member"}, 201)
        assay.connect()
        assay.sync()

        def sealed():
            rows = client.ask("GET", "/api/audit?order=oldest&limit=1000")["audit"]
            return rows if all(row["leafIndex"] is not None for row in rows) else None

        rows = until(sealed, "the sequencer")
        actions = [row["action"] for row in rows]
        assert actions.count("token.create") == 5 and "integration.connect" in actions, actions
        ended = [row["details"]["jobId"] for row in rows if row["action"] == "sync.complete"]
        assert ended and all(ended), rows
        assert sorted(row["leafIndex"] for row in rows) == list(range(len(rows)))
        for row in rows:
            proof = client.ask("GET", f"/api/audit/{row['id']}/proof")
            assert verify(proof), proof
            assert json.loads(proof["record"])["id"] == row["id"]
            assert not verify({**proof, "leafIndex": proof["leafIndex"] ^ 1})
        on_the_line = assay.ask("audit", "--proof", rows[0]["id"])
        assert verify(on_the_line)
        assert json.loads(on_the_line["record"])["id"] == rows[0]["id"]


def test_the_activity_speaks_of_people_and_programs():
    with Sandbox("--repos", "2") as sandbox, Assay(sandbox) as assay, serving(assay) as service:
        client = set_up(service)
        assay.connect("acme")
        assay.sync(name="acme")
        client.ask("POST", "/api/invitations", {"email": "eve@example.com", "role": "member"}, 201)
        sentences = [row["sentence"] for row in client.ask("GET", "/api/activity")["activity"]]
        assert sentences[0] == "ada@example.com invited eve@example.com", sentences
        assert "Assay collected evidence from acme" in sentences, sentences
        assert any(text.endswith("(on the command line) connected acme") for text in sentences), sentences


@contextlib.contextmanager
def elsewhere(service, token):
    """The command line of somebody who has a server's address and a token, and no data directory."""
    with Assay(ASSAY_SERVER=service.api, ASSAY_TOKEN=token) as there:
        yield there
        assert not there.data.exists(), "a command on a server has made a data directory here"
        assert token not in there.said and PASSWORD not in there.said


def people_acme(owner, service):
    """The owner of an organization brings Eve in and gives her another role."""
    link = owner.ask("users", "invite", "eve@example.com", "--role", "member")["link"]
    eve = Client(service)
    eve.ask("POST", "/api/invitations/accept", {"token": link.partition("#")[2], "password": PASSWORD}, 201)
    changed = owner.ask("users", "role", "eve@example.com", "auditor", "--from", "2026-01-01")
    assert changed["user"]["role"] == "auditor", changed
    assert [user["email"] for user in owner.ask("users", "list")["users"]] == ["ada@example.com", "eve@example.com"]
    assert owner.run("users", "disable", "eve@example.com").status == 4
    return eve


def exported(owner):
    """The log in a file, and its last entry proven."""
    file = owner.home / "audit.ndjson"
    said = owner.ask("audit", "export", str(file))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert said["entries"] == len(rows) and file.stat().st_mode & 0o777 == 0o600

    def sealed():
        answer = owner.run("audit", "--proof", rows[-1]["id"], "--json")
        return answer.json if answer.status == 0 else None

    assert verify(until(sealed, "the sequencer"))
    return [row["action"] for row in rows]


def test_an_organization_is_founded_and_peopled_from_elsewhere():
    with Assay() as assay, serving(assay) as service:
        operator = assay.ask("tokens", "create", "operator", "--operator")["token"]
        with elsewhere(service, operator) as there:
            there.ask("organizations", "create", "acme")
            there.ask("users", "add", "ada@example.com", "--role", "owner", "--organization", "acme",
                      "--password", "env:NEW", env={"NEW": PASSWORD})
            assert there.run("users", "list", "--organization", "acme").status == 3
            ada = Client(service)
            assert [one["name"] for one in ada.log_in()["organizations"]] == ["acme"]
            made = ada.ask("POST", "/api/tokens", {"name": "cli", "role": "owner"}, 201)
            with elsewhere(service, made["token"]) as owner:
                eve = people_acme(owner, service)
                actions = exported(owner)
                assert actions[:3] == ["organization.create", "user.add", "member.change"], actions
                there.ask("users", "disable", "eve@example.com")
                eve.ask("GET", "/api/users", status=401)
                there.ask("tokens", "revoke", "cli")
                assert owner.run("users", "list").status == 4
        found = [secret for secret in (operator, made["token"], PASSWORD) if secret.encode() in stored(assay)]
        assert found == [] and PASSWORD not in service.said()


def test_a_service_that_starts_with_other_settings_says_so_in_the_log():
    with Assay() as assay:
        for workers in ("1", "1", "2"):
            with Service(assay, "--workers", workers):
                rows = assay.ask("audit", "--installation", "--action", "settings.change")["audit"]
                assert len(rows) == (workers == "2"), rows
        assert rows[0]["details"] == {"role": "worker", "settings": ["workers"]}, rows
        assert rows[0]["actor"]["kind"] == "system", rows


def test_an_organization_is_deleted_on_a_terminal_after_its_name_was_typed():
    def names():
        return [row["name"] for row in assay.ask("organizations", "list")["organizations"]]

    with Assay() as assay:
        assay.ask("init")
        assay.ask("organizations", "create", "acme")
        status, shown = assay.run_on_terminal("organizations", "delete", "acme", typed="acne\n")
        assert status != 0 and "nothing was deleted" in shown and "acme" in names(), shown
        status, shown = assay.run_on_terminal("organizations", "delete", "acme", typed="acme\n")
        assert status == 0 and "acme" not in names(), shown


if __name__ == "__main__":
    tap.main(globals())
