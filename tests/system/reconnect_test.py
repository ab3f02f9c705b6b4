#!/usr/bin/env python3
"""The status of an integration stays true, whatever happens at once; and there is a way back from a refused credential."""

import datetime

import tap
from api_test import connect_request, ended, token, world
from sandbox_client import TOKEN


def connected(api, sandbox, name="acme", **changes):
    reply = api.post("/api/integrations/connect", connect_request(sandbox, name, **changes), status=201).json
    ended(api, reply["jobId"])
    return reply["id"]


def status_of(api, integration):
    return api.get(f"/api/integrations/{integration}").json["status"]


def entries(api, action):
    return [(row["result"], row["target"]["id"]) for row in api.get(f"/api/audit?action={action}").json["audit"]]


def refuse(api, sandbox, integration):
    """The service refuses the credential for a while."""
    sandbox.fault(match="/*", kind="status", status=401, times=1000)
    api.post(f"/api/integrations/{integration}/test", status=422)
    sandbox.clear()


def under_way(api, sandbox, path, body=None):
    """What was begun, and is held by the service."""
    sandbox.fault(match="/user", kind="hold")
    later = api.post(path, body, status=202).json
    sandbox.wait(held=1)
    return later["jobId"]


def let_go(api, sandbox, job):
    sandbox.clear()
    sandbox.control("POST", "release", {})
    return ended(api, job)


AGAIN = {"credentials": {"accessToken": TOKEN}}
PASSWORD = "correct horse battery"
HASTY = {"ASSAY_TEST_PATIENCE_MS": "50"}


def test_a_refused_credential_is_replaced_and_the_history_stays():
    with world() as (sandbox, assay, service, api):
        one = connected(api, sandbox)
        before = api.get(f"/api/integrations/{one}").json
        evidence = {item["id"] for item in api.get("/api/evidence").json["evidence"]}
        refuse(api, sandbox, one)
        assert status_of(api, one) == "reconnect_needed"
        sandbox.fault(match="/*", kind="status", status=401, times=1000)
        refused = api.post(f"/api/integrations/{one}/reconnect", AGAIN, status=422).json
        assert refused["title"] == "Invalid GitHub credentials"
        sandbox.clear()
        assert status_of(api, one) == "reconnect_needed"
        reply = api.post(f"/api/integrations/{one}/reconnect", AGAIN).json
        assert (reply["id"], reply["name"], reply["status"]) == (one, "acme", "connected"), reply
        assert ended(api, reply["jobId"])["status"] == "completed"
        after = api.get(f"/api/integrations/{one}").json
        assert after["config"]["settings"] == before["config"]["settings"] and after["errorMessage"] is None
        assert evidence < {item["id"] for item in api.get("/api/evidence").json["evidence"]}
        assert entries(api, "integration.reconnect") == [("ok", one), ("failed", one)]
        assert len(api.get("/api/integrations").json["integrations"]) == 1


def test_a_credential_is_due_to_be_replaced_as_many_days_after_it_came_as_the_settings_say():
    def days(api, one):
        row = api.get(f"/api/integrations/{one}").json
        made, due = (datetime.datetime.fromisoformat(row[name].replace("Z", "+00:00")) for name in ("createdAt", "rotationDueAt"))
        return round((due - made) / datetime.timedelta(days=1))

    with world() as (sandbox, assay, service, api):
        one = connected(api, sandbox)
        assert days(api, one) == 90
        api.delete(f"/api/integrations/{one}")
        assert api.get(f"/api/integrations/{one}").json["rotationDueAt"] is None
    with world(env={"ASSAY_CREDENTIAL_ROTATION_DAYS": "30"}) as (sandbox, assay, service, api):
        one = connected(api, sandbox)
        assert days(api, one) == 30
        api.post(f"/api/integrations/{one}/reconnect", AGAIN)
        assert days(api, one) == 30
        assay.run("reconnect", "acme", "--credential", "access_token=env:TOKEN", status=0)
        assert days(api, one) == 90


def test_what_was_disconnected_is_connected_again_under_its_name():
    with world() as (sandbox, assay, service, api):
        one = connected(api, sandbox)
        api.patch(f"/api/integrations/{one}", {"status": "paused"})
        api.delete(f"/api/integrations/{one}")
        taken = api.post("/api/integrations/connect", connect_request(sandbox), status=409).json
        assert "reconnect" in taken["detail"], taken
        reply = api.post("/api/integrations/acme/reconnect", AGAIN).json
        assert reply["id"] == one and reply["status"] == "connected"
        assert ended(api, reply["jobId"])["status"] == "completed"
        schedule = api.get(f"/api/schedules/{one}").json
        assert schedule["paused"] is False and schedule["dueAt"], schedule
        assert api.post(f"/api/integrations/{one}/test").json["status"] == "connected"


def test_a_pause_outlasts_a_reconnect():
    with world() as (sandbox, assay, service, api):
        one = connected(api, sandbox)
        refuse(api, sandbox, one)
        api.patch(f"/api/integrations/{one}", {"status": "paused"})
        reply = api.post(f"/api/integrations/{one}/reconnect", AGAIN).json
        assert reply["status"] == "paused" and "jobId" not in reply, reply
        assert api.get(f"/api/schedules/{one}").json["paused"] is True
        assert api.patch(f"/api/integrations/{one}", {"status": "connected"}).json["status"] == "connected"


def test_another_account_is_not_connected_unawares():
    with world() as (sandbox, assay, service, api):
        one = connected(api, sandbox)
        other = {**AGAIN, "settings": {"organization": "globex"}}
        refused = api.post(f"/api/integrations/{one}/reconnect", other, status=409).json
        assert "another account" in refused["detail"]
        assert api.get(f"/api/integrations/{one}").json["config"]["settings"]["organization"] == "acme"
        api.post(f"/api/integrations/{one}/reconnect", {**other, "anotherAccount": True})
        assert api.get(f"/api/integrations/{one}").json["config"]["settings"]["organization"] == "globex"


def test_a_pause_forgets_no_refusal():
    with world() as (sandbox, assay, service, api):
        one = connected(api, sandbox)
        refuse(api, sandbox, one)
        assert api.patch(f"/api/integrations/{one}", {"status": "paused"}).json["status"] == "paused"
        back = api.patch(f"/api/integrations/{one}", {"status": "connected"}).json
        assert back["status"] == "reconnect_needed" and back["errorMessage"], back


def test_a_test_does_not_end_a_pause():
    with world() as (sandbox, assay, service, api):
        one = connected(api, sandbox)
        api.patch(f"/api/integrations/{one}", {"status": "paused"})
        refuse(api, sandbox, one)
        assert status_of(api, one) == "paused"
        assert api.post(f"/api/integrations/{one}/test").json["status"] == "paused"
        assert api.get(f"/api/schedules/{one}").json["paused"] is True


def test_what_is_disconnected_while_it_is_tested_stays_so():
    with world(env=HASTY) as (sandbox, assay, service, api):
        one = connected_slowly(api, sandbox)
        refuse_slowly(api, sandbox, one)
        job = under_way(api, sandbox, f"/api/integrations/{one}/test")
        api.delete(f"/api/integrations/{one}")
        assert let_go(api, sandbox, job)["result"]["status"] == "disconnected"
        row = api.get(f"/api/integrations/{one}").json
        assert row["status"] == "disconnected" and row["statusReason"], row


def test_a_test_of_the_old_credential_says_nothing_of_the_new_one():
    with world(env=HASTY) as (sandbox, assay, service, api):
        one = connected_slowly(api, sandbox)
        job = under_way(api, sandbox, f"/api/integrations/{one}/test")
        sandbox.clear()
        again = api.send("POST", f"/api/integrations/{one}/reconnect", AGAIN)
        if again.status == 202:
            assert ended(api, again.json["jobId"])["result"]["status"] == "connected"
        sandbox.fault(match="/user", kind="status", status=401, times=1000)
        sandbox.control("POST", "release", {})
        ended(api, job)
        sandbox.clear()
        assert status_of(api, one) == "connected"


def test_errands_are_seen_by_those_who_see_their_integration():
    with world(env=HASTY) as (sandbox, assay, service, api):
        one = connected_slowly(api, sandbox)
        two = connected_slowly(api, sandbox, "second")
        scanner = api.as_(token(assay, "scanner", "--integration", one))
        past = api.as_(token(assay, "auditor", "--from", "2020-01-01", "--until", "2020-02-01"))
        now = api.as_(assay.ask("tokens", "create", "now", "--role", "auditor")["token"])
        for path, body, seen in ((f"/api/integrations/{one}/test", None, 200), (f"/api/integrations/{two}/test", None, 404),
                                 (f"/api/integrations/{two}/reconnect", AGAIN, 404),
                                 ("/api/integrations/connect", connect_request(sandbox, "third"), 404)):
            job = under_way(api, sandbox, path, body)
            scanner.get(f"/api/jobs/{job}", status=seen)
            assert seen == 200 or scanner.send("GET", f"/api/jobs/{job}/events").status == 404
            past.get(f"/api/jobs/{job}", status=404)
            now.get(f"/api/jobs/{job}")
            let_go(api, sandbox, job)


def test_the_command_line_connects_again_here_and_there():
    with world() as (sandbox, assay, service, api):
        one = connected(api, sandbox)
        api.delete(f"/api/integrations/{one}")
        taken = assay.connect(status=1).failure
        assert "assay reconnect" in taken["message"], taken
        here = assay.ask("reconnect", "acme", "--credential", "access_token=env:TOKEN")
        assert (here["id"], here["name"], here["status"]) == (one, "acme", "connected"), here
        wrong = {"WRONG": "Planted-Secret-wrong"}
        refused = assay.run("reconnect", "acme", "--credential", "access_token=env:WRONG", "--json", env=wrong, status=4)
        assert refused.failure["message"] == "Invalid GitHub credentials", refused
        assert status_of(api, one) == "connected"
        other = assay.run("reconnect", "acme", "--set", "organization=globex", "--credential", "access_token=env:TOKEN", "--json",
                          status=1)
        assert "another account" in other.failure["message"], other
        server = {"ASSAY_SERVER": service.api, "ASSAY_TOKEN": api.token}
        api.patch(f"/api/integrations/{one}", {"status": "paused"})
        there = assay.run("reconnect", "acme", "--credential", "access_token=env:TOKEN", "--json", env=server, status=0).json
        assert there == {**here, "status": "paused"}, there
        moved = assay.run("reconnect", "acme", "--set", "organization=globex", "--another-account", "--credential",
                          "access_token=env:TOKEN", "--json", env=server, status=0).json
        assert moved["id"] == one
        results = [result for result, identity in entries(api, "integration.reconnect") if identity == one]
        assert results == ["ok", "ok", "failed", "failed", "ok"], results


def test_a_connection_belongs_to_whom_it_was_made_for():
    with world() as (sandbox, assay, service, api):
        assay.run("users", "add", "ada@example.com", "--role", "member", "--password", "env:PASSWORD", "--json",
                  env={"PASSWORD": PASSWORD}, status=0)
        ada = next(user["userId"] for user in api.get("/api/users").json["users"] if user["email"] == "ada@example.com")
        one = connected(api, sandbox, ownerUserId=ada)
        assert api.get(f"/api/integrations/{one}").json["ownerUserId"] == ada
        member = api.as_(token(assay, "member"))
        member.patch(f"/api/integrations/{one}", {"name": "mine"}, status=403)
        member.post(f"/api/integrations/{one}/test", status=403)
        two = assay.run("connect", "github", "--name", "second", "--owner", "ada@example.com", "--set", "organization=acme",
                        "--set", f"api_url={sandbox.url}", "--set", "allow_private=true", "--credential",
                        "access_token=env:TOKEN", "--json", status=0).json["id"]
        server = {"ASSAY_SERVER": service.api, "ASSAY_TOKEN": api.token}
        three = assay.run("connect", "github", "--name", "third", "--owner", "ada@example.com", "--set", "organization=acme",
                          "--set", f"api_url={sandbox.url}", "--set", "allow_private=true", "--credential",
                          "access_token=env:TOKEN", "--json", env=server, status=0).json["id"]
        nobody = assay.run("connect", "github", "--name", "fourth", "--owner", "eve@example.com", "--set", "organization=acme",
                           "--credential", "access_token=env:TOKEN", "--json", env=server, status=3)
        assert "eve@example.com" in nobody.failure["message"]
        owned = [row["id"] for row in api.get("/api/integrations").json["integrations"] if row["ownerUserId"] == ada]
        assert owned == [one, two, three]
        api.delete(f"/api/users/{ada}")
        left = api.get("/api/integrations").json["integrations"]
        assert [(row["ownerUserId"], row["status"]) for row in left] == [(None, "connected")] * 3


def connected_slowly(api, sandbox, name="acme"):
    """The same where nobody has patience."""
    reply = api.send("POST", "/api/integrations/connect", connect_request(sandbox, name))
    assert reply.status in (201, 202), reply
    result = reply.json if reply.status == 201 else ended(api, reply.json["jobId"])["result"]
    ended(api, result["jobId"])
    return result["id"]


def refuse_slowly(api, sandbox, integration):
    sandbox.fault(match="/*", kind="status", status=401, times=1000)
    reply = api.send("POST", f"/api/integrations/{integration}/test")
    if reply.status == 202:
        ended(api, reply.json["jobId"])
    sandbox.clear()
    assert status_of(api, integration) == "reconnect_needed"


if __name__ == "__main__":
    tap.main(globals())
