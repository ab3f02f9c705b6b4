#!/usr/bin/env python3
"""PostgreSQL is restarted in the middle of runs, in order and by a crash."""

import os
import signal

import tap
from postgres_server import PostgresServer

server = PostgresServer()
os.environ.update(server.environment)

from assay_client import Assay, until  # noqa: E402
from kill_test import recordings  # noqa: E402
from sandbox_client import Sandbox  # noqa: E402
from serve_client import Service, define, queue, statuses  # noqa: E402

NAMES = ("one", "two", "three")


def world():
    return Sandbox("--repos", "3", "--limit", "0")


def prepare(sandbox, assay):
    define(assay, "tiny")
    for name in NAMES:
        assay.connect(name, "tiny")
        assay.sync(name=name)
    sandbox.control("POST", "reset")


def expect_each_once(sandbox, assay, jobs, held):
    until(lambda: statuses(assay).get("completed", 0) == len(jobs) + len(NAMES), "all jobs to complete")
    for job in jobs:
        assert assay.value("select count(*) from evidence where job_id = ?", job) == 1, job
    counts = sandbox.counts()
    again = {line: counts[line] for line in held if counts[line] != 1}
    assert again == {}, f"asked again although the journal held it: {again}"


def test_restart_in_the_middle_of_runs_costs_nothing_but_time():
    for number in (signal.SIGINT, signal.SIGQUIT):
        with world() as sandbox, Assay(sandbox) as assay:
            prepare(sandbox, assay)
            with Service(assay, "--workers", "3") as service:
                sandbox.control("POST", "hold", {"match": "/repos/*"})
                jobs = [queue(assay, name)[0] for name in NAMES]
                sandbox.wait(held=3)
                until(lambda: len(recordings(assay)) >= 4 * len(NAMES) + len(jobs), "the journals")
                held = [line for job in jobs for line in recordings(assay, job)]
                server.restart(number)
                sandbox.clear()
                expect_each_once(sandbox, assay, jobs, held)
                assert service.process.poll() is None
                more = [job for name in NAMES for job in queue(assay, name, count=3)]
                expect_each_once(sandbox, assay, jobs + more, held)


def test_service_waits_for_a_server_that_is_away():
    with world() as sandbox, Assay(sandbox) as assay:
        prepare(sandbox, assay)
        with Service(assay) as service:
            job = queue(assay, "one")[0]
            service.wait(event="job_ended", job=job, outcome="completed")
            server.stop()
            try:
                failure = assay.sync(name="one", status=None).failure
                assert "PostgreSQL" in failure["message"] and "reached" in failure["message"], failure
                service.wait(event="lookout_failed")
            finally:
                server.start()
            service.wait(event="lookout_recovered")
            later = queue(assay, "one")[0]
            service.wait(event="job_ended", job=later, outcome="completed")


if __name__ == "__main__":
    try:
        tap.main(globals())
    finally:
        server.remove()
