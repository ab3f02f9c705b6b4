#!/usr/bin/env python3
"""The commands of a person who works on a server from elsewhere: with --server and a token, without any data of his own."""

import contextlib
import re

import tap
from assay_client import Assay, children, until
from sandbox_client import Sandbox
from serve_client import Service, status_of

PLANTED = "Planted-Secret-5e2c91"  # what the service is called with
WRONG = "Planted-Secret-wrong-77"


class Elsewhere:
    """A person with the address of a server and a token, on another machine: the same commands, and no data directory."""

    def __init__(self, sandbox, service, token):
        self.assay = Assay(sandbox, ASSAY_SERVER=service.api, ASSAY_TOKEN=token)
        self.token = token
        self.secret = f"@{self.file('github.token', PLANTED)}"

    def __enter__(self):
        return self.assay, self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                assert not self.assay.data.exists(), "a command on a server has made a data directory here"
                for secret in (PLANTED, WRONG, self.token):
                    assert secret not in self.assay.said, secret
        finally:
            self.assay.close()

    def file(self, name, text):
        path = self.assay.home / name
        path.write_text(text)
        return path


def token(assay, role, *arguments):
    """What a command on the server says once, and nobody after it. role: None for an operator who has none."""
    given = ["--role", role] if role else []
    made = assay.ask("tokens", "create", f"{role}-{len(arguments)}", *given, *arguments)["token"]
    assay.said = assay.said.replace(made, "")
    return made


@contextlib.contextmanager
def world(env=None):
    """A sandbox, an installation, its service, and a person elsewhere who has nothing but a token. At the end nothing that
    was planted is anywhere on the server."""
    with Sandbox("--repos", "4", "--limit", "0", token=PLANTED) as sandbox, Assay(sandbox) as assay:
        assay.run("init", status=0)
        with Service(assay, "--role", "all", "--workers", "2", env=env) as service, \
                Elsewhere(sandbox, service, token(assay, "owner", "--operator")) as (there, person):
            yield sandbox, assay, service, there, person
        for secret in (PLANTED, WRONG, person.token):
            assert secret not in assay.said and secret not in assay.everything(), secret
            for path in assay.data.rglob("*"):
                assert not path.is_file() or secret.encode() not in path.read_bytes(), (secret, path)


def same(assay, there, *words):
    """Both ways print the same object; what the service itself changes meanwhile has come to rest by then."""
    def look():
        here, asked = assay.ask(*words), there.ask(*words)
        return here if here == asked else None
    return until(look, f"the same answer to {' '.join(words)} both ways")


# The first light, from elsewhere

def test_from_connecting_to_scored_controls_both_ways_tell_the_same():
    with world() as (sandbox, assay, service, there, person):
        connected = there.connect(token=person.secret).json
        assert connected["success"] is True and connected["status"] == "connected" and connected["user"], connected
        assert set(connected) <= {"success", "id", "status", "user", "accountId", "arn", "organizations"}, connected
        synced = there.sync().json
        assert (synced["evidenceCollected"], synced["evidenceFailed"], synced["errors"]) == (2, 0, []), synced
        assert synced["controlsUpdated"] > 0 and set(synced) == {
            "evidenceCollected", "evidenceFailed", "controlsUpdated", "errors", "jobId"}, synced
        until(lambda: status_of(assay, synced["jobId"]) == "completed", "the end of the job")
        listed = same(assay, there, "integrations")["integrations"]
        assert [row["id"] for row in listed] == [connected["id"]]
        evidence = same(assay, there, "evidence", "list")["evidence"]
        assert {row["evidenceType"] for row in evidence} == {"branch_protection", "security_alerts"}
        for row in evidence:
            assert same(assay, there, "evidence", "show", row["id"])["data"]["details"]
        assert same(assay, there, "findings", "--state", "all")["findings"]
        assert same(assay, there, "controls", "--framework", "soc2")["controls"]
        assert same(assay, there, "jobs", "list")["jobs"][0]["id"] == synced["jobId"]
        assert same(assay, there, "jobs", "show", synced["jobId"])["status"] == "completed"
        assert connected["id"] in [row["id"] for row in same(assay, there, "schedule")["schedules"]]


def test_schedules_are_set_paused_and_resumed_from_elsewhere():
    with world() as (sandbox, assay, service, there, person):
        there.connect(token=person.secret)
        there.sync()
        row = there.ask("schedule", "set", "acme", "--cron", "0 6 * * 1-5", "--timezone", "Europe/Berlin")
        assert (row["rule"], row["timeZone"], row["when"]) == ("0 6 * * 1-5", "Europe/Berlin", "0 6 * * 1-5 Europe/Berlin")
        assert same(assay, there, "schedule")
        paused = there.run("schedule", "pause", "acme", status=0)
        assert "paused" in paused.out and "assay schedule resume acme" in paused.error, paused
        assert there.sync(status=1).failure["message"]
        assert there.ask("schedule", "resume", "acme")["paused"] is False
        assert there.sync().json["evidenceFailed"] == 0


def test_a_person_sees_how_far_it_is():
    with world() as (sandbox, assay, service, there, person):
        there.connect(token=person.secret)
        status, shown = there.run_on_terminal("sync", "acme")
        assert status == 0 and "acme: waits for a worker" in shown, shown
        assert "acme: 2 collected, 0 failed" in shown, shown


def test_the_operator_sets_limits_from_elsewhere():
    with world() as (sandbox, assay, service, there, person):
        there.connect(token=person.secret)
        there.sync()
        assert there.ask("limits", "set", "github", "2000/1h") == {"provider": "github", "limit": "2000/1h"}
        limits = there.ask("limits")
        assert [row["limit"] for row in limits["operator"]] == ["2000/1h"]
        assert {row["integration"] for row in limits["limits"]} & {"acme"}, limits
        with Elsewhere(sandbox, service, token(assay, None, "--operator")) as (operator, _):
            seen = operator.ask("limits")["limits"]
            assert {row["integration"] for row in seen} == {row["integrationId"] for row in seen}, seen
            assert operator.run("integrations", "--json").failure["message"]
        assert there.ask("limits", "clear", "github") == {"provider": "github", "limit": None}
        assert there.ask("limits", "clear", "github", status=3)["error"]["code"]


def test_the_service_looks_at_itself_and_finds_what_is_found_beside_it():
    def states(report):
        return {(row["check"], row["status"]) for row in report["findings"] if "clock" not in row["check"]}
    with world() as (sandbox, assay, service, there, person):
        beside, itself = assay.ask("doctor"), there.ask("doctor")
        assert itself["healthy"] is True and set(itself) == set(beside), itself
        assert states(itself) - states(beside) == {("reached", "ok")}, itself
        assert {"clock", "clock here"} <= {row["check"] for row in itself["findings"]}, itself
        assert {check for check, _ in states(beside) - states(itself)} <= {"integrity"}, beside
        there.connect(token=person.secret)
        there.sync()
        asked = there.ask("doctor", "--network")["findings"]
        assert [row["message"] for row in asked if row["check"] == "services"] == [f"{sandbox.url}/ is reached"], asked


# Questions

def test_what_is_missing_is_asked_for_without_echo():
    with world() as (sandbox, assay, service, there, person):
        status, shown = there.run_on_terminal("connect", "github", "--set", "organization=acme", "--set",
                                              f"api_url={sandbox.url}", "--set", "allow_private=true", typed=f"{PLANTED}\n")
        assert status == 0 and 'Connected GitHub as "github"' in shown, shown
        assert [row["name"] for row in assay.integrations()] == ["github"]


def test_a_service_that_takes_long_is_waited_for():
    with world(env={"ASSAY_TEST_PATIENCE_MS": "50"}) as (sandbox, assay, service, there, person):
        sandbox.fault(match="/user", kind="hold")
        words = ["--set", "organization=acme", "--set", "allow_private=true", "--set", f"api_url={sandbox.url}",
                 "--credential", f"access_token={person.secret}", "--json"]
        waiting = there.start("connect", "github", "--name", "slow", *words)
        sandbox.wait(held=1)
        service.wait(route="/api/integrations/connect", status=202)
        sandbox.control("POST", "release", {})
        reply = there.finish(waiting, ["connect"], status=0).json
        assert reply["success"] is True and reply["user"], reply
        sandbox.clear()
        sandbox.fault(match="/user", kind="hold")
        wrong = [word.replace(person.secret, f"@{person.file('wrong.token', WRONG)}") for word in words]
        refused = there.start("connect", "github", "--name", "refused", *wrong)
        sandbox.wait(held=1)
        service.wait(count=2, route="/api/integrations/connect", status=202)
        sandbox.control("POST", "release", {})
        assert there.finish(refused, ["connect"], status=4).failure["code"] == "AUTHENTICATION_FAILED"
        assert [row["name"] for row in assay.integrations()] == ["slow"]
        until(lambda: assay.value("select count(*) from job where completed_at = 0") == 0, "the first sync")


# What is refused, and what breaks

def test_a_wrong_credential_is_refused_and_not_stored():
    with world() as (sandbox, assay, service, there, person):
        failure = there.connect(token=f"@{person.file('wrong.token', WRONG)}", status=4).failure
        assert failure["code"] == "AUTHENTICATION_FAILED" and "GitHub" in failure["message"], failure
        assert assay.integrations() == there.integrations() == []
        (entry,) = assay.ask("audit", "--action", "integration.connect")["audit"]
        assert entry["result"] == "failed" and entry["actor"]["kind"] == "token", entry


def test_a_token_that_is_none_is_refused():
    with world() as (sandbox, assay, service, there, person):
        stranger = person.file("stranger.token", WRONG)
        failure = there.run("integrations", "--token", f"@{stranger}", "--json", status=4).failure
        assert failure["code"] == "AUTHENTICATION_FAILED", failure


def test_a_scanner_may_look_and_not_connect():
    with world() as (sandbox, assay, service, there, person):
        there.connect(token=person.secret)
        there.sync()
        with Elsewhere(sandbox, service, token(assay, "scanner", "--integration", "acme")) as (scanner, own):
            assert [row["name"] for row in scanner.integrations()] == ["acme"]
            failure = scanner.connect(name="more", token=own.secret, status=4).failure
            assert failure["code"] == "PERMISSION_DENIED" and "scanner" in failure["message"], failure
            assert scanner.sync(status=4).failure["code"] == "PERMISSION_DENIED"
            assert scanner.ask("limits", status=4)["error"]["code"] == "PERMISSION_DENIED"
        assert len(assay.integrations()) == 1


def hold_a_sync(sandbox, there):
    """A command that waits for a run whose calls are not answered."""
    sandbox.fault(match="/repos/*", kind="hold")
    waiting = there.start_sync()
    sandbox.wait(held=1)
    assert children(waiting.pid) == [], "a command on a server has started a worker here"
    return waiting


def test_a_run_is_called_off_while_somebody_waits_and_run_again():
    with world() as (sandbox, assay, service, there, person):
        there.connect(token=person.secret)
        there.sync()
        waiting = hold_a_sync(sandbox, there)
        (job,) = there.ask("jobs", "list", "--status", "running")["jobs"]
        assert "its worker ends it within seconds" in there.run("jobs", "cancel", job["id"], status=0).out
        assert there.finish(waiting, ["sync"]).failure["code"] == "CANCELLED"
        sandbox.control("POST", "release", {})
        sandbox.clear()
        again = there.ask("jobs", "retry", job["id"])
        assert again["id"] != job["id"] and again["evidenceTypes"] == job["evidenceTypes"]
        until(lambda: there.ask("jobs", "show", again["id"])["status"] == "completed", "the end of the second run")


def test_a_server_that_goes_away_is_told_of_and_the_run_goes_on_with_its_return():
    with world() as (sandbox, assay, service, there, person):
        there.connect(token=person.secret)
        there.sync()
        waiting = hold_a_sync(sandbox, there)
        (job,) = assay.rows("select id from job where status = 'running'")
        service.kill()
        failure = there.finish(waiting, ["sync"], status=6).failure
        assert failure["code"] == "SERVICE_UNAVAILABLE" and failure["retryable"] is True, failure
        told = re.search(r"The job goes on when it is there again; `assay jobs show ([0-9a-f-]{36})`", failure["message"])
        assert told and told[1] == job["id"], failure
        assay.said += service.said()
        sandbox.control("POST", "release", {})
        sandbox.clear()
        with Service(assay, "--role", "all", "--workers", "2") as returned:
            there.environment["ASSAY_SERVER"] = returned.api
            until(lambda: there.ask("jobs", "show", job["id"])["completedAt"], "the end of the run")
            shown = there.ask("jobs", "show", job["id"])
            assert shown["status"] == "completed" and shown["result"]["evidenceCollected"] == 2, shown


def test_what_belongs_to_one_machine_is_not_done_to_a_server():
    with world() as (sandbox, assay, service, there, person):
        refused = there.run("backup", "copy", "--server", service.api, "--json", status=2).failure
        assert "--server" in refused["message"], refused


if __name__ == "__main__":
    tap.main(globals())
