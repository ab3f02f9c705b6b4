#!/usr/bin/env python3
"""Somebody sets the clock: an hour forward, an hour back, in the middle of everything."""

import tap
from assay_client import Assay, until
from sandbox_client import Sandbox
from serve_client import Clock, Service, define, queue, statuses

HOUR = 3600_000


class World:
    """An installation whose clock can be set, with integrations that have been synced once."""

    def __init__(self, *names):
        self.names = names or ("acme",)

    def __enter__(self):
        self.sandbox = Sandbox("--repos", "3", "--limit", "0").__enter__()
        self.assay = Assay(self.sandbox).__enter__()
        self.clock = Clock(self.assay.home)
        self.assay.environment.update(self.clock.environment)
        define(self.assay, "tiny")
        for name in self.names:
            self.assay.connect(name, "tiny")
            self.assay.sync(name=name)
        self.sandbox.control("POST", "reset")
        return self

    def __exit__(self, *failure):
        self.assay.__exit__(*failure)
        self.sandbox.__exit__(*failure)

    def expect_each_once(self, jobs):
        until(lambda: statuses(self.assay).get("completed", 0) >= len(jobs) + len(self.names), "all jobs to complete")
        for job in jobs:
            assert self.assay.value("select count(*) from evidence where job_id = ?", job) == 1, job


def test_an_hour_forward_in_the_middle_of_a_run_ends_every_job_once():
    """All leases look as if they were over. Their owners renew them, or lose them to somebody and drop the job."""
    with World("one", "two") as world, Service(world.assay, "--workers", "2"), Service(world.assay, "--workers", "2") as other:
        world.sandbox.control("POST", "hold", {"match": "/repos/*"})
        jobs = [queue(world.assay, name)[0] for name in world.names]
        world.sandbox.wait(held=2)
        until(lambda: world.assay.value("select sum(entries) from journal where job_id in (?, ?)", *jobs) == 2, "the journals")
        world.clock.step(HOUR)
        other.wait(event="clock_set_forward")
        until(lambda: world.assay.value("select min(lease_until) from job where status = 'running'") > world.clock.now(),
              "the leases to be renewed")
        later = queue(world.assay, "one", due_in_ms=HOUR)[0]
        world.sandbox.clear()
        world.expect_each_once([*jobs, later])
        lists = world.sandbox.counts("/orgs/*")
        assert set(lists.values()) == {1}, f"asked again although the journal held it: {lists}"


def test_an_hour_back_keeps_nobody_waiting():
    with World("one", "two") as world:
        world.clock.step(HOUR)
        with Service(world.assay, "--workers", "1") as service:
            world.sandbox.control("POST", "hold", {"match": "/repos/*"})
            running = queue(world.assay, "one", due_in_ms=HOUR)[0]
            world.sandbox.wait(held=1)
            waiting = queue(world.assay, "two", due_in_ms=HOUR)[0]  # due now; an hour ahead in a moment
            world.clock.step(-HOUR)
            service.wait(event="clock_set_back")
            world.sandbox.clear()
            world.expect_each_once([running, waiting])
            later = queue(world.assay, "one")[0]
            world.expect_each_once([running, waiting, later])
        assert set(world.sandbox.counts().values()) == {1}


def test_worker_that_died_before_the_clock_went_back_leaves_its_job_at_once():
    with World() as world, Service(world.assay) as service:
        world.sandbox.control("POST", "hold", {"match": "/repos/*"})
        job = queue(world.assay)[0]
        world.sandbox.wait(held=1)
        world.clock.step(-HOUR)
        service.wait(event="clock_set_back")
        service.kill()
        world.sandbox.clear()
        with Service(world.assay):
            world.expect_each_once([job])


if __name__ == "__main__":
    tap.main(globals())
