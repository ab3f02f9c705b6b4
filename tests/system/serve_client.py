"""Starts `assay serve` and looks at what it does, for system tests.

    with Sandbox("--repos", "3") as sandbox, Assay(sandbox) as assay, Service(assay, "--workers", "2") as service:
        assay.connect()
        job = queue(assay)                 # as a scheduler would: nobody waits for it
        service.wait(event="job_ended", job=job)

Definitions of a test's own: define(assay, "tiny", TINY). In TINY every call of a job names the job's range, so that
the sandbox can tell the calls of one job from those of another.
"""

import contextlib
import itertools
import json
import pathlib
import signal
import struct
import threading
import time
import uuid

from assay_client import LIMIT, children, is_gone, kill, until

TINY = """\
assay: 1
id: tiny
name: Tiny
category: devops
summary: A few calls
checked: 2026-11-20
hosts: [api.tiny.example]
settings:
  organization: {label: Organization}
  api_url: {label: API URL, default: 'https://api.tiny.example', format: url, advanced: true}
auth:
  pat: {label: Token, scheme: bearer, fields: {access_token: {label: Token, secret: true}}}
http:
  base_url: .settings.api_url
calls:
  me: {get: /user}
  repos: {get: '/orgs/acme/repos', query: {per_page: 100, job: '\\(.range.startMs)'}, rows: ., page: none}
  repo: {get: '/repos/acme/\\(.repo.name)', query: {job: '\\(.range.startMs)'}}
identity: {call: me, reply: {user: .login}}
evidence:
  repositories:
    title: Repositories
    description: \\(.repositories) repositories
    type: config
    range: 1d
    read: {repo: {call: repos}, detail: {call: repo, for: repo}}
    row: {name: .repo.name, private: .detail.private}
    fields: {name: string, private: bool}
    summary: {repositories: count}
    checks:
      PREFIX_named:
        title: Repositories have a name
        resource: .name
        pass: .name != ""
        severity: low
        remediation: Name them.
        controls: {soc2: [CC6.1]}
schedule: {default: 6h, min: 1h, max: 24h}
"""

# Columns of a job that are 0 before it is claimed.
RUNNING = ("run_clock", "attempt", "journal_batches", "journal_mark", "lease_until", "fence", "started_at", "completed_at",
           "cancel_at")

ranges = itertools.count(1)


def define(assay, name, text=TINY):
    """Writes a definition into the installation's own folder."""
    folder = assay.data / "providers"
    folder.mkdir(parents=True, exist_ok=True)
    text = text.replace("id: tiny", f"id: {name}").replace("PREFIX", name)
    (folder / f"{name}.yaml").write_text(text)


def new_id():
    """A UUIDv7, as the program makes them."""
    random = uuid.uuid4().int
    value = (int(time.time() * 1000) << 80) | (7 << 76) | (random & ((1 << 76) - 1))
    value = (value & ~(3 << 62)) | (2 << 62)
    return str(uuid.UUID(int=value & ((1 << 128) - 1)))


def queue(assay, name="acme", count=1, due_in_ms=0, **changes):
    """Adds jobs like the newest of an integration, as a scheduler would: their ids. No two have the same range."""
    now = int(time.time() * 1000)
    with contextlib.closing(assay.open_database()) as database:
        row = dict(database.execute("select job.* from job join integration on integration.id = job.integration_id "
                                    "where integration.name = ? order by job.id desc limit 1", (name,)).fetchone())
        fresh = {"status": "pending", "lease_owner": "", "due_at": now + due_in_ms, "created_at": now, "priority": 0}
        row.update({column: 0 for column in RUNNING if column in row}, **fresh, **changes)
        jobs = [{**row, "id": new_id(), "request": ranged(row["request"])} for _ in range(count)]
        database.execute("begin immediate")
        database.executemany(f"insert into job ({', '.join(row)}) values ({', '.join(':' + column for column in row)})", jobs)
        database.execute("insert into job_queue (organization_id, served_at, due_at) values (?, 0, ?) "
                         "on conflict (organization_id) do update set due_at = case when excluded.due_at < job_queue.due_at "
                         "then excluded.due_at else job_queue.due_at end",
                         (row["organization_id"], row["due_at"]))
        database.execute("commit")
    return [job["id"] for job in jobs]


def begin_of(assay, job):
    """What the calls of a job name in TINY."""
    return json.loads(assay.value("select request from job where id = ?", job))["from"]


def ranged(request):
    """The request of a job with a range that no other has."""
    begin = 1_700_000_000_000 + next(ranges) * 1000
    return json.dumps({**json.loads(request), "from": begin, "to": begin + 1000}, separators=(",", ":"), sort_keys=True)


class Service:
    """A running `assay serve`, a worker unless a role is given. What it logs is read as it comes."""

    def __init__(self, assay, *arguments, **options):
        self.assay = assay
        role = () if "--role" in arguments else ("--role", "worker")
        self.process = assay.start("serve", "--json", *role, *arguments, **options)
        self.lines = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        ready = self.process.stdout.readline()
        assert ready, f"the service did not start: {self.said()}"
        self.ready = json.loads(ready)
        self.api = self.ready["api"]  # where it answers, None for a worker alone

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            if kind is None:
                self.stop()
            else:
                print("\n".join(f"# {line}" for line in self.said().splitlines()[-40:]))
                self.kill()

    def read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def said(self):
        with self.changed:
            return "".join(self.lines)

    def events(self, **wanted):
        """The log lines that have these fields."""
        found = [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]
        return [line for line in found if all(line.get(key) == value for key, value in wanted.items())]

    def wait(self, count=1, **wanted):
        """The last of so many log lines with these fields, once they are there."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            with self.changed:
                known = len(self.lines)
            found = self.events(**wanted)
            if len(found) >= count:
                return found[-1]
            with self.changed:
                if len(self.lines) == known:
                    assert self.process.poll() is None, f"the service has ended: {''.join(self.lines)}"
                    self.changed.wait(1)
        raise AssertionError(f"waited in vain for {wanted}: {self.said()}")

    def workers(self):
        return children(self.process.pid)

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, status=0):
        """Waits for the end; nobody is left behind, and nothing but JSON was logged."""
        workers = self.workers()
        assert self.process.wait(LIMIT) == status, self.said()
        self.reader.join(LIMIT)
        until(lambda: all(is_gone(worker) for worker in workers), "the workers to end")
        said = self.said()
        assert all(line.startswith("{") for line in said.splitlines()), said
        self.assay.said += said

    def stop(self, status=0):
        self.signal(signal.SIGTERM)
        self.end(status)

    def kill(self):
        """kill -9, and the workers notice."""
        workers = self.workers()
        kill(self.process.pid)
        self.process.wait(LIMIT)
        until(lambda: all(is_gone(worker) for worker in workers), "the orphans to end")


class Clock:
    """The clocks of all processes that are started with its environment: set, or moved on, at once and at any time."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "clock"
        self.wall = self.mono = 0
        self.path.write_bytes(bytes(16))

    @property
    def environment(self):
        return {"ASSAY_TEST_CLOCK_FILE": str(self.path)}

    def step(self, delta_ms, passing=False):
        """Somebody sets the clock on the wall."""
        self.wall += delta_ms
        self.mono += delta_ms if passing else 0
        with open(self.path, "r+b", buffering=0) as file:
            file.write(struct.pack("=qq", self.wall, self.mono))

    def now(self):
        return int(time.time() * 1000) + self.wall

    def let_pass(self, delta_ms):
        """Time passes."""
        self.step(delta_ms, passing=True)


def status_of(assay, job):
    return assay.value("select status from job where id = ?", job)


def statuses(assay):
    """How many jobs there are of each status."""
    return {row["status"]: row["n"] for row in assay.rows("select status, count(*) as n from job group by status")}
