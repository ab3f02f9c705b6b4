#!/usr/bin/env python3
"""Backups of a service at work: whole at one moment, on either engine, and worked with afterwards."""

import copy
import hashlib
import os
import stat
import threading

import tap
from assay_client import Assay
from database import is_postgres
from sandbox_client import Sandbox
from serve_client import Service, queue, statuses

REPOS = "20"
# What a restored database has forgotten or goes on with differently.
FORGOTTEN = ("user_session", "setup_token", "budget_holder", "oauth_state", "token_cache", "idempotency")
CHANGED = ("schema_migration", "commit_mark", "job_queue", "audit", "audit_pending", "audit_head", "audit_leaf", "audit_node")


def file_of(assay, name):
    return assay.home / name


def restored(assay, name):
    """The same installation on a database that came out of a backup: to look at, and to work with."""
    other = copy.copy(assay)
    other.database_url = f"sqlite:{file_of(assay, name)}"
    other.environment = {**assay.environment, "DATABASE_URL": other.database_url}
    return other


def tables_of(assay):
    names = [row["name"] for row in assay.rows("select name from sqlite_master where type = 'table' and name not like 'sqlite%'")]
    return [name for name in names if name not in FORGOTTEN + CHANGED]


def content(assay, table):
    return sorted((tuple(row.values()) for row in assay.rows(f"select * from {table}")), key=repr)


def running(assay):
    return statuses(assay).get("running", 0)


def test_everything_comes_back_from_a_quiet_installation():
    with Sandbox("--organization", "acme", "--repos", REPOS) as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assay.sync(status=None)
        assay.run("init", "--organization", "other", status=0)
        reply = assay.ask("backup", file_of(assay, "backup.db"))
        assert reply["verified"] is True and reply["bytes"] > 100_000, reply
        raw = file_of(assay, "backup.db").read_bytes()
        assert hashlib.sha256(raw).hexdigest() == reply["sha256"]
        assert stat.S_IMODE(os.stat(file_of(assay, "backup.db")).st_mode) == 0o600
        assert assay.ask("restore", file_of(assay, "backup.db"), "--to", f"sqlite:{file_of(assay, 'back.db')}")["key"] == "right"
        back = restored(assay, "back.db")
        for table in tables_of(back):
            assert content(back, table) == content(assay, table), table
        back.sound()
        assert back.ask("evidence", "list") == assay.ask("evidence", "list")
        assert back.ask("controls", "--framework", "soc2") == assay.ask("controls", "--framework", "soc2")


def test_the_restored_installation_is_worked_with():
    with Sandbox("--organization", "acme", "--repos", REPOS) as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assay.sync(status=None)
        assay.run("backup", file_of(assay, "backup.db"), status=0)
        assay.run("restore", file_of(assay, "backup.db"), "--to", f"sqlite:{file_of(assay, 'back.db')}", status=0)
        back = restored(assay, "back.db")
        before = len(back.evidence())
        assert back.sync(status=None).json["evidenceCollected"] == 2
        assert len(back.evidence()) > before
        back.sound()


def test_a_backup_under_load_is_whole():
    """Several are made while four workers collect, and every one is the world at one moment."""
    with Sandbox("--organization", "acme", "--repos", REPOS) as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assay.sync(status=None)
        with Service(assay, "--role", "all", "--workers", "2") as service:
            jobs = queue(assay, count=6)
            service.wait(event="job_started")
            for number in range(3):
                assay.run("backup", file_of(assay, f"backup{number}.db"), status=0)
            for job in jobs:
                service.wait(event="job_ended", job=job, outcome="completed")
        for number in range(3):
            assay.run("restore", file_of(assay, f"backup{number}.db"), "--to",
                      f"sqlite:{file_of(assay, f'back{number}.db')}", status=0)
            back = restored(assay, f"back{number}.db")
            with_running = running(back)
            unfinished = {row["id"] for row in back.rows("select id from document where sha256 is null")}
            assert back.rows("pragma integrity_check") == [{"integrity_check": "ok"}]
            assert back.rows("pragma foreign_key_check") == []
            for organization in back.rows("select organization_id from organization"):
                back.check_ledger(organization["organization_id"])
            assert set(content(back, "evidence")) <= set(content(assay, "evidence"))
            assert with_running + len(unfinished) <= 4, (with_running, unfinished)


def test_runs_that_were_cut_off_go_on_from_the_backup():
    with Sandbox("--organization", "acme", "--repos", REPOS) as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assay.sync(status=None)
        with Service(assay, "--workers", "1") as service:
            jobs = queue(assay, count=2)
            service.wait(event="job_started")
            assay.run("backup", file_of(assay, "backup.db"), status=0)
            for job in jobs:
                service.wait(event="job_ended", job=job, outcome="completed")
        assay.run("restore", file_of(assay, "backup.db"), "--to", f"sqlite:{file_of(assay, 'back.db')}", status=0)
        back = restored(assay, "back.db")
        waiting = {row["id"] for row in back.rows("select id from job where status in ('pending', 'running', 'parked')")}
        with Service(back, "--workers", "2") as service:
            for job in waiting:
                service.wait(event="job_ended", job=job, outcome="completed")
        back.sound()


def test_backups_beside_each_other_do_not_meet():
    with Sandbox("--organization", "acme", "--repos", "3") as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assay.sync(status=None)
        results = []
        threads = [threading.Thread(target=lambda n=n: results.append(assay.run("backup", file_of(assay, f"b{n}.db"))))
                   for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [result.status for result in results] == [0] * 4, results
        for number in range(4):
            assay.run("restore", file_of(assay, f"b{number}.db"), "--to", f"sqlite:{file_of(assay, f'r{number}.db')}", status=0)


def test_a_backup_goes_back_onto_the_engine_it_came_from():
    """Onto an empty database of the server, or a new file; a second time it is refused."""
    with Sandbox("--organization", "acme", "--repos", "3") as sandbox, Assay(sandbox) as assay, Assay(sandbox) as fresh:
        assay.connect()
        assay.sync(status=None)
        assay.run("backup", file_of(assay, "backup.db"), status=0)
        key = (assay.data / "encryption.key").read_text().strip()
        fresh.environment["ENCRYPTION_KEY"] = key
        reply = fresh.ask("restore", file_of(assay, "backup.db"))
        assert reply["organizations"] == 1 and reply["key"] == "right", reply
        assert fresh.ask("evidence", "list") == assay.ask("evidence", "list")
        assert fresh.sync(status=None).json["evidenceCollected"] == 2
        again = fresh.run("restore", file_of(assay, "backup.db"))
        assert again.status == 1 and "not empty" in again.error, again


def test_another_key_is_refused_and_leaves_nothing():
    if is_postgres():
        return
    with Sandbox("--organization", "acme", "--repos", "3") as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assay.run("backup", file_of(assay, "backup.db"), status=0)
        target = file_of(assay, "back.db")
        result = assay.run("restore", file_of(assay, "backup.db"), "--to", f"sqlite:{target}", env={"ENCRYPTION_KEY": "ab" * 32})
        assert result.status == 1 and "key" in result.error, result
        assert not [path for path in assay.home.iterdir() if path.name.startswith("back.db")]


def test_the_key_is_exported_on_a_terminal_after_a_question():
    with Sandbox("--organization", "acme", "--repos", "3") as sandbox, Assay(sandbox) as assay:
        assay.connect()
        key = (assay.data / "encryption.key").read_text().strip()
        status, shown = assay.run_on_terminal("keys", "export", typed="no\n")
        assert status != 0 and key not in shown, shown
        status, shown = assay.run_on_terminal("keys", "export", typed="export\n")
        assert status == 0 and key in shown, shown


def test_the_doctor_reaches_the_service_and_finds_a_used_installation_sound():
    with Sandbox("--organization", "acme", "--repos", "3") as sandbox, Assay(sandbox) as assay:
        assay.connect()
        assay.sync(status=None)
        with Service(assay, "--workers", "1"):
            reply = assay.ask("doctor", "--network")
        assert reply["healthy"] is True and reply["errors"] == 0, reply
        services = [row for row in reply["findings"] if row["check"] == "services"]
        assert [row["status"] for row in services] == ["ok"] and sandbox.url in services[0]["message"], services


tap.main(globals())
