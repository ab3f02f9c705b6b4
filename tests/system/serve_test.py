#!/usr/bin/env python3
"""assay serve: workers under a supervisor claim what is due, die without harm, drain, and share with the command line."""

import contextlib
import json
import os
import signal
import urllib.error
import urllib.request

import tap
from assay_client import Assay, is_gone, kill, until
from kill_test import await_following
from sandbox_client import TIMEOUT, Sandbox
from serve_client import TINY, Clock, Service, begin_of, define, queue, status_of, statuses


HOUR = 3600_000


def world(repos=3):
    return Sandbox("--repos", str(repos), "--limit", "0")


def connected(sandbox, assay, *names, provider="tiny"):
    """Integrations that have been synced once, so that there is a job to copy."""
    if provider != "github":
        define(assay, provider)
    for name in names or ("acme",):
        assay.connect(name, provider)
        assay.sync(name=name)
    sandbox.control("POST", "reset")


def completed(assay, count):
    until(lambda: statuses(assay).get("completed", 0) >= count, f"{count} completed jobs")


def expect_once(assay, jobs):
    """Each of these jobs has ended well, with evidence of its type exactly once."""
    for job in jobs:
        assert status_of(assay, job) == "completed", job
        assert assay.value("select count(*) from evidence where job_id = ?", job) == 1


def expect_called_once(sandbox):
    again = {line: count for line, count in sandbox.counts().items() if count > 1}
    assert again == {}, again


def test_what_is_due_is_run_by_workers_that_start_when_they_are_needed():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay)
        with Service(assay, "--workers", "3") as service:
            ready = {"ready": True, "role": "worker", "workers": 3, "pid": service.process.pid, "data": str(assay.data)}
            assert ready.items() <= service.ready.items(), service.ready
            assert service.workers() == []
            jobs = queue(assay)
            ended = service.wait(event="job_ended", job=jobs[0])
            assert ended["outcome"] == "completed" and ended["collected"] == 1 and ended["errors"] == 0
            assert len(service.workers()) == 1
            expect_once(assay, jobs)
            expect_called_once(sandbox)


def test_one_process_answers_and_works():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay)
        with Service(assay, "--role", "all", "--listen", "127.0.0.1:0") as service:
            job = queue(assay)[0]
            service.wait(event="job_ended", job=job, outcome="completed")
            with urllib.request.urlopen(f"{service.ready['api']}/healthz", timeout=TIMEOUT) as reply:
                assert reply.status == 200


def test_what_was_queued_before_the_start_is_run():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay)
        jobs = queue(assay, count=5)
        with Service(assay, "--role", "worker", "--workers", "2"):
            completed(assay, 6)
        expect_once(assay, jobs)
        expect_called_once(sandbox)


def test_jobs_of_several_integrations_run_at_the_same_time():
    names = [f"acme-{number}" for number in range(3)]
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay, *names)
        sandbox.control("POST", "hold", {"match": "/orgs/*"})
        with Service(assay, "--workers", "3") as service:
            jobs = [queue(assay, name)[0] for name in names]
            sandbox.wait(held=3)
            assert len(service.workers()) == 3
            sandbox.clear()
            completed(assay, 6)
        expect_once(assay, jobs)


def test_a_job_that_is_due_later_is_run_then():
    with world() as sandbox, Assay(sandbox) as assay:
        clock = Clock(assay.home)
        assay.environment.update(clock.environment)
        connected(sandbox, assay)
        with Service(assay) as service:
            later = queue(assay, due_in_ms=HOUR)[0]
            soon = queue(assay)[0]
            service.wait(event="job_ended", job=soon)
            assert status_of(assay, later) == "pending"
            clock.let_pass(HOUR)
            service.wait(event="job_ended", job=later)
        expect_once(assay, [soon, later])


def test_drain_lets_running_jobs_end_and_takes_no_others():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay, "one", "two")
        sandbox.control("POST", "hold", {"match": "/orgs/*"})
        with Service(assay, "--workers", "1") as service:
            first = queue(assay, "one")[0]
            sandbox.wait(held=1)
            second = queue(assay, "two")[0]
            service.signal(signal.SIGTERM)
            service.wait(event="serve_phase", phase="draining")
            sandbox.clear()
            service.end()
        assert status_of(assay, second) == "pending"
        expect_once(assay, [first])
        with Service(assay):
            completed(assay, 4)
        expect_called_once(sandbox)


def test_what_does_not_end_within_the_grace_goes_on_with_the_next_start():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay)
        sandbox.control("POST", "hold", {"match": "/repos/acme/repo-2*"})
        with Service(assay, "--grace", "100ms") as service:
            job = queue(assay)[0]
            sandbox.wait(held=1)
            until(lambda: assay.value("select coalesce(sum(entries), 0) from journal where job_id = ?", job) >= 3,
                  "the journal to hold what was answered")
            service.signal(signal.SIGTERM)
            service.end()
            assert service.events(event="serve_phase", phase="interrupting")
            assert service.events(event="job_ended", outcome="released")
        row = assay.rows("select status, lease_owner, attempt from job where id = ?", job)[0]
        assert row == {"status": "parked", "lease_owner": "", "attempt": 0}, row
        sandbox.clear()
        with Service(assay):
            completed(assay, 2)
        expect_once(assay, [job])
        again = {line for line, count in sandbox.counts().items() if count > 1}
        assert all("repo-2" in line for line in again), again


def test_second_signal_ends_at_once_and_leaves_no_lease():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay)
        sandbox.control("POST", "hold", {"match": "/orgs/*"})
        with Service(assay) as service:
            job = queue(assay)[0]
            sandbox.wait(held=1)
            service.signal(signal.SIGINT)
            service.wait(event="serve_phase", phase="draining")
            service.signal(signal.SIGINT)
            service.end(status=1)
        assert assay.value("select lease_owner from job where id = ?", job) == ""
        assert list((assay.data / "run").iterdir()) == [], "lock files of the dead are left"
        sandbox.clear()
        with Service(assay):
            completed(assay, 2)
        expect_once(assay, [job])


def test_terminal_interrupt_reaches_the_whole_group_and_still_drains():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay)
        sandbox.control("POST", "hold", {"match": "/orgs/*"})
        with Service(assay) as service:
            job = queue(assay)[0]
            sandbox.wait(held=1)
            for pid in (*service.workers(), service.process.pid):
                os.kill(pid, signal.SIGINT)
            service.wait(event="serve_phase", phase="draining")
            sandbox.clear()
            service.end()
        expect_once(assay, [job])


def test_killed_worker_is_replaced_and_its_job_goes_on_at_once():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay)
        sandbox.control("POST", "hold", {"match": "/repos/*"})
        with Service(assay) as service:
            job = queue(assay)[0]
            sandbox.wait(held=1)
            kill(service.workers()[0])
            died = service.wait(event="worker_died")
            assert died["job"] == job and died["attempt"] == 1
            sandbox.clear()
            service.wait(event="job_ended", job=job, outcome="completed")
        expect_once(assay, [job])


def test_killed_supervisor_leaves_its_jobs_to_another():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay, "one", "two")
        sandbox.control("POST", "hold", {"match": "/repos/*"})
        with Service(assay, "--workers", "2") as service:
            jobs = [queue(assay, name)[0] for name in ("one", "two")]
            sandbox.wait(held=2)
            with Service(assay, "--workers", "2") as other:
                service.kill()
                sandbox.clear()
                for job in jobs:
                    other.wait(event="job_ended", job=job, outcome="completed")
        expect_once(assay, jobs)


def test_job_that_kills_its_workers_fails_after_three_and_others_do_not_notice():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay, "bad", "good")
        bad = queue(assay, "bad")[0]
        sandbox.control("POST", "hold", {"match": f"/orgs/*?*job={begin_of(assay, bad)}*"})
        with Service(assay, "--workers", "2") as service:
            for deaths in range(1, 4):
                started = service.wait(deaths, event="job_started", job=bad)
                assert started["attempt"] == deaths
                kill(started["pid"])
                service.wait(deaths, event="worker_died", job=bad)
                good = queue(assay, "good")[0]
                service.wait(event="job_ended", job=good, outcome="completed")
            until(lambda: status_of(assay, bad) == "failed", "the job to be given up")
            failure = json.loads(assay.value("select error from job_result where job_id = ?", bad))
            assert failure["code"] == "INTERNAL" and "3 times" in failure["message"], failure


def test_limit_that_is_spent_parks_the_job_and_it_goes_on_by_itself():
    with Sandbox("--repos", "3", "--limit", "1000") as sandbox, Assay(sandbox) as assay:
        clock = Clock(assay.home)
        assay.environment.update(clock.environment)
        connected(sandbox, assay, provider="github")
        sandbox.fault(match="/repos/acme/repo-2/*", kind="throttle", retry_after=3000, times=1)
        with Service(assay) as service:
            job = queue(assay, "acme")[0]
            ended = service.wait(event="job_ended", job=job)
            assert ended["outcome"] == "parked", ended
            row = assay.rows("select status, due_at - ? as wait, attempt from job where id = ?", ended_ms(ended), job)[0]
            assert row["status"] == "parked" and 2_900_000 < row["wait"] < 3_100_000 and row["attempt"] == 0, row
            clock.let_pass(3_001_000)
            service.wait(2, event="job_ended", job=job)
        assert status_of(assay, job) == "completed"
        again = {line for line, count in sandbox.counts().items() if count > 1}
        assert all("repo-2" in line for line in again), again


def ended_ms(line):
    import datetime
    return int(datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp() * 1000)


def test_sync_beside_a_service_is_run_once_whoever_is_faster():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay)
        with Service(assay, "--workers", "2"):
            for _ in range(10):
                result = assay.sync("--from", "2026-11-01").json
                assert result["evidenceCollected"] == 1 and result["errors"] == [], result
        assert statuses(assay) == {"completed": 11}
        assert assay.value("select count(*) from evidence") == 11


def test_sync_waits_for_a_service_that_runs_the_job():
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay, provider="github")
        sandbox.control("POST", "hold", {"match": "/orgs/*"})
        with Service(assay) as service:
            first = assay.start_sync()
            sandbox.wait(held=1)
            kill(first.pid)  # the service goes on with what the person left behind
            first.communicate()
            job = service.wait(event="job_started")["job"]
            second = assay.start_sync(env={"ASSAY_LOG": "debug"})
            await_following(second)
            sandbox.clear()
            result = assay.finish(second, status=0).json
            assert result["jobId"] == job and result["evidenceCollected"] == 2, result
        assert assay.value("select count(*) from evidence where job_id = ?", job) == 2


def test_schedules_are_served_and_hangup_makes_new_jobs_pin_new_definitions():
    with world() as sandbox, Assay(sandbox) as assay:
        clock = Clock(assay.home)
        assay.environment.update(clock.environment)
        define(assay, "tiny")
        assay.connect("acme", "tiny")
        with Service(assay) as service:
            clock.let_pass(7 * HOUR)
            first = service.wait(event="job_ended", outcome="completed")["job"]
            define(assay, "tiny", TINY.replace("A few calls", "A few calls more"))
            old = service.workers()
            service.signal(signal.SIGHUP)
            service.wait(event="serve_reload")
            until(lambda: all(is_gone(worker) for worker in old), "the old worker to go")
            clock.let_pass(7 * HOUR)
            until(lambda: len(service.events(event="job_ended", outcome="completed")) > 1, "the next run")
            second = service.events(event="job_ended", outcome="completed")[-1]["job"]
        pinned = [assay.value("select definition_sha256 from job where id = ?", job) for job in (first, second)]
        assert pinned[0] != pinned[1], pinned


def asked(service, token, path="/api/jobs"):
    """The status of one request."""
    request = urllib.request.Request(service.api + path, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


def test_hangup_takes_what_can_change_and_names_what_needs_a_restart():
    with Assay() as assay:
        file = assay.home / "assay.yaml"
        file.write_text("workers: 2\ngrace: 20s\n")
        assay.ask("init")
        owner = assay.ask("tokens", "create", "owner", "--role", "owner")["token"]
        operator = assay.ask("tokens", "create", "operator", "--operator")["token"]
        with Service(assay, "--role", "all", "--listen", "127.0.0.1:0", "--config", file) as service:
            def hang_up(text):
                count = len(service.events(event="serve_reload"))
                file.write_text(text)
                service.signal(signal.SIGHUP)
                service.wait(count=count + 1, event="serve_reload")

            def shown():
                there = assay.ask("config", "--server", service.api, "--token", "env:OPERATOR", env={"OPERATOR": operator})
                return {row["name"]: row["value"] for row in there["settings"]}

            assert [asked(service, owner) for _ in range(3)] == [200] * 3
            hang_up("workers: 3\ngrace: 10s\npublic_url: https://assay.example\nlimits: {api: 2/1m}\n")
            assert service.events(event="settings_changed")[-1]["settings"] == "grace, limits.api"
            waiting = service.events(event="settings_waiting")[-1]
            assert waiting["message"] == "needs a restart: public_url, workers", waiting
            assert 429 in [asked(service, owner) for _ in range(30)]
            now = shown()
            assert (now["workers"], now["grace"], now["limits.api"]) == ("2", "10s", "2/1m"), now
            hang_up("workers: many\ngrace: 5s\n")
            refused = service.events(event="settings_refused")
            assert len(refused) == 1 and "assay.yaml:1:10: workers is a whole number" in refused[0]["message"], refused
            hang_up("log_level: debug\nworkers: 2\ngrace: 10s\n")
            assert service.events(event="settings_changed")[-1]["settings"] == "log_level, limits.api"
            assert len(service.events(event="settings_waiting")) == 1
            assert [asked(service, owner) for _ in range(3)] == [200] * 3

            def noted():
                rows = assay.ask("audit", "--installation", "--action", "settings.change")["audit"]
                return [row["details"]["settings"] for row in rows] if len(rows) == 2 else None

            assert until(noted, "the audit log") == [["log_level", "limits.api"], ["grace", "limits.api"]]


def test_two_services_serve_each_schedule_once():
    names = [f"acme-{number}" for number in range(6)]
    with world() as sandbox, Assay(sandbox) as assay:
        clock = Clock(assay.home)
        assay.environment.update(clock.environment)
        define(assay, "tiny")
        for name in names:
            assay.connect(name, "tiny")
        with Service(assay, "--workers", "1"), Service(assay, "--workers", "1"):
            clock.let_pass(7 * HOUR)
            completed(assay, 6)
            clock.let_pass(7 * HOUR)
            completed(assay, 12)
        jobs = assay.rows("select count(*) as n from job group by integration_id")
        assert [row["n"] for row in jobs] == [2] * 6, jobs


def test_jobs_of_a_newer_format_are_left_to_newer_workers():
    """The fake newer version: its jobs say so in the request, its definitions by their own number."""
    with world() as sandbox, Assay(sandbox) as assay:
        connected(sandbox, assay, "one", "two", "three")
        newer, second, plain = (queue(assay, name)[0] for name in ("one", "two", "three"))
        request = json.loads(assay.value("select request from job where id = ?", newer))
        change(assay, "update job set request = ? where id = ?", json.dumps({**request, "format": 2}), newer)
        define(assay, "tiny", TINY.replace("assay: 1", "assay: 2"))
        text = (assay.data / "providers" / "tiny.yaml").read_text()
        change(assay, "insert into definition_text (sha256, provider, body, created_at) values ('newer', 'tiny', ?, 0)", text)
        change(assay, "update job set definition_sha256 = 'newer' where id = ?", second)
        with Service(assay, "--workers", "1") as service:
            for job in (newer, second):
                ended = service.wait(event="job_ended", job=job)
                assert ended["outcome"] == "declined" and "newer version" in ended["message"], ended
            service.wait(event="job_ended", job=plain, outcome="completed")
            for job in (newer, second):
                row = assay.rows("select status, attempt, lease_owner from job where id = ?", job)[0]
                assert row["status"] in ("parked", "running") and row["attempt"] <= 1, row
        assert statuses(assay) == {"completed": 4, "parked": 2}
        assert len(sandbox.counts()) == 4, "calls were made for a job that was not understood"


def change(assay, statement, *values):
    with contextlib.closing(assay.open_database()) as database:
        database.execute(statement, values)


def test_mistakes_are_told_before_anything_is_started():
    with Assay() as assay:
        for words, said in ((("--role", "boss"), "--role is api, worker or all"), (("--grace", "soon"), "--grace is a duration"),
                            (("--workers", "0"), "--workers"), (("--workers", "5000"), "at most 256")):
            failure = assay.run("serve", *words, "--json", status=2).failure
            assert failure["code"] == "USAGE" and said in failure["message"], failure
        assert not assay.data.exists()


if __name__ == "__main__":
    tap.main(globals())
