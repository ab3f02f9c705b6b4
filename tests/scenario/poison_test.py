#!/usr/bin/env python3
"""A definition whose expression crashes the process that evaluates it."""

import json

import tap
from assay_client import Assay, until
from sandbox_client import Sandbox
from serve_client import TINY, Service, define, queue, status_of

# libjq frees values by recursion: 400,000 arrays within each other are more than a stack holds.
POISON = TINY.replace("{name: .repo.name, private: .detail.private}",
                      "{name: '.repo.name + (reduce range(400000) as $i (null; [.]) | length | tostring)', private: .detail.private}")


def test_definition_that_crashes_its_worker_fails_its_own_job_and_nothing_else():
    assert POISON != TINY
    with Sandbox("--repos", "3", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        define(assay, "tiny")
        define(assay, "poison", POISON)
        assay.connect("good", "tiny")
        assay.sync(name="good")
        assay.connect("bad", "poison")
        failure = assay.sync(name="bad", status=1).failure
        assert failure["code"] == "INTERNAL" and "3 times" in failure["message"], failure
        with Service(assay, "--workers", "2") as service:
            bad = queue(assay, "bad")[0]
            good = queue(assay, "good", count=10)
            until(lambda: status_of(assay, bad) == "failed" and all(status_of(assay, job) == "completed" for job in good),
                  "the end of all jobs")
            assert [line["attempt"] for line in service.events(event="job_started", job=bad)] == [1, 2, 3]
            assert len(service.events(event="worker_died", job=bad)) == 3
            assert len(service.events(event="worker_died")) == 3, "a worker of another job died"
        error = json.loads(assay.value("select error from job_result where job_id = ?", bad))
        assert error["retryable"] is False and "made no progress" in error["message"], error
        assert assay.value("select count(*) from evidence where job_id = ?", bad) == 0


if __name__ == "__main__":
    tap.main(globals())
