#!/usr/bin/env python3
"""kill -9 of workers and supervisors at 300 random instants while 2,000 jobs run.

Every run has instants of its own; ASSAY_TEST_SEED repeats those of a run that has printed its seed.
"""

import os
import secrets

import tap
from campaign import campaign

# A sanitizer makes every start of a process slow.
SIZE = {"jobs": 300, "kills": 40} if {"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ) else {"jobs": 2000, "kills": 300}
SEED = int(os.environ.get("ASSAY_TEST_SEED") or secrets.randbelow(10**9))


def test_every_job_ends_once_and_nothing_is_asked_that_a_journal_held():
    print(f"# ASSAY_TEST_SEED={SEED}", flush=True)
    print(f"# {campaign(**SIZE, workers=3, seed=SEED)}")


if __name__ == "__main__":
    tap.main(globals())
