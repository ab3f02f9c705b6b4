#!/usr/bin/env python3
"""What an installation rests on goes away for a while: the disk is full, the provider is down for a day."""

import contextlib
import resource

import tap
from assay_client import Assay, children, until
from database import is_postgres
from sandbox_client import Sandbox
from serve_client import Clock, Service, define, queue, statuses

HOUR = 3600_000


def limit_files(service, size):
    """No file of the service and its workers grows beyond this."""
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    for pid in children(service.process.pid):
        with contextlib.suppress(ProcessLookupError):  # it has just ended; its successor takes after the service
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_full_disk_stops_the_work_and_space_lets_it_go_on():
    if is_postgres():
        print("# PostgreSQL's disk is its own")
        return
    # Python starts with SIGXFSZ ignored, and so do its children here: a write beyond the limit is an error, as on a full disk.
    with Sandbox("--repos", "60", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assay.sync()
        with Service(assay, "--workers", "2", restore_signals=False) as service:
            limit_files(service, 4096)
            jobs = queue(assay, count=4)
            failed = until(lambda: service.events(event="lookout_failed") or service.events(event="worker_failed"), "a failure")
            assert "no space is left" in failed[0]["message"], failed
            failure = assay.finish(assay.start_sync(
                restore_signals=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))), status=1).failure
            assert failure["code"] == "DATABASE" and "no space is left" in failure["message"], failure
            assert service.process.poll() is None and statuses(assay) == {"completed": 1, "pending": len(jobs)}
            limit_files(service, resource.RLIM_INFINITY)
            until(lambda: set(statuses(assay)) <= {"completed", "failed"}, "the end of all jobs")
        assert set(statuses(assay)) == {"completed"}, assay.rows("select * from job_result where error is not null")
        for job in jobs:
            assert assay.value("select count(*) from evidence where job_id = ?", job) == 2, job


def test_provider_down_for_a_day_is_asked_at_its_times_and_no_more():
    with Sandbox("--repos", "3", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        clock = Clock(assay.home)
        assay.environment.update(clock.environment)
        define(assay, "tiny")
        assay.connect("acme", "tiny")
        with Service(assay) as service:
            clock.let_pass(7 * HOUR)
            service.wait(event="job_ended", outcome="completed")
            sandbox.control("POST", "reset")
            sandbox.fault(match="*", kind="status", status=503)
            evidence = assay.value("select count(*) from evidence where completeness = 1.0")
            for hour in range(24):
                clock.let_pass(HOUR)
                settle(clock, assay)
            runs = assay.value("select count(*) from job") - 1
            assert 3 <= runs <= 6, f"{runs} runs in a day with an interval of six hours, a daily sync and retries"
            calls = sandbox.stats()["requests"]
            assert calls <= runs * 3 * 3, f"{calls} calls to a service that is down"
            assert assay.integrations()[0]["status"] == "degraded"
            assert assay.value("select count(*) from evidence where completeness = 1.0") == evidence
            sandbox.clear()
            clock.let_pass(7 * HOUR)
            until(lambda: assay.integrations()[0]["status"] == "connected", "the connection to be well again")
            assert set(statuses(assay)) == {"completed"}, statuses(assay)


def settle(clock, assay):
    """All that is due at this hour is done; nobody waits for the pauses between attempts."""
    now = clock.now()
    until(lambda: assay.value("select count(*) from schedule where look_at <= ?", now) == 0, "the schedules to be served")

    def over():
        left = assay.rows("select status, attempt, due_at from job where status in ('pending', 'running')")
        if left and all(job["status"] == "pending" and job["due_at"] > clock.now() for job in left):
            clock.let_pass(max(job["due_at"] for job in left) - clock.now())
        return not left

    until(over, "the jobs to end")


if __name__ == "__main__":
    tap.main(globals())
