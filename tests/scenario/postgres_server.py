"""A PostgreSQL of a test's own, which may be stopped and started again in the middle.

    server = PostgresServer()
    os.environ.update(server.environment)   # before assay_client is imported: its installations are made there
    ...
    server.restart()
    server.remove()
"""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

LIMIT = 300


class PostgresServer:
    def __init__(self):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        assert found, "PostgreSQL is not installed; run scripts/install-packages test (Debian package postgresql-15)."
        self.programs = found[-1].parent
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="assay-postgres-"))
        # PostgreSQL refuses to run as root.
        self.options = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        if self.options:
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, -1)
        self.run("initdb", "-D", self.folder / "data", "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        self.process = None
        self.start()

    @property
    def environment(self):
        return {"ASSAY_TEST_DATABASE": "postgres", "PGUSER": "tester", "PGPASSWORD": "none", "PGHOST": str(self.folder),
                "PGPORT": "5432"}

    def run(self, program, *arguments):
        done = subprocess.run([self.programs / program, *arguments], cwd=self.folder, capture_output=True, text=True, **self.options)
        assert done.returncode == 0, done.stderr

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, "-c", "listen_addresses="],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.options)
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            ready = subprocess.run([self.programs / "pg_isready", "-q", "-h", self.folder, "-U", "tester"], check=False)
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError("PostgreSQL does not answer")

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        self.process.wait(LIMIT)

    def restart(self, number=signal.SIGINT):
        """SIGINT: connections are closed, and the server ends; SIGQUIT: it ends as if it had crashed."""
        self.stop(number)
        self.start()

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)
