"""Drives the assay program as a person or a script would, for system tests.

    with Sandbox("--repos", "5") as sandbox, Assay(sandbox) as assay:
        assay.connect()                        # Result: status, json, out, error
        assay.sync("--evidence", "branch_protection", status=5)
        assay.show(assay.evidence()[0]["id"])

Every installation is a temporary data directory of its own. When the block ends without a failure
the database is held against what must be true of it at any time: sound().
"""

import contextlib
import ctypes
import ctypes.util
import hashlib
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import tempfile
import termios
import time

from database import drop_database, is_postgres, make_database, open_database
from sandbox_client import TIMEOUT, TOKEN, built

LIMIT = TIMEOUT
RECORDED = ("ok", "absent", "forbidden", "unlicensed", "bad_request")
WAIT_SCALE = "0.001"


class Result:
    def __init__(self, arguments, status, out, error):
        self.arguments = arguments
        self.status = status
        self.out = out
        self.error = error

    @property
    def json(self):
        """What --json printed: one object, and nothing beside it."""
        value = json.loads(self.out)
        assert isinstance(value, dict), self
        return value

    @property
    def failure(self):
        """The error object of a failed command."""
        assert self.json["success"] is False, self
        return self.json["error"]

    def __repr__(self):
        return f"{' '.join(self.arguments)}: status {self.status}\n  out: {self.out[:2000]}\n  error: {self.error[:4000]}"


def until(condition, what):
    """Waits for something that no other process can tell: looks often, and gives up late."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.002)
    raise AssertionError(f"waited in vain for {what}")


class Assay:
    def __init__(self, sandbox=None, **environment):
        self.sandbox = sandbox
        self.folder = tempfile.TemporaryDirectory(prefix="assay-test-")
        self.home = pathlib.Path(self.folder.name)
        self.data = self.home / "data"
        self.environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.home), "TZ": "UTC",
                            "LC_ALL": "C.UTF-8", "ASSAY_DATA": str(self.data), "TOKEN": TOKEN,
                            "ASSAY_TEST_WAIT_SCALE": WAIT_SCALE,
                            "ASSAY_LISTEN": "127.0.0.1:0"}  # services of several tests run side by side
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "G_SLICE", "ASSAY_SOURCE"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        self.database_url = make_database() if is_postgres() else f"sqlite:{self.database_file}"
        if is_postgres():
            self.environment["DATABASE_URL"] = self.database_url
        if "REDIS_URL" in os.environ:  # scripts/with-redis
            self.environment["REDIS_URL"] = os.environ["REDIS_URL"]
        self.environment.update(environment)
        self.running = []
        self.said = ""  # by all commands, on both streams

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.end_processes()
            if kind is None and self.has_database():
                self.sound()
        finally:
            self.leave()

    def close(self):
        self.end_processes()
        self.leave()

    def leave(self):
        if is_postgres():
            drop_database(self.database_url)
        self.folder.cleanup()

    def end_processes(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream and not stream.closed:
                    stream.close()

    # Running

    def start(self, *arguments, env=None, **options):
        """A command that goes on by itself: the process."""
        wanted = {**self.environment, **(env or {})}
        process = subprocess.Popen([str(built("assay")), *map(str, arguments)],
                                   env={name: text for name, text in wanted.items() if text is not None},
                                   cwd=self.home, stdin=options.pop("stdin", subprocess.DEVNULL),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
        self.running.append(process)
        return process

    def finish(self, process, arguments=("...",), input=None, status=None):
        out, error = process.communicate(input, timeout=LIMIT)
        result = Result([str(argument) for argument in arguments], process.returncode, out, error)
        self.said += out + error
        assert "Sanitizer" not in error and "runtime error" not in error, result
        assert status is None or result.status == status, result
        return result

    def run_on_terminal(self, *arguments, typed="", env=None):
        """A command on a terminal of 100 columns, with something typed when it first asks: (status, what it showed)."""
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (40, 100))
        wanted = {**self.environment, "TERM": "xterm", **(env or {})}
        process = subprocess.Popen([str(built("assay")), *map(str, arguments)], env=wanted, cwd=self.home, stdin=slave,
                                   stdout=slave, stderr=slave, start_new_session=True)
        self.running.append(process)
        os.close(slave)
        shown = b""
        while select.select([master], [], [], LIMIT)[0]:
            try:
                part = os.read(master, 65536)
            except OSError:  # the other side is closed
                part = b""
            if not part:
                break
            shown += part
            if typed and shown.rstrip().endswith(b":"):
                os.write(master, typed.encode())
                typed = ""
        os.close(master)
        status = process.wait(LIMIT)
        self.said += shown.decode()
        return status, shown.decode()

    def run(self, *arguments, status=None, env=None, input=None):
        """A command and its end; status is what it must be."""
        options = {} if input is None else {"stdin": subprocess.PIPE}
        return self.finish(self.start(*arguments, env=env, **options), arguments, input, status)

    def ask(self, *arguments, status=0, **options):
        """The object that a command prints."""
        return self.run(*arguments, "--json", status=status, **options).json

    # Commands

    def connect(self, name="acme", provider="github", status=0, token="env:TOKEN", env=None, **settings):
        given = {"organization": "acme", "allow_private": "true", **settings}
        if self.sandbox:
            given.setdefault("api_url", self.sandbox.url)
        words = [word for key, text in given.items() if text is not None for word in ("--set", f"{key}={text}")]
        return self.run("connect", provider, "--name", name, *words, "--credential", f"access_token={token}",
                        "--json", status=status, env=env)

    def sync(self, *arguments, name="acme", status=0, env=None):
        return self.run("sync", name, *arguments, "--json", status=status, env=env)

    def start_sync(self, *arguments, name="acme", **options):
        return self.start("sync", name, *arguments, "--json", **options)

    def evidence(self, *arguments):
        return self.ask("evidence", "list", *arguments)["evidence"]

    def newest(self, evidence_type):
        """The newest evidence of a type, with its data."""
        return self.show(self.evidence("--type", evidence_type)[0]["id"])

    def show(self, evidence_id):
        return self.ask("evidence", "show", evidence_id)

    def findings(self, *arguments):
        return self.ask("findings", "--state", "all", *arguments)["findings"]

    def controls(self, framework="soc2", *arguments):
        return self.ask("controls", "--framework", framework, *arguments)

    def control(self, control_id, framework="soc2"):
        return {row["id"]: row for row in self.controls(framework)["controls"]}[control_id]

    def integrations(self, *arguments):
        return self.ask("integrations", *arguments)["integrations"]

    # Looking inside

    @property
    def database_file(self):
        return self.data / "assay.db"

    def has_database(self):
        """Whether the program has made its tables."""
        if is_postgres():
            return self.value("select count(*) from pg_class where oid = to_regclass('organization')") == 1
        return self.database_file.exists()

    def open_database(self):
        return open_database(self.database_url)

    def rows(self, statement, *values):
        with contextlib.closing(self.open_database()) as database:
            return [dict(row) for row in database.execute(statement, values)]

    def change(self, statement, *values):
        """Behind the program's back."""
        with contextlib.closing(self.open_database()) as database:
            database.execute(statement, values)

    def everything(self):
        """All rows of all tables, as one text; the driver's own apart."""
        if not is_postgres():
            with contextlib.closing(self.open_database()) as database:
                return "\n".join(database.iterdump())
        tables = self.rows("select tablename from pg_tables where schemaname = 'public' and tablename <> 'commit_mark' "
                           "order by tablename")
        return "\n".join(f"{table['tablename']} {row['line']}" for table in tables for row in self.rows(
            f"select cast(t as text) as line from {table['tablename']} t order by 1"))

    def value(self, statement, *values):
        return list(self.rows(statement, *values)[0].values())[0]

    def sound(self, running=0):
        """What must be true of the database, whatever happened."""
        if not is_postgres():
            assert self.rows("pragma integrity_check") == [{"integrity_check": "ok"}]
            assert self.rows("pragma foreign_key_check") == []
        assert self.value("select count(*) from document where sha256 is null") == 0, "unfinished documents"
        assert self.value("select count(*) from job where status = 'running'") == running, "jobs that are left running"
        assert self.value("select count(*) from (select 1 from evidence where job_id is not null "
                          "group by organization_id, job_id, evidence_type having count(*) > 1) as twice") == 0
        for organization in self.rows("select organization_id from organization"):
            self.check_ledger(organization["organization_id"])
        self.check_documents()

    def check_ledger(self, organization):
        """One leaf for each record, which is the hash of the record; the head is the root of all leaves. Of what was
        purged the leaves alone are left."""
        leaves = self.rows("select * from ledger_leaf where organization_id = ? order by leaf_index", organization)
        records = self.rows("select * from evidence where organization_id = ? order by ledger_index", organization)
        assert [leaf["leaf_index"] for leaf in leaves] == list(range(len(leaves)))
        purged = self.value("select count(*) from audit where organization_id = ? "
                            "and action in ('integration.purge', 'organization.delete')", organization)
        left = {record["id"] for record in records}
        kept = [leaf for leaf in leaves if not purged or leaf["evidence_id"] in left]
        assert [leaf["evidence_id"] for leaf in kept] == [record["id"] for record in records]
        for leaf, record in zip(kept, records):
            salted = hashlib.sha256(record["salt"] + record["record"].encode()).digest()
            assert leaf["leaf_hash"] == hashlib.sha256(b"\0\1" + salted).digest(), record["id"]
            assert json.loads(record["record"])["id"] == record["id"]
        head = self.rows("select * from ledger_head where organization_id = ?", organization)
        assert (head[0]["size"] if head else 0) == len(leaves)
        if leaves:
            assert head[0]["root"] == merkle_root([leaf["leaf_hash"] for leaf in leaves])

    def check_documents(self):
        for document in self.rows("select * from document"):
            raw = self.document(document["id"])
            assert len(raw) == document["size"]
            assert hashlib.sha256(raw).hexdigest() == document["sha256"]
            json.loads(raw)

    def document(self, document_id):
        chunks = self.rows("select bytes, raw_size from document_chunk where document_id = ? order by seq", document_id)
        return b"".join(unpack(chunk["bytes"], chunk["raw_size"]) for chunk in chunks)

    def journal(self, job_id=None):
        """What the journal of a job, or of all, holds: decompressed bytes, batch by batch."""
        return [unpack(batch["bytes"], batch["raw_size"]) for batch in
                self.rows("select * from journal where ? is null or job_id = ? order by job_id, batch", job_id, job_id)]

    def journal_entries(self):
        if not self.has_database():
            return 0
        return self.value("select coalesce(sum(entries), 0) from journal")


def merkle_root(hashes):
    """RFC 6962, section 2.1."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return hashlib.sha256(b"\1" + merkle_root(hashes[:half]) + merkle_root(hashes[half:])).digest()


_zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
_zstd.ZSTD_decompress.restype = ctypes.c_size_t
_zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]


def unpack(packed, size):
    """The content of a zstd frame."""
    room = ctypes.create_string_buffer(size)
    got = _zstd.ZSTD_decompress(room, size, packed, len(packed))
    assert got == size, "a damaged frame"
    return room.raw


def children(pid):
    """The ids of the processes that a process has started."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(folder.name))
    return found


def worker_of(process):
    """The id of the worker process of a running command; None when the command has ended."""
    found = until(lambda: children(process.pid) or process.poll() is not None, "a worker process")
    return None if found is True else found[0]


def is_gone(pid):
    """Whether a process has ended; None is one that was never seen."""
    try:
        return (pathlib.Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def kill(pid):
    """kill -9; the process may have ended by itself in the last moment."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
