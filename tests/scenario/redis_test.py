#!/usr/bin/env python3
"""Redis is killed while a service collects, stays away, and comes back empty. Runs beside a private Redis."""

import http.client
import json
import subprocess
import urllib.parse

import tap
from assay_client import until
from limits_test import CALLS, REDIS, World, flush_redis, kill_redis, start_redis
from sandbox_client import TIMEOUT
from serve_client import Service, queue, statuses

MINUTE = 60_000  # the counting stays where it has fled to


def keys():
    done = subprocess.run(["redis-cli", "-s", REDIS.removeprefix("unix://"), "--scan", "--pattern", "assay:*"],
                          capture_output=True, text=True, check=True)
    return done.stdout.split()


def ask(service, path, token=None):
    """(status, text)"""
    place = urllib.parse.urlsplit(service.api)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=TIMEOUT)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text


def examined(assay):
    """What doctor says of Redis."""
    findings = assay.ask("doctor", status=None)["findings"]
    return next(finding for finding in findings if finding["check"] == "redis")


def is_counted_in(place, service, token):
    """What the metrics say. Whoever has found Redis away asks it again some seconds later."""
    return f'assay_limits_reachable{{in="{place}"}} 1\n' in ask(service, "/metrics", token)[1]


def collect_by_redis(world, service, token):
    """Jobs that are under way while limits are counted in Redis."""
    jobs = []

    def look():
        if is_counted_in("redis", service, token):
            return bool(keys())
        # A minute of the database, whose clock is nobody's to set. A Redis that is slow for once is left, too.
        world.assay.change("update budget_authority set changed_at = changed_at - ? where place = 'database'", MINUTE)
        if not {"pending", "running"} & set(statuses(world.assay)):
            jobs.extend(job for name in world.names for job in queue(world.assay, name=name, count=2))
        return False

    jobs.extend(job for name in world.names for job in queue(world.assay, name=name, count=2))
    until(look, "limits to be counted in Redis")
    return jobs


def expect_ready(service):
    status, text = ask(service, "/readyz")
    assert (status, json.loads(text)) == (200, {"status": "ready"}), text


def expect_all(world, jobs, calls):
    """Every job has completed in its first attempt, with one record; nothing was asked twice, no window was passed."""
    until(lambda: statuses(world.assay).get("completed", 0) == len(jobs), "all jobs to complete")
    assert set(statuses(world.assay)) == {"completed"}, statuses(world.assay)
    for job in jobs:
        row = world.assay.rows("select attempt from job where id = ?", job)[0]
        assert row["attempt"] == 1, (job, row)
        assert world.assay.value("select count(*) from evidence where job_id = ?", job) == 1, job
    stats = world.check(calls)
    assert stats["requests"] == calls and stats["repeated"] == 0, stats


def test_redis_is_killed_in_the_middle_and_comes_back_empty():
    with World(connections=3) as world:
        world.assay.environment["ASSAY_LIMITS_API"] = "60000/1m"  # the metrics are looked at until they say it
        with Service(world.assay, "--role", "all", "--workers", "3") as service:
            token = world.assay.ask("tokens", "create", "watch", "--role", "owner", "--operator")["token"]
            first = first_jobs(world)
            world.sandbox.control("POST", "reset")
            assert examined(world.assay)["status"] == "ok"
            jobs = collect_by_redis(world, service, token)
            kill_redis()
            jobs += [job for name in world.names for job in queue(world.assay, name=name)]
            until(lambda: is_counted_in("database", service, token), "limits to be counted in the database")
            assert world.limits()["counted"] == {**world.limits()["counted"], "in": "database", "reachable": True}
            expect_ready(service)  # it is faster with Redis, and no more than that
            assert examined(world.assay)["status"] == "warning", examined(world.assay)
            expect_all(world, first + jobs, len(jobs) * CALLS)

            until(lambda: service.workers() == [], "the idle workers to end, which know Redis as gone")
            start_redis()
            assert keys() == [] and examined(world.assay)["status"] == "ok"
            world.sandbox.control("POST", "reset")
            more = collect_by_redis(world, service, token)
            expect_all(world, first + jobs + more, len(more) * CALLS)
            expect_ready(service)


def first_jobs(world):
    """Those that connecting has queued, or one of each connection: whatever comes later is made like them."""
    for name in world.names:
        if world.assay.value("select count(*) from job join integration on integration.id = job.integration_id "
                             "where integration.name = ?", name) == 0:
            world.assay.sync(name=name)
    until(lambda: set(statuses(world.assay)) == {"completed"}, "the first jobs")
    return [row["id"] for row in world.assay.rows("select id from job")]


def test_redis_is_gone_before_the_first_call_and_flushed_in_the_middle_afterwards():
    with World(connections=2) as world, Service(world.assay, "--role", "all", "--workers", "2") as service:
        first = first_jobs(world)
        world.sandbox.control("POST", "reset")
        kill_redis()
        jobs = [job for name in world.names for job in queue(world.assay, name=name)]
        world.sandbox.wait(requests=CALLS)
        start_redis()
        flush_redis()
        expect_all(world, first + jobs, len(jobs) * CALLS)
        expect_ready(service)


if __name__ == "__main__":
    tap.main(globals())
