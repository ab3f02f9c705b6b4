#!/usr/bin/env python3
"""assay migrate between SQLite and PostgreSQL: there and back again, and nothing is lost."""

import os
import pathlib
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import tap  # noqa: E402
from assay_client import Assay  # noqa: E402
from sandbox_client import Sandbox  # noqa: E402

HOST = os.environ["PGHOST"].replace("/", "%2F")


def dump(path):
    """Every row of every table, as SQLite holds it."""
    connection = sqlite3.connect(path)
    names = [row[0] for row in connection.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite%' order by name")]
    tables = {name: sorted(connection.execute(f"select * from {name}"), key=repr) for name in names}
    connection.close()
    tables.pop("schema_migration")  # says when it was applied
    return tables


def make_database(name):
    subprocess.run(["psql", "-q", "-c", f"create database {name}"], check=True)
    return f"postgres://{os.environ['PGUSER']}@{HOST}:{os.environ['PGPORT']}/{name}"


def psql(url, statement):
    done = subprocess.run(["psql", "-Atq", url, "-c", statement], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def embedded(sandbox):
    """An installation on SQLite, whatever the environment says, with something of everything."""
    assay = Assay(sandbox)
    file = assay.home / "embedded.db"
    assay.environment["DATABASE_URL"] = f"sqlite:{file}"
    assay.connect()
    assay.sync(status=None)
    assay.run("init", "--organization", "other", status=0)
    return assay, file


def test_everything_goes_there_and_back():
    with Sandbox("--organization", "acme", "--repos", "300") as sandbox:
        assay, file = embedded(sandbox)
        try:
            before = dump(file)
            server, back = make_database("there"), assay.home / "back.db"
            reply = assay.ask("migrate", "--to", server)
            assert reply["verified"] is True and reply["organizations"] == 2, reply
            assert reply["rows"] == sum(len(rows) for rows in before.values()), reply
            assay.ask("migrate", "--from", server, "--to", f"sqlite:{back}")
            assert dump(back) == before
        finally:
            assay.close()


def test_the_copy_on_the_server_is_worked_with():
    with Sandbox("--organization", "acme", "--repos", "5") as sandbox:
        assay, _ = embedded(sandbox)
        try:
            server = make_database("worked")
            assay.run("migrate", "--to", server, status=0)
            there = {"DATABASE_URL": server}
            assert assay.ask("evidence", "list", env=there) == assay.ask("evidence", "list")
            assert assay.sync(env=there, status=None).json["evidenceCollected"] == 2
            assert psql(server, "select count(*) from evidence") == "4"
        finally:
            assay.close()


def test_a_row_that_differs_on_the_server_is_found():
    with Sandbox("--organization", "acme", "--repos", "5") as sandbox:
        assay, _ = embedded(sandbox)
        try:
            server = make_database("differs")
            assay.run("migrate", "--to", server, status=0)
            psql(server, "update evidence set completeness = 0.25")
            result = assay.run("migrate", "--to", server, status=None)
            assert result.status != 0 and "table evidence is not the same" in result.error, result
        finally:
            assay.close()


tap.main(globals())
