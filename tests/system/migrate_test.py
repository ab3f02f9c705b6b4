#!/usr/bin/env python3
"""assay migrate: the schema of the database in use, and a whole database copied into another."""

import sqlite3

import tap
from assay_client import Assay
from sandbox_client import Sandbox


def dump(path):
    """Every row of every table, as SQLite holds it."""
    connection = sqlite3.connect(path)
    names = [row[0] for row in connection.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite%' order by name")]
    tables = {name: sorted(connection.execute(f"select * from {name}"), key=repr) for name in names}
    connection.close()
    tables.pop("schema_migration")  # says when it was applied
    return tables


def filled(sandbox):
    assay = Assay(sandbox)
    assay.connect()
    assay.sync(status=None)
    return assay


def test_a_copy_holds_every_row_of_every_table():
    with Sandbox("--organization", "acme", "--repos", "30") as sandbox, filled(sandbox) as assay:
        target = assay.home / "copy.db"
        before = dump(assay.database_file)
        reply = assay.ask("migrate", "--to", f"sqlite:{target}")
        assert dump(assay.database_file) == before
        assert dump(target) == before
        assert reply["success"] is True and reply["verified"] is True, reply
        assert reply["rows"] == sum(len(rows) for rows in before.values()), reply
        assert reply["organizations"] == 1, reply


def test_the_copy_is_worked_with_like_the_original():
    with Sandbox("--organization", "acme", "--repos", "10") as sandbox, filled(sandbox) as assay:
        target = f"sqlite:{assay.home / 'copy.db'}"
        assay.run("migrate", "--to", target, status=0)
        there = {"DATABASE_URL": target}
        assert assay.ask("evidence", "list", env=there) == assay.ask("evidence", "list")
        result = assay.sync(env=there, status=None).json
        assert result["evidenceCollected"] == 2, result


def test_a_url_comes_from_the_environment():
    with Assay() as assay:
        assay.run("init", status=0)
        target = assay.home / "copy.db"
        assay.run("migrate", "--to", "env:TARGET", env={"TARGET": f"sqlite:{target}"}, status=0)
        assert target.exists()
        result = assay.run("migrate", "--to", "env:TARGET", status=2)
        assert "TARGET is not set" in result.error, result


def test_without_a_target_the_schema_is_brought_up_to_date():
    with Assay() as assay:
        assay.run("init", status=0)
        reply = assay.ask("migrate")
        assert reply["success"] is True and reply["applied"] == 0 and reply["schemaVersion"] > 0, reply


def test_what_makes_no_sense_says_what_to_do():
    with Assay() as assay:
        result = assay.run("migrate", status=3)
        assert "run `assay init`" in result.error, result
        assay.run("init", status=0)
        result = assay.run("migrate", "--from", "sqlite:/nowhere.db", status=2)
        assert "--from wants --to" in result.error, result
        same = f"sqlite:{assay.database_file}"
        result = assay.run("migrate", "--from", same, "--to", same, status=2)
        assert "are the same database" in result.error, result


tap.main(globals())
