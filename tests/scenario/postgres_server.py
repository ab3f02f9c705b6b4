"""A PostgreSQL of a test's own, which may be stopped and started again in the middle.

    server = PostgresServer()
    os.environ.update(server.environment)   # before assay_client is imported: its installations are made there
    ...
    server.restart()
    server.remove()

A standby follows another server, and confirms each of its commits, until it is promoted:

    standby = PostgresServer(follows=server)
    server.stop(signal.SIGQUIT)
    standby.promote()
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
    def __init__(self, follows=None):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        assert found, "PostgreSQL is not installed; run scripts/install-packages test (Debian package postgresql-15)."
        self.programs = found[-1].parent
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="assay-postgres-"))
        # PostgreSQL refuses to run as root.
        self.options = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        if self.options:
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, -1)
        if follows is None:
            self.run("initdb", "-D", self.folder / "data", "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8",
                     "--locale=C.UTF-8")
        else:
            self.run("pg_basebackup", "-D", self.folder / "data", "-h", follows.folder, "-U", "tester", "-R", "--no-sync",
                     "-c", "fast")
        self.process = None
        self.start()
        if follows is not None:
            follows.command("alter system set synchronous_standby_names = '*'")
            follows.command("select pg_reload_conf()")
            self.wait_for(follows, "select count(*) from pg_stat_replication where sync_state = 'sync'", "1")

    @property
    def environment(self):
        return {"ASSAY_TEST_DATABASE": "postgres", "PGUSER": "tester", "PGPASSWORD": "none", "PGHOST": str(self.folder),
                "PGPORT": "5432"}

    @property
    def alone(self):
        """The environment without what it says of servers."""
        return {name: value for name, value in os.environ.items() if not name.startswith("PG")}

    def run(self, program, *arguments):
        done = subprocess.run([self.programs / program, *arguments], cwd=self.folder, capture_output=True, text=True,
                              env=self.alone, **self.options)
        assert done.returncode == 0, done.stderr

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, "-c", "listen_addresses="],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.options)
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            ready = subprocess.run([self.programs / "pg_isready", "-q", "-h", self.folder, "-U", "tester"], env=self.alone,
                                   check=False)
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError("PostgreSQL does not answer")

    def command(self, text):
        done = subprocess.run([self.programs / "psql", "-h", self.folder, "-U", "tester", "-d", "postgres", "-qtAc", text],
                              capture_output=True, text=True, env=self.alone, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @staticmethod
    def wait_for(server, question, answer):
        deadline = time.monotonic() + LIMIT
        while server.command(question) != answer:
            assert time.monotonic() < deadline, f"{question} does not become {answer}"
            time.sleep(0.05)

    def promote(self):
        assert self.command(f"select pg_promote(true, {LIMIT})") == "t", "the standby was not promoted"

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        self.process.wait(LIMIT)

    def restart(self, number=signal.SIGINT):
        """SIGINT: connections are closed, and the server ends; SIGQUIT: it ends as if it had crashed."""
        self.stop(number)
        self.start()

    def remove(self):
        if self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)
