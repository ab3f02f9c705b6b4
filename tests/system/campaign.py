"""The kill campaign: workers and supervisors die by kill -9 at random instants while many jobs run.

Afterwards every job has ended exactly once, no evidence is there twice or without its leaf, and no call was made that
the journal held. scripts/campaign runs it from the command line, campaign_test.py in the tests.

Instants are drawn by a seed, in numbers of requests that the sandbox has seen, so that kills are spread over all of the
run. While the journal of a killed worker's job is looked at, the supervisor stands still (SIGSTOP): nobody claims the
job in between.
"""

import collections
import json
import os
import pathlib
import random
import signal
import time

from assay_client import Assay, is_gone, kill, until
from kill_test import recordings
from sandbox_client import Sandbox
from serve_client import Service, define, queue, statuses

REPOS = 3
CALLS = 1 + REPOS  # of a job
ORGANIZATIONS = 4
PATIENCE_MS = 500
NEVER = 2**63 - 1


class Campaign:
    def __init__(self, sandbox, assay, jobs=2000, kills=300, workers=3, seed=1):
        self.sandbox = sandbox
        self.assay = assay
        self.jobs = jobs
        self.kills = kills
        self.workers = workers
        self.random = random.Random(seed)
        self.service = None
        self.held = []  # by kill: what the journal held, with the counts of then
        self.hits = collections.Counter()  # kills by job
        self.deaths = collections.Counter()
        self.completions = collections.Counter()

    # The run

    def prepare(self, integrations=40):
        define(self.assay, "tiny")
        ids = []
        for number in range(integrations):
            organization = f"org-{number % ORGANIZATIONS}"
            ids.append(self.connect(f"many-{number}", organization))
        self.assay.run("sync", "many-0", "--organization", "org-0", "--json", status=0)
        # Other jobs than ours (the first sync of each, schedules) would only be in the way.
        self.assay.change("update job set status = 'cancelled', completed_at = created_at where status = 'pending'")
        self.assay.change("update schedule set due_at = ?, look_at = ?", NEVER, NEVER)
        for number, (organization, integration) in enumerate(ids):
            share = self.jobs // integrations + (number < self.jobs % integrations)
            queue(self.assay, "many-0", share, organization_id=organization, integration_id=integration)
        self.sandbox.control("POST", "reset")
        # Most jobs are over in a moment; one of ten takes long enough for its journal to grow.
        self.sandbox.fault(match="/repos/*?*job=*7000", kind="delay", delay_ms=300)
        self.sandbox.fault(match="/repos/*", kind="delay", delay_ms=20)

    def connect(self, name, organization):
        words = ["--set", "organization=acme", "--set", f"api_url={self.sandbox.url}", "--set", "allow_private=true"]
        made = self.assay.run("connect", "tiny", "--name", name, "--organization", organization, *words, "--credential",
                              "access_token=env:TOKEN", "--json", status=0).json
        row = self.assay.rows("select organization_id from integration where id = ?", made["id"])[0]
        return row["organization_id"], made["id"]

    def start(self):
        self.service = Service(self.assay, "--workers", str(self.workers))

    def ended(self):
        return sum(count for status, count in statuses(self.assay).items() if status in ("completed", "failed")) - 1

    def is_over(self):
        return self.ended() >= self.jobs

    def run(self):
        self.start()
        requests = int(self.jobs * CALLS * 0.9)
        for instant in sorted(self.random.randrange(requests) for _ in range(self.kills)):
            self.await_requests(instant)
            if self.is_over():
                break  # on a machine that is busy elsewhere the jobs may be faster
            if self.random.random() < 0.08:
                self.kill_supervisor()
            else:
                self.kill_worker()
        kills = sum(self.deaths.values())
        assert kills >= self.kills // 4, f"the jobs were done after {kills} kills: there must be more of them"
        self.sandbox.clear()
        until(self.is_over, "all jobs to end")
        self.note_completions()
        self.service.stop()

    def await_requests(self, wanted):
        until(lambda: self.sandbox.request("GET", f"/_sandbox/wait?requests={wanted}&timeout_ms={PATIENCE_MS}").status == 200,
              f"{wanted} requests")

    # Kills

    def note_completions(self):
        for line in self.service.events(event="job_ended", outcome="completed"):
            self.completions[line["job"]] += 1

    def kill_supervisor(self):
        """And sometimes, as when the power goes, all that it has started in the same moment."""
        workers = self.service.workers()
        held = [job for worker in workers for job in self.jobs_of(worker)]
        self.deaths["supervisor"] += 1
        if self.random.random() < 0.5:
            kill(self.service.process.pid)
            for worker in workers:
                kill(worker)
        self.service.kill()
        self.note_jobs(held)
        self.service.reader.join()
        self.note_completions()
        self.start()

    def kill_worker(self):
        supervisor = self.service.process.pid
        workers = until(lambda: self.service.workers() or self.is_over(), "a worker")
        if workers is True:
            return
        victim = self.random.choice(workers)
        owner = self.owner_of(victim)
        os.kill(supervisor, signal.SIGSTOP)
        try:
            kill(victim)
            until(lambda: is_gone(victim), "the worker to end")
            self.deaths["worker"] += 1
            self.note_jobs(self.leased(owner))
        finally:
            os.kill(supervisor, signal.SIGCONT)

    @staticmethod
    def owner_of(worker):
        """The id under which a worker leases, told by its lock file; None: it has none yet."""
        try:
            targets = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{worker}/fd")]
        except OSError:
            return None
        return next((pathlib.Path(target).stem for target in targets if target.endswith(".lock") and "/run/" in target), None)

    def leased(self, owner):
        if not owner:
            return []
        return [row["id"] for row in self.assay.rows("select id from job where status = 'running' and lease_owner like ?",
                                                     f"%:{owner}")]

    def jobs_of(self, worker):
        return self.leased(self.owner_of(worker))

    def note_jobs(self, jobs):
        for job in jobs:
            self.hits[job] += 1
            held = recordings(self.assay, job)
            if held:
                counts = self.counts(job)
                self.held.append({line: counts[line] for line in held})

    def counts(self, job):
        begin = json.loads(self.assay.value("select request from job where id = ?", job))["from"]
        return self.sandbox.counts(f"*job={begin}")

    # Afterwards

    def check(self):
        self.check_jobs()
        self.check_evidence()
        self.check_calls()
        assert list((self.assay.data / "run").iterdir()) == [], "lock files of the dead are left"
        self.assay.sound()

    def check_jobs(self):
        found = statuses(self.assay)
        found.pop("cancelled")
        assert sum(found.values()) == self.jobs + 1 and set(found) <= {"completed", "failed"}, found
        failed = [row["id"] for row in self.assay.rows("select id from job where status = 'failed'")]
        hopeless = [job for job in failed if self.hits[job] < 3]
        assert hopeless == [], f"failed without three kills: {hopeless}"
        assert self.assay.value("select count(*) from job_result") == self.jobs + 1
        assert self.assay.value("select count(*) from job where lease_owner <> ''") == 0
        assert self.assay.value("select count(*) from job where completed_at = 0") == 0
        twice = [job for job, count in self.completions.items() if count > 1]
        assert twice == [], f"completed twice: {twice}"
        self.failed = len(failed)

    def check_evidence(self):
        of_job = self.assay.rows("select job.id, count(evidence.id) as n from job left join evidence on "
                                 "evidence.organization_id = job.organization_id and evidence.job_id = job.id "
                                 "where job.status = 'completed' group by job.id")
        assert len(of_job) == self.jobs + 1 - self.failed
        wrong = [row for row in of_job if row["n"] != 1]
        assert wrong == [], f"not exactly one evidence item: {wrong}"
        leaves = self.assay.value("select count(*) from ledger_leaf")
        assert leaves == self.assay.value("select count(*) from evidence")

    def check_calls(self):
        counts = self.sandbox.counts()
        for number, held in enumerate(self.held):
            again = {line: (count, counts[line]) for line, count in held.items() if counts[line] != count}
            assert again == {}, f"asked again although the journal held it ({number}): {again}"
        journal = recordings(self.assay)
        assert len(journal) == len(set(journal)), "an answer is in a journal twice"
        self.repeated = sum(counts.values()) - len(counts)
        # A kill costs what was in flight and what was answered in the last moment before it.
        assert self.repeated <= sum(self.hits.values()) * CALLS, (self.repeated, sum(self.hits.values()))

    def summary(self):
        return {"jobs": self.jobs, "kills": sum(self.deaths.values()), **self.deaths, "jobsHit": len(self.hits),
                "jobsFailedAfterThree": self.failed, "repeatedCalls": self.repeated,
                "journalsHeldAtKill": len(self.held)}


def campaign(**options):
    """A whole campaign; what it came to. AssertionError tells what was broken."""
    with Sandbox("--repos", str(REPOS), "--limit", "0") as sandbox, Assay(sandbox) as assay:
        run = Campaign(sandbox, assay, **options)
        run.prepare()
        began = time.monotonic()
        run.run()
        seconds = time.monotonic() - began
        run.check()
        return {**run.summary(), "seconds": round(seconds, 1)}
