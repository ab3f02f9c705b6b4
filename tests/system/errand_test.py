#!/usr/bin/env python3
"""Tests of connections with several API processes and several organizations: known everywhere, fair, done once."""

import contextlib
import concurrent.futures

import tap
from api_client import Api
from api_test import connect_request, ended, token
from assay_client import Assay
from sandbox_client import Sandbox
from serve_client import Clock, Service

HASTY = {"ASSAY_TEST_PATIENCE_MS": "50"}
MANY = 8
RUNNING_OF_ONE, WAITING_OF_ONE = 2, 16
LOST = "The server ended before the test did"


@contextlib.contextmanager
def place():
    """An installation with two organizations."""
    with Sandbox("--repos", "3", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        assay.run("init", status=0)
        assay.run("init", "--organization", "other", status=0)
        yield sandbox, assay


def api_of(service, assay, *arguments):
    return Api(service.api, token(assay, "owner", "--operator", *arguments))  # whose own the sandbox's address is


def serve(assay, env=None):
    return Service(assay, "--role", "api", env=env)


def begin(api, sandbox, name="acme", held=1):
    """A connect that the service holds: its job."""
    sandbox.fault(match="/user", kind="hold")
    job = api.post("/api/integrations/connect", connect_request(sandbox, name), status=202).json["jobId"]
    sandbox.wait(held=held)
    return job


def release(sandbox):
    sandbox.clear()
    sandbox.control("POST", "release", {})


def test_what_was_begun_in_one_process_is_known_in_another():
    with place() as (sandbox, assay), serve(assay, HASTY) as first, serve(assay, HASTY) as second:
        api, elsewhere = api_of(first, assay, "--organization", "default"), api_of(second, assay, "--organization", "default")
        stranger = elsewhere.as_(token(assay, "owner", "--organization", "other"))
        job = begin(api, sandbox)
        path = f"/api/jobs/{job}"
        assert elsewhere.get(path).json == api.get(path).json
        assert elsewhere.get(path).json["status"] == "running"
        stranger.get(path, status=404)
        assert stranger.send("GET", f"{path}/events").status == 404
        elsewhere.post(f"{path}/cancel", status=409)
        elsewhere.post(f"{path}/retry", status=409)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            watched = pool.submit(lambda: list(elsewhere.events(f"{path}/events")))
            release(sandbox)
            events = watched.result()
        assert events[-1][0] == "done" and events[-1][2]["result"]["success"], events
        done = elsewhere.get(path).json
        assert done["status"] == "completed" and done["result"]["name"] == "acme", done
        assert api.get(path).json == done


def test_what_was_announced_outlives_its_process():
    with place() as (sandbox, assay):
        with serve(assay, HASTY) as first:
            job = begin(api_of(first, assay, "--organization", "default"), sandbox)
            release(sandbox)
            done = ended(api_of(first, assay, "--organization", "default"), job)
        with serve(assay) as second:
            api = api_of(second, assay, "--organization", "default")
            assert api.get(f"/api/jobs/{job}").json == done
            assert list(api.events(f"/api/jobs/{job}/events"))[-1][2] == done


def test_roles_hold_in_every_process():
    with place() as (sandbox, assay), serve(assay, HASTY) as first, serve(assay, HASTY) as second:
        api = api_of(first, assay, "--organization", "default")
        elsewhere = api_of(second, assay, "--organization", "default")
        one, two = (connected(api, sandbox, name) for name in ("one", "two"))
        scanner = elsewhere.as_(token(assay, "scanner", "--organization", "default", "--integration", one))
        past = elsewhere.as_(token(assay, "auditor", "--organization", "default", "--from", "2020-01-01", "--until", "2020-02-01"))
        for integration, seen in ((one, 200), (two, 404)):
            sandbox.fault(match="/user", kind="hold")
            job = api.post(f"/api/integrations/{integration}/test", status=202).json["jobId"]
            sandbox.wait(held=1)
            scanner.get(f"/api/jobs/{job}", status=seen)
            past.get(f"/api/jobs/{job}", status=404)
            release(sandbox)
            ended(elsewhere, job)
            scanner.get(f"/api/jobs/{job}", status=seen)
            past.get(f"/api/jobs/{job}", status=404)


def connected(api, sandbox, name):
    reply = api.send("POST", "/api/integrations/connect", connect_request(sandbox, name))
    assert reply.status in (201, 202), reply
    return reply.json["id"] if reply.status == 201 else ended(api, reply.json["jobId"])["result"]["id"]


def test_a_process_that_was_killed_leaves_a_failure():
    with place() as (sandbox, assay):
        clock = Clock(assay.home)
        env = {**HASTY, **clock.environment}
        with serve(assay, env) as first, serve(assay, env) as second:
            api = api_of(second, assay, "--organization", "default")
            job = begin(api_of(first, assay, "--organization", "default"), sandbox)
            first.kill()
            assert api.get(f"/api/jobs/{job}").json["status"] == "running"
            clock.let_pass(5 * 60 * 1000)
            lost = api.get(f"/api/jobs/{job}").json
            assert lost["status"] == "failed" and lost["completedAt"] and lost["error"]["message"].startswith(LOST), lost
            assert lost["error"]["retryable"] is True
            assert list(api.events(f"/api/jobs/{job}/events"))[-1][2] == lost
            assert api.get("/api/integrations").json["integrations"] == []
            release(sandbox)


def test_a_process_that_is_stopped_says_so_at_once():
    with place() as (sandbox, assay), serve(assay, HASTY) as first, serve(assay, HASTY) as second:
        api = api_of(second, assay, "--organization", "default")
        own = api_of(first, assay, "--organization", "default")
        held = [begin(own, sandbox, name, held + 1) for held, name in enumerate(("one", "two"))]
        waiting = own.post("/api/integrations/connect", connect_request(sandbox, "three"), status=202).json["jobId"]
        own.connection.close()
        first.stop()
        for job in (*held, waiting):
            lost = api.get(f"/api/jobs/{job}").json
            assert lost["status"] == "failed" and lost["error"]["message"].startswith(LOST), lost
        assert api.get("/api/integrations").json["integrations"] == []
        release(sandbox)


def test_what_hangs_in_one_organization_holds_up_no_other():
    with place() as (sandbox, assay), serve(assay) as service:
        api = api_of(service, assay, "--organization", "default")
        other = api_of(service, assay, "--organization", "other")
        sandbox.fault(match="/user", kind="hold", times=RUNNING_OF_ONE)
        with concurrent.futures.ThreadPoolExecutor(RUNNING_OF_ONE + 1) as pool:
            hanging = [pool.submit(connect_as, api, sandbox, f"hanging-{number}") for number in range(RUNNING_OF_ONE)]
            sandbox.wait(held=RUNNING_OF_ONE)
            late = pool.submit(connect_as, api, sandbox, "late")
            reply = other.post("/api/integrations/connect", connect_request(sandbox), status=201).json
            assert reply["status"] == "connected"
            assert not any(one.done() and one.result().status == 201 for one in (*hanging, late))
            release(sandbox)
            for one in (*hanging, late):
                answer = one.result()
                assert answer.status in (201, 202), answer
                assert answer.status == 201 or ended(api, answer.json["jobId"])["status"] == "completed"


def connect_as(api, sandbox, name):
    """On a connection of its own."""
    return api.as_(api.token).send("POST", "/api/integrations/connect", connect_request(sandbox, name))


def test_an_organization_with_too_many_is_told_to_wait():
    with place() as (sandbox, assay), serve(assay, HASTY) as service:
        api = api_of(service, assay, "--organization", "default")
        other = api_of(service, assay, "--organization", "other")
        jobs = [begin(api, sandbox, f"held-{number}", number + 1) for number in range(RUNNING_OF_ONE)]
        for number in range(WAITING_OF_ONE):
            body = connect_request(sandbox, f"waiting-{number}")
            jobs.append(api.post("/api/integrations/connect", body, status=202).json["jobId"])
        refused = api.post("/api/integrations/connect", connect_request(sandbox, "much"), status=429)
        assert int(refused.headers["retry-after"]) > 0 and refused.json["code"] == "RATE_LIMITED", refused
        other.post("/api/integrations/connect", connect_request(sandbox), status=202)
        release(sandbox)
        assert {ended(api, job)["status"] for job in jobs} == {"completed"}
        assert len(api.get("/api/integrations").json["integrations"]) == len(jobs)


def test_of_many_who_connect_one_name_one_does():
    with place() as (sandbox, assay), serve(assay) as first, serve(assay) as second:
        apis = [api_of(service, assay, "--organization", "default") for service in (first, second)]
        with concurrent.futures.ThreadPoolExecutor(MANY) as pool:
            tried = [pool.submit(connect_as, apis[number % 2], sandbox, "acme") for number in range(MANY)]
            results = [end_of(apis[number % 2], one.result()) for number, one in enumerate(tried)]
        assert sorted(results) == [201] + [409] * (MANY - 1), results
        integrations = apis[0].get("/api/integrations").json["integrations"]
        assert len(integrations) == 1 and integrations[0]["status"] == "connected", integrations
        made = apis[0].get("/api/audit?action=integration.connect").json["audit"]
        assert [row["result"] for row in made].count("ok") == 1, made


def end_of(api, answer):
    """The status that a connect would have had with more patience."""
    if answer.status != 202:
        return answer.status
    return 201 if ended(api, answer.json["jobId"])["status"] == "completed" else 409


if __name__ == "__main__":
    tap.main(globals())
