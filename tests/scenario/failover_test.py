#!/usr/bin/env python3
"""The PostgreSQL that is written to dies for good in the middle of runs, and its standby takes over."""

import os
import signal

import tap
from postgres_server import PostgresServer

primary = PostgresServer()
standby = PostgresServer(follows=primary)
os.environ.update(primary.environment)
# Both are named, as an operator would: whoever can be written is meant.
os.environ.update({"PGHOST": f"{primary.folder},{standby.folder}", "PGPORT": "5432,5432", "PGTARGETSESSIONATTRS": "read-write"})

from api_client import Api  # noqa: E402
from assay_client import Assay, until  # noqa: E402
from kill_test import recordings  # noqa: E402
from sandbox_client import Sandbox  # noqa: E402
from serve_client import Service, define, queue, statuses  # noqa: E402

NAMES = ("one", "two", "three")


def completed(assay):
    return statuses(assay).get("completed", 0)


def test_runs_go_on_at_the_standby_with_nothing_lost_and_nothing_twice():
    with Sandbox("--repos", "3", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        define(assay, "tiny")
        for name in NAMES:
            assay.connect(name, "tiny")
            assay.sync(name=name)
        token = assay.ask("tokens", "create", "ops", "--role", "owner")["token"]
        sandbox.control("POST", "reset")
        with Service(assay, "--role", "all", "--workers", "3") as service:
            api = Api(service.api, token)
            sandbox.control("POST", "hold", {"match": "/repos/*"})
            jobs = [queue(assay, name)[0] for name in NAMES]
            sandbox.wait(held=3)
            until(lambda: len(recordings(assay)) >= 4 * len(NAMES) + len(jobs), "the journals")
            held = [line for job in jobs for line in recordings(assay, job)]
            primary.stop(signal.SIGQUIT)
            standby.promote()
            sandbox.clear()
            until(lambda: completed(assay) == len(jobs) + len(NAMES), "all jobs to complete at the standby")
            for job in jobs:
                assert assay.value("select count(*) from evidence where job_id = ?", job) == 1, job
            counts = sandbox.counts()
            again = {line: counts[line] for line in held if counts[line] != 1}
            assert again == {}, f"asked again although the journal held it: {again}"
            until(lambda: api.send("GET", "/readyz").status == 200, "the service to be ready again")
            assert {row["name"] for row in api.get("/api/integrations").json["integrations"]} == set(NAMES)
            later = queue(assay, "one")[0]
            service.wait(event="job_ended", job=later, outcome="completed")


if __name__ == "__main__":
    try:
        tap.main(globals())
    finally:
        standby.remove()
        primary.remove()
