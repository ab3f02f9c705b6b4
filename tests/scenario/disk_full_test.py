#!/usr/bin/env python3
"""The disk that everything is kept on fills up while a service collects and people work, and has space again later.

The data directory is a small file system of its own. Where nobody may mount one, no file grows any further instead.
"""

import contextlib
import http.client
import json
import resource
import subprocess
import urllib.parse

import tap
from assay_client import Assay, children, until
from database import is_postgres
from sandbox_client import TIMEOUT, Sandbox
from serve_client import Service, queue, statuses

SIZE = 24 << 20
JOBS = 4


class Disk:
    """A file system of SIZE bytes at a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.filler = folder / "filler"
        folder.mkdir(mode=0o700)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(folder)],
                                 capture_output=True, text=True, check=False)
        self.mounted = mounted.returncode == 0
        if not self.mounted:
            print(f"# no file system of its own: {mounted.stderr.strip()}")

    def fill(self, service):
        if not self.mounted:
            self.limit(service, 4096)
            return
        with open(self.filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def free(self, service):
        if self.mounted:
            self.filler.unlink()
        else:
            self.limit(service, resource.RLIM_INFINITY)

    @staticmethod
    def limit(service, size):
        for pid in (service.process.pid, *children(service.process.pid)):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def remove(self):
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


def ask(service, method, path, token=None, body=None):
    """(status, object)"""
    place = urllib.parse.urlsplit(service.api)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=TIMEOUT)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    return reply.status, json.loads(text)


class Installation(Assay):
    def __init__(self, sandbox):
        super().__init__(sandbox)
        self.disk = Disk(self.data)

    def leave(self):
        self.disk.remove()
        super().leave()


@contextlib.contextmanager
def world():
    with Sandbox("--repos", "40", "--limit", "0") as sandbox, Installation(sandbox) as assay:
        assay.connect()
        assay.sync()
        token = assay.ask("tokens", "create", "ada", "--role", "owner", "--operator")["token"]
        yield sandbox, assay, assay.disk, token


def names(service, token):
    status, reply = ask(service, "GET", "/api/tokens", token)
    assert status == 200, reply
    return sorted(row["name"] for row in reply["tokens"])


def test_a_disk_that_fills_up_is_told_and_nothing_is_lost():
    if is_postgres():
        print("# PostgreSQL's disk is its own")
        return
    with world() as (sandbox, assay, disk, token), Service(assay, "--role", "all", "--workers", "2", restore_signals=False) as service:
        assert ask(service, "GET", "/readyz") == (200, {"status": "ready"})
        evidence = assay.value("select count(*) from evidence")
        sandbox.control("POST", "hold", {"match": "/repos/*"})
        jobs = queue(assay, count=JOBS)
        sandbox.wait(held=1)
        disk.fill(service)
        sandbox.clear()

        # Who writes is told that it did not work, the log says why; who reads goes on.
        for number in range(5):
            status, problem = ask(service, "POST", "/api/tokens", token, {"name": f"lost {number}", "role": "member"})
            assert status == 500 and problem["title"] == "Internal error", problem
            line = service.wait(event="request_failed", requestId=problem["requestId"])
            assert "no space is left" in line["why"], line
        assert names(service, token) == ["ada"]
        if disk.mounted:
            status, problem = ask(service, "GET", "/readyz")
            assert status == 503 and "space" in problem["detail"], problem
            disk_finding = next(row for row in assay.ask("doctor", status=1)["findings"] if row["check"] == "disk")
            assert disk_finding["status"] == "error", disk_finding
            failure = assay.run("sync", "acme", "--json").failure
            assert "no space" in failure["message"].lower(), failure
        assert service.process.poll() is None
        assert "failed" not in statuses(assay) and sum(statuses(assay).values()) == JOBS + 1, statuses(assay)

        disk.free(service)
        until(lambda: ask(service, "GET", "/readyz")[0] == 200, "the service to be ready again")
        status, made = ask(service, "POST", "/api/tokens", token, {"name": "kept", "role": "member"})
        assert status == 201, made
        assert names(service, token) == ["ada", "kept"]
        until(lambda: statuses(assay) == {"completed": JOBS + 1}, "the end of all jobs")
        for job in jobs:
            assert assay.value("select count(*) from evidence where job_id = ?", job) == evidence, job


if __name__ == "__main__":
    tap.main(globals())
