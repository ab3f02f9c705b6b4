"""Several processes of Assay that share the limits of a service. The sandbox counts what comes; time is the real one,
with windows of two seconds instead of a minute.

Beside a Redis (scripts/with-redis) the limits are counted there, and it is killed in the middle.
"""

import os
import signal
import socket

import tap
from assay_client import Assay, kill, until, worker_of
from sandbox_client import Sandbox
from serve_client import TINY, Service, define, queue

REDIS = os.environ.get("REDIS_URL")
REPOS = 30
LIMIT, WINDOW = 40, 2
CALLS = REPOS + 1  # of one sync

SHARED = TINY.replace("  base_url: .settings.api_url\n",
                      "  base_url: .settings.api_url\n"
                      f"  limits: [{{scope: [app], rate: {LIMIT}/{WINDOW}s}}]\n")
CAPPED = TINY.replace("  base_url: .settings.api_url\n",
                      "  base_url: .settings.api_url\n  limits: [{scope: [connection], concurrency: 8}]\n")


def flush_redis():
    """Forgets what the test before has left in Redis."""
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(REDIS.removeprefix("unix://"))
        door.sendall(b"FLUSHALL\r\n")
        assert door.recv(100).startswith(b"+OK")


def server_id():
    with open(os.environ["REDIS_PID_FILE"], encoding="ascii") as file:
        return int(file.read())


def kill_redis():
    kill(server_id())


def start_redis():
    old = server_id()
    os.kill(int(os.environ["REDIS_KEEPER"]), signal.SIGUSR1)
    until(lambda: server_id() != old, "Redis to start again")


class World:
    """A service with one limit for all, and connections "a", "b" ... to it."""

    def __init__(self, connections=2, definition=SHARED):
        if REDIS:
            flush_redis()
        self.sandbox = Sandbox("--repos", str(REPOS), "--limit", "0", "--window", str(WINDOW))
        # Waits are real: the windows of several processes are those of the wall.
        self.assay = Assay(self.sandbox, ASSAY_TEST_WAIT_SCALE=None, **({"REDIS_URL": REDIS} if REDIS else {}))
        define(self.assay, "tiny", definition)
        self.names = [chr(ord("a") + i) for i in range(connections)]

    def __enter__(self):
        self.sandbox.__enter__()
        self.assay.__enter__()
        for name in self.names:
            self.assay.connect(name=name, provider="tiny")
        self.sandbox.control("POST", "reset")
        return self

    def __exit__(self, *what):
        self.assay.__exit__(*what)
        self.sandbox.__exit__(*what)

    def start(self):
        return [self.assay.start_sync(name=name) for name in self.names]

    def finish(self, processes):
        for process in processes:
            assert self.assay.finish(process, status=0).json["evidenceCollected"] == 1

    def limits(self):
        return self.assay.ask("limits")

    def shared(self):
        """What `assay limits` says of the limit of all."""
        return {row["key"]: row for row in self.limits()["limits"]}["tiny/0/app"]

    def check(self, calls, limit=LIMIT):
        stats = self.sandbox.stats()
        assert stats["requests"] >= calls, stats["requests"]
        assert stats["maxPerWindow"] <= limit, (stats["maxPerWindow"], limit)
        assert stats["windowMs"] == WINDOW * 1000
        return stats


def test_two_syncs_at_once_share_a_limit():
    with World() as world:
        world.finish(world.start())
        world.check(2 * CALLS)
        told = {"in": "redis" if REDIS else "database", "reachable": True}
        until(lambda: told.items() <= world.limits()["counted"].items(), "the limits to be counted there")
        row = world.shared()
        assert (row["declared"], row["inForce"], row["kind"], row["authority"], row["pace"]) == \
            (f"{LIMIT}/{WINDOW}s", f"{LIMIT}/{WINDOW}s", "rate", "declared", 1.0), row


def test_workers_of_a_service_share_a_limit():
    with World(connections=3) as world, Service(world.assay, "--workers", "3") as service:
        jobs = [job for name in world.names for job in queue(world.assay, name=name)]
        for job in jobs:
            service.wait(event="job_ended", job=job)
        world.check(3 * CALLS)


def test_a_killed_worker_does_not_raise_the_limit():
    with World() as world:
        processes = world.start()
        for count in (8, 16, 24):
            world.sandbox.wait(requests=count)
            if processes[0].poll() is None:
                worker = worker_of(processes[0])
                if worker:
                    kill(worker)
        world.finish(processes)
        world.check(2 * CALLS)


def test_loss_of_redis_does_not_raise_the_limit():
    if not REDIS:
        return
    with World(connections=3) as world:
        processes = world.start()
        world.sandbox.wait(requests=30)
        kill_redis()
        world.sandbox.wait(requests=60)
        start_redis()
        world.finish(processes)
        world.check(3 * CALLS)
        assert world.limits()["counted"]["in"] == "database"


def test_a_flushed_redis_does_not_raise_the_limit():
    if not REDIS:
        return
    with World() as world:
        processes = world.start()
        for count in (20, 40):
            world.sandbox.wait(requests=count)
            flush_redis()
        world.finish(processes)
        world.check(2 * CALLS)


def test_a_redis_that_is_not_there_is_done_without():
    with World() as world:
        environment = {"REDIS_URL": "unix:///nowhere/redis.sock"}
        processes = [world.assay.start_sync(name=name, env=environment) for name in world.names]
        world.finish(processes)
        world.check(2 * CALLS)
        counted = world.assay.ask("limits", env=environment)["counted"]
        assert counted["in"] == "database" and counted["reachable"] is True, counted


def test_a_wrong_address_of_redis_is_told():
    with World(connections=1) as world:
        failure = world.assay.run("sync", "a", "--json", env={"REDIS_URL": "rediss://:word@host"}).failure
        assert failure["code"] == "CONFIGURATION_ERROR" and "word" not in failure["message"], failure


def test_the_operator_lowers_a_limit_and_takes_it_back():
    with World(connections=1, definition=CAPPED) as world:
        assert world.assay.ask("limits", "set", "tiny", "20/2s") == {"provider": "tiny", "limit": "20/2s"}
        world.finish(world.start())
        world.check(CALLS, limit=20)
        own = world.limits()
        assert [(row["provider"], row["limit"], row["origin"]) for row in own["operator"]] == [("tiny", "20/2s", "command")]
        kinds = {row["kind"]: row for row in own["limits"]}
        assert kinds["rate"]["authority"] == "operator" and kinds["rate"]["integration"] == "a", kinds
        assert kinds["concurrency"]["declared"] is None and kinds["concurrency"]["remaining"] is None, kinds
        world.assay.run("limits", "clear", "tiny", status=0)
        world.sandbox.control("POST", "reset")
        world.finish(world.start())
        assert world.check(CALLS, limit=CALLS)["maxPerWindow"] > 20
        assert world.limits()["operator"] == []


def test_an_operators_limit_only_lowers():
    with World() as world:
        world.assay.run("limits", "set", "tiny", "10000/1s", status=0)
        world.finish(world.start())
        world.check(2 * CALLS)


def test_mistakes_with_limits_are_told():
    with World(connections=1) as world:
        assert world.assay.run("limits", "set", "tiny", "often", "--json", status=2).failure["code"] == "USAGE"
        assert world.assay.run("limits", "set", "nobody", "1/1s", "--json", status=3).failure["code"] == "NOT_FOUND"
        assert world.assay.run("limits", "clear", "tiny", "--json", status=3).failure["code"] == "NOT_FOUND"
        assert world.assay.run("limits", "set", "tiny", "--json", status=2).failure["code"] == "USAGE"
        assert world.limits()["limits"] == []
        assert "Nothing was called yet" in world.assay.run("limits", status=0).out


def test_an_answer_that_says_too_many_slows_all_down():
    with World() as world:
        world.sandbox.fault(match="/repos/acme/repo-1?*", kind="status", status=429, headers={"retry-after": "1"}, times=1)
        world.finish(world.start())
        world.check(2 * CALLS)
        row = world.shared()
        assert 0.5 <= row["pace"] < 1, row


if __name__ == "__main__":
    tap.main(globals())
