#!/usr/bin/env python3
"""kill -9 at any instant: nothing is lost, nothing is there twice, nothing is asked that the journal held.

Instants are drawn by a seed (ASSAY_TEST_SEED; printed), in numbers of requests that the sandbox has seen.
"""

import functools
import os
import random
import signal
import struct

import tap
from assay_client import LIMIT, Assay, children, is_gone, kill, until, worker_of
from database import is_postgres
from sandbox_client import Sandbox

SEED = int(os.environ.get("ASSAY_TEST_SEED", "20261120"))
REPOS = 40
LARGE = 200  # repositories of a run that is long enough to be killed so often
KILLS = 20
HEADER = struct.Struct("<IIHBB8I")  # a recording in a batch of the journal: magic, size, status, outcome, then, sizes


@functools.cache
def undisturbed(repos=REPOS):
    """What a run that nobody disturbs collects: hashes of the data by type, and the number of its calls."""
    with world(repos) as sandbox, Assay(sandbox) as assay:
        assay.connect()
        sandbox.control("POST", "reset")
        assay.sync()
        hashes = assay.rows("select evidence_type, data_sha256 from evidence order by evidence_type")
        # Only the address of the sandbox differs from run to run, and no field of the rows shows it.
        return {row["evidence_type"]: row["data_sha256"] for row in hashes}, sandbox.stats()["requests"]


def world(repos=REPOS):
    return Sandbox("--repos", str(repos), "--limit", "0")


def recordings(assay, job=None):
    """The targets of all requests whose answers the journal of a job, or of all, holds."""
    found = []
    for batch in assay.journal(job):
        at = 0
        while at < len(batch):
            magic, size, *rest = HEADER.unpack_from(batch, at)
            assert magic == 0x31534341
            sizes, texts, start = rest[3:], [], at + HEADER.size
            for length in sizes:
                texts.append(batch[start:start + length].decode())
                start += length + 1
            found.append(f"{texts[1]} /{texts[2].split('/', 3)[3]}")
            at += size
    return found


class Promise:
    """What the journal held at each kill must never have been asked again at the end."""

    def __init__(self, sandbox, assay):
        self.sandbox = sandbox
        self.assay = assay
        self.held = []

    def note(self):
        held = recordings(self.assay)
        counts = self.sandbox.counts()
        self.held.append({line: counts[line] for line in held})

    def check(self):
        counts = self.sandbox.counts()
        for number, held in enumerate(self.held):
            again = {line: (count, counts[line]) for line, count in held.items() if counts[line] != count}
            assert again == {}, f"asked again after kill {number}: {again}"


def is_over(assay):
    return {row["status"] for row in assay.rows("select status from job")} == {"completed"}


def expect_one_of_each(assay, repos=REPOS):
    """Every type exactly once, as if nothing had happened; sound() has the rest."""
    hashes, _ = undisturbed(repos)
    rows = assay.rows("select evidence_type, data_sha256, job_id from evidence order by evidence_type")
    assert {row["evidence_type"]: row["data_sha256"] for row in rows} == hashes and len(rows) == 2, rows
    assert len({row["job_id"] for row in rows}) == 1
    assert [row["status"] for row in assay.rows("select status from job")] == ["completed"]
    held = recordings(assay)
    assert len(held) == len(set(held)), "an answer is in the journal twice"
    assert assay.value("select count(*) from check_result") == 13
    assert assay.integrations()[0]["status"] == "connected"


def next_instant(random_source, sandbox, assay, process, step):
    """Waits for a random instant of the run that is under way. Every second one comes after the journal has grown:
    a job that never gets anything done is given up after three attempts, and rightly so."""
    def wait(condition, what):
        until(lambda: condition() or is_over(assay) or process.poll() is not None, what)

    seen = sandbox.stats()["requests"]
    entries = assay.journal_entries()
    if step % 2:
        wait(lambda: assay.journal_entries() > entries, "the journal to grow")
    wanted = seen + random_source.randrange(0, 12)
    wait(lambda: sandbox.stats()["requests"] >= wanted, "requests")
    assert process.poll() is None or is_over(assay), assay.finish(process)


def slow(sandbox):
    """Answers take a moment, so that there is something to kill."""
    sandbox.fault(match="*", kind="delay", delay_ms=300)


def end(process):
    """Kills a command and waits until its worker has noticed."""
    workers = children(process.pid)
    kill(process.pid)
    process.communicate()
    until(lambda: all(is_gone(worker) for worker in workers), "the orphaned worker to end")


def kills_of_commands(random_source, most):
    """Kills a sync up to so many times, until its job is over: how many times that was."""
    with world(LARGE) as sandbox, Assay(sandbox) as assay:
        assay.connect()
        sandbox.control("POST", "reset")
        slow(sandbox)
        promise = Promise(sandbox, assay)
        kills = 0
        while kills < most and not is_over(assay):
            process = assay.start_sync()
            next_instant(random_source, sandbox, assay, process, kills)
            if random_source.random() < 0.3:
                for worker in children(process.pid):
                    kill(worker)
            end(process)
            promise.note()
            kills += 1
        sandbox.clear()
        if not is_over(assay):
            assert assay.sync().json["evidenceCollected"] == 2
        promise.check()
        expect_one_of_each(assay, LARGE)
        print(f"# {kills} kills, {sum(sandbox.counts().values()) - undisturbed(LARGE)[1]} calls made again")
        return kills


def test_command_killed_at_20_random_instants_loses_and_repeats_nothing():
    print(f"# seed {SEED}")
    random_source = random.Random(SEED)
    kills = 0
    while kills < KILLS:
        kills += kills_of_commands(random_source, KILLS - kills)


def kills_of_workers(random_source, most):
    """Kills the workers of a sync up to so many times, until it is over: how many times that was."""
    with world(LARGE) as sandbox, Assay(sandbox) as assay:
        assay.connect()
        sandbox.control("POST", "reset")
        slow(sandbox)
        promise = Promise(sandbox, assay)
        process = assay.start_sync()
        kills = 0
        while kills < most and process.poll() is None:
            worker = worker_of(process)
            next_instant(random_source, sandbox, assay, process, kills)
            if process.poll() is None and not is_gone(worker):
                kill(worker)
                kills += 1
                until(lambda: is_gone(worker), "the worker to end")
                promise.note()
        sandbox.clear()
        result = assay.finish(process, status=0)
        assert result.json["evidenceCollected"] == 2 and result.json["errors"] == []
        promise.check()
        expect_one_of_each(assay, LARGE)
        _, calls = undisturbed(LARGE)
        counts = sandbox.counts()
        assert len(counts) == calls
        # A kill costs at most what was in flight and what was answered in the last moment before it.
        repeated = sum(counts.values()) - calls
        assert repeated <= kills * (32 + 16 * 16), (repeated, kills)
        print(f"# {kills} kills, {repeated} calls made again")
        return kills


def test_worker_killed_at_20_random_instants_loses_and_repeats_nothing():
    random_source = random.Random(SEED + 1)
    kills = 0
    while kills < KILLS:
        kills += kills_of_workers(random_source, KILLS - kills)


def test_at_a_barrier_after_a_flush_nothing_is_asked_twice():
    random_source = random.Random(SEED + 2)
    with world() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        sandbox.control("POST", "reset")
        answered, in_flight = 0, []
        for number in range(KILLS // 2):
            passed = random_source.randrange(3, 14)
            sandbox.control("POST", "hold", {"match": "*", "after": passed})
            process = assay.start_sync()
            sandbox.wait(held=1)
            answered += passed
            until(lambda: assay.journal_entries() == answered, "the journal to hold every answer")
            worker = worker_of(process)
            kill((process.pid, worker)[number % 2])
            if number % 2:
                kill(process.pid)
            process.communicate()
            until(lambda: is_gone(worker), "the worker to end")
            sandbox.clear()
            until(lambda: sandbox.visitors() == 0, "what the worker has asked at last to arrive")
            held = recordings(assay)
            counts = sandbox.counts()
            assert len(held) == len(set(held)) == answered
            in_flight.append(set(counts) - set(held))
        sandbox.clear()
        assert assay.sync().json["evidenceCollected"] == 2
        counts = sandbox.counts()
        ever_in_flight = set().union(*in_flight)
        again = {line: count for line, count in counts.items() if count > 1}
        assert set(again) <= ever_in_flight, set(again) - ever_in_flight
        for line, count in again.items():
            assert count <= 1 + sum(1 for lines in in_flight if line in lines), (line, count)
        expect_one_of_each(assay)


def test_killed_while_storing_and_judging_it_goes_on():
    instants = ("select count(*) > 0 from document", "select count(*) > 0 from evidence", "select count(*) > 1 from evidence",
                "select count(*) > 0 from check_result", "select count(*) > 0 from finding", "select count(*) > 0 from control_status",
                "select count(*) > 0 from score", "select count(*) > 0 from job_result")
    with world() as sandbox:
        for instant in instants:
            with Assay(sandbox) as assay:
                assay.connect()
                sandbox.control("POST", "reset")
                process = assay.start_sync()
                worker = worker_of(process)
                connection = assay.open_database()
                until(lambda: connection.execute(instant).fetchone()[0], instant)
                connection.close()
                if worker:
                    kill(worker)
                end(process)
                if not is_over(assay):
                    assert assay.sync().json["evidenceCollected"] == 2
                    expect_one_of_each(assay)
                else:
                    assert len(assay.evidence()) == 2


def test_orphaned_worker_ends_and_lets_its_job_go_on():
    with world() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        sandbox.control("POST", "hold", {"match": "/repos/*"})
        process = assay.start_sync()
        sandbox.wait(held=1)
        worker = worker_of(process)
        kill(process.pid)
        process.communicate()
        until(lambda: is_gone(worker), "the orphan to end")
        sandbox.clear()
        assert assay.sync().json["evidenceCollected"] == 2
        expect_one_of_each(assay)
        assert list((assay.data / "run").iterdir()) == [], "lock files of the dead are left"


def test_interrupted_command_takes_its_worker_along():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with world() as sandbox, Assay(sandbox) as assay:
            assay.connect()
            sandbox.control("POST", "hold", {"match": "/repos/*"})
            process = assay.start_sync()
            sandbox.wait(held=1)
            worker = worker_of(process)
            process.send_signal(number)
            process.communicate(timeout=LIMIT)
            assert process.returncode != 0
            until(lambda: is_gone(worker), "the worker to end")
            sandbox.clear()
            assert assay.sync().json["evidenceCollected"] == 2
            expect_one_of_each(assay)


def await_following(process):
    """Until a sync that logs everything waits for a run of another process."""
    while "job_followed" not in (line := process.stderr.readline()):
        assert line, "the sync has ended"


def test_second_sync_at_the_same_time_waits_for_the_first_and_takes_its_result():
    with world() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        sandbox.control("POST", "reset")
        sandbox.control("POST", "hold", {"match": "/repos/*"})
        processes = [assay.start_sync()]
        sandbox.wait(held=1)
        processes.append(assay.start_sync(env={"ASSAY_LOG": "debug"}))
        await_following(processes[1])
        sandbox.clear()
        results = [assay.finish(process, status=0).json for process in processes]
        assert results[0] == results[1] and results[0]["evidenceCollected"] == 2, results
        expect_one_of_each(assay)
        assert set(sandbox.counts().values()) == {1}


def test_sync_that_wants_something_else_runs_after_the_first():
    with world() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        sandbox.control("POST", "hold", {"match": "/repos/*"})
        first = assay.start_sync()
        sandbox.wait(held=1)
        other = assay.start_sync("--evidence", "security_alerts")
        until(lambda: assay.value("select count(*) from job") == 2, "the second job")
        sandbox.clear()
        assert assay.finish(first, status=0).json["evidenceCollected"] == 2
        assert assay.finish(other, status=0).json["evidenceCollected"] == 1
        begins = assay.rows("select started_at, completed_at from job order by id")
        assert begins[0]["completed_at"] <= begins[1]["started_at"], begins


def attempts(assay):
    """How often workers have begun with the job."""
    return assay.value("select coalesce(max(attempt), 0) from job")


def test_job_that_kills_every_worker_is_given_up():
    with world() as sandbox, Assay(sandbox) as assay:
        assay.connect()
        sandbox.control("POST", "hold", {"match": "/orgs/*"})
        process = assay.start_sync()
        deaths = 0
        while process.poll() is None and deaths < 10:
            until(lambda: process.poll() is not None or attempts(assay) > deaths, "a worker that has begun")
            if process.poll() is None:
                for worker in children(process.pid):
                    kill(worker)
                    until(lambda: is_gone(worker), "the worker to end")
                deaths += 1
        result = assay.finish(process)
        assert deaths == 3 and result.status == 1, (deaths, result)
        assert assay.rows("select status from job") == [{"status": "failed"}]
        assert result.failure["message"], result
        sandbox.clear()
        assert assay.sync().json["evidenceCollected"] == 2


def test_connect_killed_in_the_middle_stores_nothing():
    with world() as sandbox, Assay(sandbox) as assay:
        sandbox.control("POST", "hold", {"match": "/user"})
        words = ["connect", "github", "--name", "acme", "--set", "organization=acme", "--set", f"api_url={sandbox.url}",
                 "--set", "allow_private=true", "--credential", "access_token=env:TOKEN", "--json"]
        for _ in range(2):
            process = assay.start(*words)
            sandbox.wait(held=1)
            end(process)
            sandbox.clear()
            sandbox.control("POST", "hold", {"match": "/user"})
        assert assay.integrations() == [] and assay.rows("select * from credential") == []
        sandbox.clear()
        assay.connect()
        assert assay.sync("--evidence", "branch_protection").json["evidenceCollected"] == 1


def test_worker_killed_while_connecting_is_an_error_and_no_hang():
    with world() as sandbox, Assay(sandbox) as assay:
        sandbox.control("POST", "hold", {"match": "/user"})
        process = assay.start("connect", "github", "--set", "organization=acme", "--set", f"api_url={sandbox.url}", "--set",
                              "allow_private=true", "--credential", "access_token=env:TOKEN", "--json")
        sandbox.wait(held=1)
        kill(worker_of(process))
        result = assay.finish(process, status=1)
        assert result.failure["code"] == "INTERNAL" and "worker" in result.failure["message"], result
        sandbox.clear()


def test_killed_init_is_repeated_without_harm():
    for made in ("", "encryption.key") if is_postgres() else ("", "assay.db", "encryption.key"):
        with Assay() as assay:
            process = assay.start("init")
            until(lambda: (assay.data / made).exists() or process.poll() is not None, made)
            kill(process.pid)
            process.communicate()
            assay.run("init", status=0)
            assert assay.integrations() == []


if __name__ == "__main__":
    tap.main(globals())
