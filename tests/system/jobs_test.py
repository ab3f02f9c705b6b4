#!/usr/bin/env python3
"""Jobs and schedules as people use them: first sync, calling off, attempts, times, reviews and their renewal."""

import datetime

import tap
from assay_client import Assay, until
from sandbox_client import Sandbox
from serve_client import Clock, Service, define, status_of, statuses

HOUR = 3600_000
DAY = 24 * HOUR


def world(repos=3):
    return Sandbox("--repos", str(repos), "--limit", "0")


def jobs(assay, *arguments):
    return assay.ask("jobs", "list", *arguments)["jobs"]


def job(assay, job_id):
    return assay.ask("jobs", "show", job_id)


def schedule_of(assay, name="acme"):
    integration = next(row for row in assay.integrations() if row["name"] == name)
    return next(row for row in assay.ask("schedule")["schedules"] if row["integrationId"] == integration["id"])


def clocked(assay):
    clock = Clock(assay.home)
    assay.environment.update(clock.environment)
    return clock


def ended(assay, count):
    until(lambda: sum(n for status, n in statuses(assay).items() if status in ("completed", "failed", "cancelled")) >= count,
          f"{count} ended jobs")


def test_connect_queues_the_first_sync_and_sync_joins_it():
    with world() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        first, = jobs(assay)
        assert first["status"] == "pending" and first["priority"] == 10, first
        assert first["evidenceTypes"] == ["branch_protection", "security_alerts"], first
        assert schedule_of(assay)["dueAt"] == assay.integrations()[0]["nextCheckAt"]
        assert assay.sync(status=None).json["jobId"] == first["id"]
        assert [row["id"] for row in jobs(assay)] == [first["id"]]
        shown = assay.run("jobs", "show", first["id"], status=0).out
        assert "✓ completed" in shown and "a person" in shown, shown


def test_first_sync_is_run_by_a_service_that_is_there():
    with world() as sandbox, Assay(sandbox) as assay:
        assay.run("init", status=0)
        with Service(assay):
            assay.connect()
            ended(assay, 1)
        assert [row["status"] for row in jobs(assay)] == ["completed"]
        assert assay.evidence()


def test_run_that_is_called_off_ends_and_is_run_again_when_asked_for():
    with world() as sandbox, Assay(sandbox) as assay:
        sandbox.control("POST", "hold", {"match": "/repos/acme/repo-2/code-scanning*"})
        assay.connect()
        first = jobs(assay)[0]["id"]
        with Service(assay) as service:
            sandbox.wait(held=1)
            told = assay.ask("jobs", "cancel", first)
            assert told["status"] in ("running", "cancelled"), told
            service.wait(event="job_ended", job=first, outcome="cancelled")
            sandbox.clear()
        assert job(assay, first)["error"]["code"] == "CANCELLED"
        assert assay.evidence() == []
        assert assay.run("jobs", "cancel", first, status=1).error.startswith("assay: the job has ended already")
        again = assay.ask("jobs", "retry", first)
        assert again["id"] != first and again["status"] == "pending" and again["priority"] == 10, again
        assert assay.sync(status=None).json["jobId"] == again["id"]


def test_service_that_fails_for_a_while_is_asked_again_for_nothing_else():
    with world() as sandbox, Assay(sandbox) as assay:
        clock = clocked(assay)
        define(assay, "tiny")
        sandbox.fault(match="/repos/acme/repo-2*", kind="status", status=503)
        assay.connect(provider="tiny")
        first = jobs(assay)[0]["id"]
        with Service(assay) as service:
            service.wait(event="job_ended", job=first, outcome="retried")
            waits = job(assay, first)  # for five seconds, which may be over
            assert (waits["status"], waits["attempt"]) == ("pending", 1) or waits["attempt"] == 2, waits
            assert assay.value("select count(*) from evidence") == 0 or job(assay, first)["attempt"] == 3
            sandbox.clear()
            clock.step(5000)
            service.wait(event="job_ended", job=first, outcome="completed")
        assert job(assay, first)["attempt"] in (2, 3)
        assert job(assay, first)["result"]["errors"] == []
        assert len(assay.evidence()) == 1
        often = {line for line, count in sandbox.counts("/repos/*").items() if count > 1}
        assert all("repo-2" in line for line in often), often


def test_third_attempt_stores_what_there_is():
    with world() as sandbox, Assay(sandbox) as assay:
        clock = clocked(assay)
        define(assay, "tiny")
        sandbox.fault(match="/repos/acme/repo-2*", kind="status", status=503)
        assay.connect(provider="tiny")
        first = jobs(assay)[0]["id"]
        with Service(assay) as service:
            for attempt, pause in ((1, 5000), (2, 10_000)):
                service.wait(event="job_ended", count=attempt, job=first, outcome="retried")
                assert service.events(event="job_started", job=first)[attempt - 1]["attempt"] == attempt
                clock.step(pause)
            service.wait(event="job_ended", job=first, outcome="completed")
        result = job(assay, first)["result"]
        assert [error["code"] for error in result["errors"]] == ["SERVICE_UNAVAILABLE"], result
        assert len(assay.evidence()) == 1
        assert assay.integrations()[0]["status"] == "degraded"


def test_schedule_is_set_by_interval_and_by_cron_and_says_its_range():
    with world() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assert assay.ask("schedule", "set", "acme", "--every", "6h")["rule"] == "6h"
        told = assay.ask("schedule", "set", "acme", "--cron", "0 6 * * 1-5", "--timezone", "Europe/Berlin")
        assert told["rule"] == "0 6 * * 1-5" and told["timeZone"] == "Europe/Berlin", told
        assert assay.integrations()[0]["scanSchedule"] == "0 6 * * 1-5"
        wrong = assay.run("schedule", "set", "acme", "--every", "30m", "--json", status=2).failure
        assert "GitHub is collected every 1h to 24h" in wrong["message"], wrong
        assert "day of week" in assay.run("schedule", "set", "acme", "--cron", "0 6 * * 1-9", status=2).error
        shown = assay.run("schedule", status=0)
        assert "0 6 * * 1-5 Europe/Berlin" in shown.out and "daily sync" in shown.out, shown
        daily = assay.ask("schedule", "set", "daily", "--cron", "30 7 * * *", "--timezone", "America/New_York")
        assert daily["id"] == "daily_sync" and daily["integrationId"] is None, daily


def test_what_was_missed_runs_once_and_what_is_paused_does_not():
    with world() as sandbox, Assay(sandbox) as assay:
        clock = clocked(assay)
        define(assay, "tiny")
        for name in ("acme", "quiet"):
            assay.connect(name, "tiny")
            assay.sync(name=name)
        assay.run("schedule", "pause", "quiet", status=0)
        assay.run("schedule", "pause", "daily", status=0)
        clock.step(3 * DAY)
        with Service(assay) as service:
            service.wait(event="job_ended", outcome="completed")
            until(lambda: schedule_of(assay)["lastAt"], "the schedule to be planned anew")
        assert len(jobs(assay, "--integration", "acme")) == 2
        assert len(jobs(assay, "--integration", "quiet")) == 1
        assert assay.integrations("--status", "paused")[0]["nextCheckAt"] is None
        resumed = assay.ask("schedule", "resume", "quiet")
        assert resumed["paused"] is False and resumed["dueAt"], resumed
        with Service(assay):
            ended(assay, 4)
        assert len(jobs(assay, "--integration", "quiet")) == 2


def test_approved_evidence_is_renewed_on_sunday():
    with world() as sandbox, Assay(sandbox) as assay:
        clock = clocked(assay)
        assay.connect()
        assay.sync(status=None)
        assay.run("schedule", "pause", "daily", status=0)
        evidence = next(row for row in assay.evidence() if row["evidenceType"] == "branch_protection")
        review = assay.ask("evidence", "review", evidence["id"], "--approve", "--by", "mona", "--note", "as agreed")
        assert (review["reviewState"], review["reviewedBy"], review["note"]) == ("approved", "mona", "as agreed"), review
        assert assay.show(evidence["id"])["reviewState"] == "approved"
        with Service(assay):  # plans the rounds
            until(lambda: all(row["dueAt"] for row in assay.ask("schedule")["schedules"] if row["id"] == "weekly_renewal"),
                  "the weekly renewal to be planned")
        far = (datetime.date.today().month + 5) % 12 + 1  # the whole connection is not due in the meantime
        assay.run("schedule", "set", "acme", "--cron", f"0 0 1 {far} *", status=0)
        clock.step(8 * DAY)
        with Service(assay):
            ended(assay, 2)
        renewal = jobs(assay)[0]
        assert renewal["priority"] == -10 and renewal["evidenceTypes"] == ["branch_protection"], renewal
        assert status_of(assay, renewal["id"]) == "completed"
        assert len(assay.evidence("--type", "branch_protection")) == 2


if __name__ == "__main__":
    tap.main(globals())
