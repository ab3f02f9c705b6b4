#!/usr/bin/env python3
"""The API of assay serve, from connecting to scores, each reply held against the server's own OpenAPI document."""

import contextlib
import json
import signal
import socket

import tap
from api_client import Api
from assay_client import Assay, until
from sandbox_client import TOKEN, Sandbox
from serve_client import TINY, Service, define

PLANTED = "Planted-Secret-7d1f"


def token(assay, role, *arguments):
    return assay.ask("tokens", "create", role, "--role", role, *arguments)["token"]


@contextlib.contextmanager
def world(*arguments, repos=3, env=None, **options):
    """A sandbox, an installation with a connected integration, and its API as an owner who is also the operator."""
    with Sandbox("--repos", str(repos), "--limit", "0", **options) as sandbox, Assay(sandbox) as assay:
        assay.run("init", status=0)
        with Service(assay, "--role", "all", "--workers", "2", *arguments, env=env) as service:
            yield sandbox, assay, service, Api(service.api, token(assay, "owner", "--operator"))


def connect_request(sandbox, name="acme", **changes):
    return {"integrationType": "github", "name": name, "credentials": {"type": "pat", "accessToken": TOKEN},
            "settings": {"organization": "acme", "apiUrl": sandbox.url, "allowPrivate": True}, **changes}


def ended(api, job):
    def look():
        now = api.get(f"/api/jobs/{job}").json
        return now if now["completedAt"] else None
    return until(look, f"the end of job {job}")


def test_from_connecting_to_scores_every_reply_is_as_described():
    with world() as (sandbox, assay, service, api):
        api.get("/healthz"), api.get("/readyz"), api.get("/metrics"), api.get("/api/docs")
        providers = api.get("/api/providers").json["providers"]
        assert {"aws", "github"} <= {provider["id"] for provider in providers}
        assert "auth" in api.get("/api/providers/github").json
        connected = api.post("/api/integrations/connect", connect_request(sandbox), status=201).json
        assert connected["success"] and connected["status"] == "connected" and connected["user"]
        integration = connected["id"]
        job = ended(api, connected["jobId"])
        assert job["status"] == "completed" and job["result"]["evidenceCollected"] == len(job["evidenceTypes"]), job
        row = api.get(f"/api/integrations/{integration}").json
        assert row["lastSyncResult"]["evidenceCollected"] == job["result"]["evidenceCollected"]
        assert api.get("/api/integrations?status=active").json["integrations"] == [row]
        assert api.get("/api/integrations/list?companyId=default").json["integrations"] == [row]
        evidence = api.get("/api/evidence").json["evidence"]
        assert {item["evidenceType"] for item in evidence} == set(job["evidenceTypes"])
        for item in evidence:
            whole = api.get(f"/api/evidence/{item['id']}").json
            assert assay.show(item["id"])["data"] == whole["data"]
        assert api.get("/api/findings?state=all").json["findings"]
        frameworks = [row["id"] for row in api.get("/api/frameworks").json["frameworks"]]
        for framework in frameworks:
            api.get(f"/api/controls?framework={framework}")
            api.get(f"/api/scores?framework={framework}")
        assert api.get("/api/controls/CC8.1?framework=soc2").json["framework"] == "soc2"
        api.get("/api/controls/soc2:CC8.1")
        assert api.get("/api/scores").json["scores"]
        schedules = api.get("/api/schedules").json["schedules"]
        assert integration in [row["id"] for row in schedules]
        api.get(f"/api/schedules/{integration}")
        api.patch(f"/api/schedules/{integration}", {"every": "6h"})
        names = [row["name"] for row in api.get("/api/configuration").json["settings"]]
        assert "listen" in names
        tested = api.post(f"/api/integrations/{integration}/test").json
        assert tested["success"] and tested["user"] == connected["user"]
        api.patch(f"/api/integrations/{integration}", {"status": "paused"})
        api.post(f"/api/integrations/{integration}/sync", status=409)
        api.patch(f"/api/integrations/{integration}", {"status": "connected", "name": "renamed"})
        queued = api.post(f"/api/integrations/{integration}/sync", {"evidenceTypes": ["branch_protection"]}, status=202)
        assert ended(api, queued.json["jobId"])["result"]["evidenceCollected"] == 1
        assert api.get("/api/jobs?status=completed").json["jobs"][0]["id"] == queued.json["jobId"]
        assert api.delete(f"/api/integrations/{integration}").json["status"] == "disconnected"
        api.post(f"/api/integrations/{integration}/test", status=409)


def test_evidence_for_one_control_is_collected_while_one_waits():
    with world() as (sandbox, assay, service, api):
        connected = api.post("/api/integrations/connect", connect_request(sandbox), status=201).json
        ended(api, connected["jobId"])
        before = {item["id"] for item in api.get("/api/evidence").json["evidence"]}
        reply = api.post("/api/integrations/collect-evidence", {"companyId": "default", "controlId": "soc2:CC8.1"}).json
        made = [item for item in api.get("/api/evidence?control=soc2:CC8.1").json["evidence"] if item["id"] not in before]
        assert reply["evidenceCount"] == len(made) > 0 and reply["errors"] == [], reply
        assert {item["jobId"] for item in made} == set(reply["jobs"])
        control = api.get("/api/controls/soc2:CC8.1").json
        assert (control["status"], control["confidence"]) == (reply["complianceStatus"], reply["control"]["confidence"])
        assert 0 < reply["confidence"] <= 1
        unserved = api.get("/api/controls?framework=soc2&status=manual").json["controls"][0]["id"]
        nothing = api.post("/api/integrations/collect-evidence", {"controlId": f"soc2:{unserved}"}).json
        assert (nothing["evidenceCount"], nothing["complianceStatus"], nothing["jobs"]) == (0, "manual", [])
        item = made[0]["id"]
        reviewed = api.post(f"/api/evidence/{item}/review", {"state": "approved", "comment": "as agreed"}).json
        assert (reviewed["reviewState"], reviewed["reviewedBy"], reviewed["reviewComment"]) == ("approved", "owner", "as agreed")
        assert assay.show(item)["reviewedAt"] == reviewed["reviewedAt"]
        api.ask("PUT", "/api/controls/CC8.1/exception?framework=soc2", {"reason": "being moved"})
        assert api.get("/api/controls/soc2:CC8.1").json["status"] == "exception"
        api.ask("DELETE", "/api/controls/CC8.1/exception?framework=soc2")
        assert api.get("/api/controls/soc2:CC8.1").json["status"] == reply["complianceStatus"]


def test_findings_and_results_follow_the_mapping_of_the_organization():
    added = {"provider": "github", "check": "branch_protection.review_required"}
    with world() as (sandbox, assay, service, api):
        integration = api.post("/api/integrations/connect", connect_request(sandbox), status=201).json

        def updated():
            queued = api.post(f"/api/integrations/{integration['id']}/sync", {"evidenceTypes": ["branch_protection"]}, status=202)
            return ended(api, queued.json["jobId"])["result"]["controlsUpdated"]

        def named():
            page = api.get(f"/api/findings?check={added['check']}").json["findings"]
            assert page and all(one["controls"] == page[0]["controls"] for one in page), page
            assert assay.ask("findings", "--check", added["check"])["findings"] == page
            return page[0]["controls"]

        ended(api, integration["jobId"])
        before, controls = updated(), named()
        assert "CC1.5" not in controls["soc2"] and "CC8.1" in controls["soc2"], controls
        api.ask("PUT", "/api/controls/soc2:CC1.5/mapping", {"add": [added], "reason": "ours"})
        api.ask("PUT", "/api/controls/soc2:CC8.1/mapping", {"remove": [added], "reason": "ours"})
        assert set(named()["soc2"]) == set(controls["soc2"]) - {"CC8.1"} | {"CC1.5"}
        assert updated() == before + 1  # other checks of the same evidence speak for CC8.1
        assert api.get("/api/evidence?control=soc2:CC1.5").json["evidence"]
        api.ask("DELETE", "/api/controls/soc2:CC1.5/mapping")
        api.ask("DELETE", "/api/controls/soc2:CC8.1/mapping")
        assert (updated(), named()) == (before, controls)


def test_a_purge_leaves_the_hashes_only():
    with world() as (sandbox, assay, service, api):
        one = api.post("/api/integrations/connect", connect_request(sandbox), status=201).json
        two = api.post("/api/integrations/connect", connect_request(sandbox, name="second"), status=201).json
        first, second = ended(api, one["jobId"])["result"], ended(api, two["jobId"])["result"]
        gone = api.delete(f"/api/integrations/{one['id']}?purge=true").json
        assert gone["status"] == "purged" and gone["removed"]["evidence"] == first["evidenceCollected"], gone
        assert gone["removed"]["jobs"] == 1 and gone["removed"]["findings"] > 0
        api.get(f"/api/integrations/{one['id']}", status=404)
        api.get(f"/api/jobs/{one['jobId']}", status=404)
        left = api.get("/api/evidence").json["evidence"]
        assert {item["integrationId"] for item in left} == {two["id"]} and len(left) == second["evidenceCollected"]
        for item in left:
            assert api.get(f"/api/evidence/{item['id']}").json["data"] is not None
        assert {row["integrationId"] for row in api.get("/api/findings?state=all").json["findings"]} == {two["id"]}
        assert api.get("/api/audit?action=integration.purge").json["audit"][0]["target"]["id"] == one["id"]
        api.post("/api/integrations/connect", connect_request(sandbox), status=201)


def test_the_command_line_and_the_api_show_the_same_objects():
    with world() as (sandbox, assay, service, api):
        connected = api.post("/api/integrations/connect", connect_request(sandbox), status=201).json
        ended(api, connected["jobId"])
        assert assay.integrations() == api.get("/api/integrations").json["integrations"]
        assert assay.findings() == api.get("/api/findings?state=all&limit=1000").json["findings"]
        assert assay.controls() == {name: value for name, value in
                                    api.get("/api/controls?framework=soc2").json.items() if name != "nextCursor"}
        stable = [{name: value for name, value in item.items() if not name.startswith("quality")}
                  for item in api.get("/api/evidence").json["evidence"]]
        assert stable == [{name: value for name, value in item.items() if not name.startswith("quality")}
                          for item in assay.evidence()]


def test_connect_takes_all_shapes_that_are_accepted():
    shapes = [
        {"credentials": {"accessToken": TOKEN}},
        {"credentials": {"access_token": TOKEN}},
        {"auth": "pat", "credentials": {"accessToken": TOKEN}},
        {"auth": "bearer", "credentials": {"accessToken": TOKEN}},
        {"credentials": {"type": "pat", "accessToken": TOKEN}},
    ]
    with world() as (sandbox, assay, service, api):
        settings = {"organization": "acme", "api_url": sandbox.url, "allow_private": "true"}
        for number, shape in enumerate(shapes):
            request = {"integrationType": "github", "name": f"shape-{number}", "settings": settings, **shape}
            api.post("/api/integrations/connect", request, status=201)
        moved = {"companyId": "default", "integration_type": "github", "name": "moved",
                 "credentials": {"accessToken": TOKEN, "organization": "acme", "apiUrl": sandbox.url,
                                 "allowPrivate": True}}
        api.post("/api/integrations/connect", moved, status=201)
        assert len(api.get("/api/integrations").json["integrations"]) == 6


def test_a_refused_credential_is_told_and_stored_nowhere():
    with world() as (sandbox, assay, service, api):
        request = connect_request(sandbox, credentials={"accessToken": PLANTED})
        refused = api.post("/api/integrations/connect", request, status=422)
        assert refused.json["title"] == "Invalid GitHub credentials"
        assert refused.json["code"] == "AUTHENTICATION_FAILED" and refused.json["retryable"] is False
        assert api.get("/api/integrations").json["integrations"] == []
        sandbox.fault(match="/user", kind="status", status=500, times=50)
        down = api.post("/api/integrations/connect", request, status=502)
        assert down.json["code"] == "SERVICE_UNAVAILABLE" and down.json["retryable"] is True
        sandbox.clear()
        good = connect_request(sandbox)
        identity = api.post("/api/integrations/connect", good, status=201).json["id"]
        ended(api, api.get("/api/jobs").json["jobs"][0]["id"])
        sandbox.fault(match="/*", kind="status", status=401, times=1000)
        api.post(f"/api/integrations/{identity}/test", status=422)
        assert api.get(f"/api/integrations/{identity}").json["status"] == "reconnect_needed"
        sandbox.clear()
        assert api.post(f"/api/integrations/{identity}/test").json["status"] == "connected"
        assert api.get(f"/api/integrations/{identity}").json["status"] == "connected"
        said = b"".join(path.read_bytes() for path in assay.data.rglob("*") if path.is_file())
        assert PLANTED.encode() not in said and TOKEN.encode() not in said


def test_whoever_may_not_name_hosts_cannot_send_a_credential_anywhere():
    with world() as (sandbox, assay, service, api):
        owner = api.as_(token(assay, "admin"))
        refused = owner.post("/api/integrations/connect", connect_request(sandbox), status=403)
        assert "operator" in refused.json["detail"]
        for role in ("auditor", "member"):
            api.as_(token(assay, role)).post("/api/integrations/connect", connect_request(sandbox), status=403)
        assert sandbox.counts() == {}


def test_events_tell_of_a_run_and_can_be_resumed():
    with world(repos=5) as (sandbox, assay, service, api):
        connected = api.post("/api/integrations/connect", connect_request(sandbox), status=201).json
        path = f"/api/jobs/{connected['jobId']}/events"
        events = list(api.events(path))
        kinds = [kind for kind, identity, data in events]
        assert kinds[0] == "progress" and kinds[-1] == "done", kinds
        seen = [identity for kind, identity, data in events if kind == "evidence"]
        assert sorted(seen) == sorted(item["id"] for item in api.get("/api/evidence").json["evidence"])
        assert events[-1][2]["result"]["evidenceCollected"] == len(seen)
        findings = {(row["check"], row["resource"]) for row in api.get("/api/findings").json["findings"]}
        assert {(data["check"], data["resource"]) for kind, _, data in events if kind == "finding"} == findings
        again = [identity for kind, identity, data in api.events(path, last=seen[1]) if kind == "evidence"]
        assert again == seen[2:]


def test_a_run_is_called_off():
    with world() as (sandbox, assay, service, api):
        define(assay, "tiny", TINY)
        with Service(assay, "--role", "api") as other:
            api = Api(other.api, api.token)
            sandbox.fault(match="/repos/acme/*", kind="hold")
            request = connect_request(sandbox, integrationType="tiny", credentials={"accessToken": TOKEN})
            job = api.post("/api/integrations/connect", request, status=201).json["jobId"]
            sandbox.wait(held=1)
            answer = api.send("POST", f"/api/jobs/{job}/cancel")
            assert answer.status == 202, answer
            api.description.check("POST", f"/api/jobs/{job}/cancel", answer)
            assert ended(api, job)["status"] == "cancelled"
            sandbox.control("POST", "release", {})


def test_a_write_that_is_sent_again_is_answered_again():
    with world() as (sandbox, assay, service, api):
        key = {"Idempotency-Key": "3f0c2c6e"}
        once = api.post("/api/integrations/connect", connect_request(sandbox), status=201, headers=key)
        again = api.post("/api/integrations/connect", connect_request(sandbox), status=201, headers=key)
        assert once.body == again.body and again.headers["idempotent-replayed"] == "true"
        other = api.post("/api/integrations/connect", connect_request(sandbox, name="b"), status=422, headers=key)
        assert other.json["type"] == "urn:assay:problem:refused"
        assert len(api.get("/api/integrations").json["integrations"]) == 1


def test_what_is_not_described_is_a_problem_document():
    with world() as (sandbox, assay, service, api):
        api.get("/nothing", status=404)
        api.ask("PUT", "/api/jobs", {}, status=405)
        api.get("/api/jobs?colour=red", status=400)
        api.get("/api/integrations/01890000-0000-7000-8000-000000000000", status=404)
        api.post("/api/integrations/connect", {"surprise": 1}, status=400)
        nobody = api.as_(None)
        for path, methods in api.description.document["paths"].items():
            for method, operation in methods.items():
                if operation.get("security") == [] or "{" in path:
                    continue
                status = nobody.send(method.upper(), path, {} if method in ("post", "put", "patch") else None).status
                assert status == 401, (method, path, status)


def test_what_takes_too_long_goes_on_as_a_job():
    with world(env={"ASSAY_TEST_PATIENCE_MS": "50"}) as (sandbox, assay, service, api):
        sandbox.fault(match="/user", kind="hold")
        later = api.post("/api/integrations/connect", connect_request(sandbox), status=202)
        job = f"/api/jobs/{later.json['jobId']}"
        assert later.headers["location"] == job and later.json["events"] == f"{job}/events"
        sandbox.wait(held=1)
        assert api.get(job).json["status"] == "running" and api.get(job).json["kind"] == "connect"
        api.post(f"{job}/cancel", status=409)
        stranger = assay.ask("tokens", "create", "other", "--role", "owner", "--organization", "default")["token"]
        assert api.as_(stranger).get(job).json["id"] == later.json["jobId"]
        sandbox.control("POST", "release", {})
        events = list(api.events(later.json["events"]))
        assert events[-1][0] == "done" and events[-1][2]["result"]["success"], events
        integration = api.get(f"/api/integrations/{events[-1][2]['result']['id']}").json
        assert integration["status"] == "connected" and api.get(job).json["status"] == "completed"
        sandbox.clear()
        sandbox.fault(match="/user", kind="hold")
        refused = api.post("/api/integrations/connect",
                           connect_request(sandbox, "b", credentials={"accessToken": PLANTED}), status=202).json
        sandbox.wait(held=1)
        sandbox.control("POST", "release", {})
        ended_badly = ended(api, refused["jobId"])
        assert ended_badly["status"] == "failed" and ended_badly["error"]["code"] == "AUTHENTICATION_FAILED"


def test_the_server_stops_while_it_is_asked():
    with world() as (sandbox, assay, service, api):
        place = (api.place.hostname, api.place.port)
        idle = [socket.create_connection(place) for _ in range(20)]
        for connection in idle[:10]:
            connection.sendall(b"POST /api/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        sandbox.fault(match="/user", kind="hold")
        waiting = socket.create_connection(place)
        body = json.dumps(connect_request(sandbox)).encode()
        waiting.sendall(b"POST /api/integrations/connect HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                        b"Authorization: Bearer " + api.token.encode() + b"\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(body) + body)
        sandbox.wait(held=1)
        service.process.send_signal(signal.SIGTERM)
        assert waiting.recv(100).startswith(b"HTTP/1.1 503 ")
        until(lambda: service.process.poll() is not None, "the end of the service, whatever the provider does")
        assert service.process.returncode == 0
        sandbox.control("POST", "release", {})
        for connection in [*idle, waiting]:
            connection.close()


if __name__ == "__main__":
    tap.main(globals())
