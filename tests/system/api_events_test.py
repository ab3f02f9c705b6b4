#!/usr/bin/env python3
"""What happens is told to those who watch, whichever process does it, and what was sent to services is counted."""

import http.client
import json
import re
import urllib.parse

import tap
from api_client import Api
from api_test import connect_request, ended, token, world
from assay_client import Assay
from sandbox_client import TIMEOUT, Sandbox
from serve_client import Service


class Watcher:
    """An open stream of GET /api/events."""

    def __init__(self, service, secret, last_event=None):
        place = urllib.parse.urlsplit(service.api)
        self.connection = http.client.HTTPConnection(place.hostname, place.port, timeout=TIMEOUT)
        headers = {"Authorization": f"Bearer {secret}", **({"Last-Event-ID": last_event} if last_event else {})}
        self.connection.request("GET", "/api/events", headers=headers)
        self.reply = self.connection.getresponse()
        assert self.reply.status == 200, self.reply.read()
        self.last_event = last_event
        self.name, self.data = self.next()
        assert self.name == "ready", (self.name, self.data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reply.close()
        self.connection.close()

    def next(self):
        """The next event; comments are passed over."""
        event = {}
        while True:
            line = self.reply.readline().decode()
            assert line, "the stream has ended"
            line = line.rstrip("\n")
            if line == "" and event:
                self.last_event = event["id"]
                return event["event"], json.loads(event["data"])
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = value

    def until_done(self, job):
        """All events up to the end of a job, as (name, data)."""
        seen = []
        while True:
            name, data = self.next()
            seen.append((name, data))
            if name == "done" and data["jobId"] == job:
                return seen


def named(events, name):
    return [data for event, data in events if event == name]


def calls(api):
    """(provider, outcome) -> requests that were sent."""
    text = api.get("/metrics").body.decode()
    found = re.findall(r'^assay_provider_calls_total\{provider="([^"]*)",outcome="([^"]*)"\} (\d+)$', text, re.M)
    return {(provider, outcome): int(count) for provider, outcome, count in found}


def test_a_sync_is_told_from_its_queueing_to_its_end():
    with world() as (sandbox, assay, service, api):
        secret = token(assay, "auditor")
        with Watcher(service, secret) as watcher:
            connected = api.post("/api/integrations/connect", connect_request(sandbox), status=201).json
            events = watcher.until_done(connected["jobId"])
            job = ended(api, connected["jobId"])
            assert all(data["integrationId"] == connected["id"] for _, data in events if "integrationId" in data), events
            statuses = [data["status"] for data in named(events, "progress")]
            assert statuses[0] == "pending" and "running" in statuses, statuses
            items = {item["id"] for item in api.get("/api/evidence").json["evidence"]}
            assert {data["id"] for data in named(events, "evidence")} == items
            findings = api.get("/api/findings?limit=1000").json["findings"]
            told = {(data["check"], data["resource"]) for data in named(events, "finding")}
            assert told == {(row["check"], row["resource"]) for row in findings} and told
            assert events[-1][1]["result"] == job["result"]
            assert watcher.last_event
            api.patch(f"/api/integrations/{connected['id']}", {"status": "paused"})
            while (event := watcher.next())[0] != "integration" or event[1]["status"] != "paused":
                assert event[0] in ("integration", "schedule", "progress"), event


def test_whoever_was_away_is_told_what_another_process_did():
    with Sandbox("--repos", "3", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        assay.run("init", status=0)
        assay.connect()
        secret = token(assay, "member")
        with Service(assay, "--role", "api") as service:
            with Watcher(service, secret) as watcher:
                last = watcher.last_event
            result = assay.sync().json
            with Watcher(service, secret, last) as watcher:
                assert watcher.data["missed"] == [], watcher.data
                seen = []
                while not seen or seen[-1][0] != "done":
                    seen.append(watcher.next())
                assert len(named(seen, "evidence")) == result["evidenceCollected"], seen
                again = assay.sync().json
                while not seen or seen[-1][0] != "done" or len(named(seen, "done")) < 2:
                    seen.append(watcher.next())
                assert len(named(seen, "evidence")) == result["evidenceCollected"] + again["evidenceCollected"]


def test_a_stream_ends_when_its_token_is_revoked():
    with world() as (sandbox, assay, service, api):
        made = api.post("/api/tokens", {"name": "watcher", "role": "member"}, status=201).json
        with Watcher(service, made["token"]) as watcher:
            api.delete(f"/api/tokens/{made['tokenInfo']['id']}")
            assert watcher.next() == ("end", {"reason": "revoked"})
            assert watcher.reply.read() == b""


def test_requests_to_services_are_counted_over_processes_and_restarts():
    with Sandbox("--repos", "3", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        assay.run("init", status=0)
        assay.connect()
        operator = token(assay, "owner", "--operator")
        before = sum(sandbox.counts().values())
        assay.sync()
        sent = sum(sandbox.counts().values()) - before
        with Service(assay, "--role", "api") as service:
            first = calls(Api(service.api, operator))
            assert first[("github", "ok")] > 0 and {provider for provider, _ in first} == {"github"}, first
            assert sum(first.values()) == sent, (first, sent)
        sandbox.fault(match="/repos/*/branches/*", kind="status", status=403, times=1)
        with Service(assay, "--role", "all", "--workers", "2") as service:
            api = Api(service.api, operator)
            integration = api.get("/api/integrations").json["integrations"][0]["id"]
            queued = api.post(f"/api/integrations/{integration}/sync", {}, status=202).json
            ended(api, queued["jobId"])
            second = calls(api)
            assert second[("github", "ok")] > first[("github", "ok")], (first, second)
            assert set(second) >= set(first)


if __name__ == "__main__":
    tap.main(globals())
