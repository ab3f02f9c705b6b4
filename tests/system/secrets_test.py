#!/usr/bin/env python3
"""A planted token and the key are found nowhere in what the program writes, and sealed data opens only in its place."""

import base64
import hashlib
import json
import os
import pathlib
import re
import secrets
import stat

import tap
from assay_client import Assay, children, until, worker_of
from database import is_postgres
from sandbox_client import Sandbox, built

PLANTED = "ghp_" + secrets.token_hex(18)
KEY = secrets.token_bytes(32)


def forms(secret):
    """A secret in the forms that it could slip out in."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    found = {"raw": raw, "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode()}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        found[f"base64 from {shift}"] = text[4 if shift else 0:-4]
        found[f"base64url from {shift}"] = base64.urlsafe_b64encode(b"\0" * shift + raw)[4 if shift else 0:-4]
    return found


FORMS = {**{f"token, {name}": text for name, text in forms(PLANTED).items()}, **{f"key, {name}": text for name, text in forms(KEY).items()}}


def check_clean(raw, where, wanted=None):
    for name, text in FORMS.items():
        assert text not in raw, f"the {name} is in {where}"


def planted(*arguments):
    return Sandbox("--repos", "6", "--limit", "0", "--token", PLANTED, *arguments, token=PLANTED)


def installation(sandbox, **environment):
    return Assay(sandbox, **{"TOKEN": PLANTED, "ENCRYPTION_KEY": KEY.hex(), "ASSAY_LOG": "debug", **environment})


def check_files(assay):
    """Every byte of every file, and what is compressed in them."""
    files = [file for file in assay.home.rglob("*") if file.is_file()]
    assert assay.database_file in files or is_postgres()
    for file in files:
        check_clean(file.read_bytes(), file.name)
    if is_postgres():
        check_clean(assay.everything().encode(), "the database")
    for batch in assay.journal():
        check_clean(batch, "the journal")
    for document in assay.rows("select id from document"):
        check_clean(assay.document(document["id"]), "a document")


def expect_clean(assay, process=None):
    check_clean(assay.said.encode(), "what the program said")
    check_files(assay)


def test_planted_secrets_are_found_nowhere_after_a_whole_life():
    with planted() as sandbox, installation(sandbox) as assay:
        assay.connect()
        assay.sync()
        for words in (["integrations"], ["evidence", "list"], ["findings"], ["controls"], ["provider", "show", "github"],
                      ["evidence", "show", assay.evidence()[0]["id"]]):
            assay.run(*words)
            assay.run(*words, "--json")
        assert len(assay.said) > 10000
        expect_clean(assay)
        assert "ENCRYPTION_KEY" not in assay.said


def test_planted_secrets_are_not_in_failures():
    with planted() as sandbox, installation(sandbox) as assay:
        assay.connect(status=4, env={"TOKEN": PLANTED + "x"})
        assay.connect()
        for fault in ({"kind": "status", "status": 401, "body": {"message": "Bad credentials"}}, {"kind": "status", "status": 403},
                      {"kind": "broken_json"}, {"kind": "status", "status": 500}, {"kind": "close"},
                      {"kind": "redirect", "location": "http://example.com/"}):
            sandbox.clear()
            sandbox.fault(match="*", **fault)
            assay.sync(status=None)
            assay.run("integrations")
        expect_clean(assay)


def test_a_service_that_repeats_the_token_does_not_get_it_written():
    with planted() as sandbox, installation(sandbox) as assay:
        assay.connect()
        sandbox.fault(match="/repos/acme/repo-1/*", kind="status", status=403, body={"message": f"Resource not accessible with {PLANTED}"})
        sandbox.fault(match="/repos/acme/repo-2/branches/*", kind="status", status=404, body={"message": f"Bearer {PLANTED} sees nothing"})
        sandbox.fault(match="/orgs/acme/repos", kind="status", status=200, headers={"X-Request-Id": PLANTED}, body=[
            {"name": f"repo-{number}", "full_name": f"acme/repo-{number}", "default_branch": "main", "archived": False,
             "owner": {"login": "acme"}, "description": f"Authorization: Bearer {PLANTED}"} for number in range(1, 4)])
        sandbox.fault(match="/repos/acme/repo-3/rules/*", kind="status", status=200, body=[{"type": "deletion", "note": PLANTED}])
        assay.sync(status=5)
        expect_clean(assay)


def test_a_service_that_calls_the_account_by_its_token_is_not_believed():
    with planted() as sandbox, installation(sandbox) as assay:
        sandbox.fault(match="/user", kind="status", status=200, body={"login": f"me-{PLANTED}"})
        assert assay.connect().json["user"] == "me-[secret]"
        expect_clean(assay)


def test_processes_show_no_secret_while_they_run():
    with planted() as sandbox, installation(sandbox) as assay:
        sandbox.control("POST", "hold", {"match": "/user"})
        words = ["connect", "github", "--name", "acme", "--set", "organization=acme", "--set", f"api_url={sandbox.url}",
                 "--set", "allow_private=true", "--credential", "access_token=env:TOKEN", "--json"]
        process = assay.start(*words)
        sandbox.wait(held=1)
        look_at(process)
        sandbox.clear()
        assay.finish(process, words, status=0)
        sandbox.control("POST", "hold", {"match": "/repos/*"})
        process = assay.start_sync(env={"TOKEN": None})
        sandbox.wait(held=1)
        look_at(process)
        check_files(assay)
        sandbox.clear()
        assay.finish(process, status=0)
        expect_clean(assay)


def look_at(process):
    pids = [process.pid, worker_of(process)]
    for pid in pids:
        for name in ("environ", "cmdline", "status"):
            file = pathlib.Path("/proc") / str(pid) / name
            try:
                check_clean(file.read_bytes(), f"/proc/{pid}/{name}")
            except PermissionError:
                assert name == "environ"  # nobody but root may look, which is as good
    assert pathlib.Path(f"/proc/{pids[1]}/cmdline").read_bytes().rstrip(b"\0") == b"assay\0worker"


def test_secrets_as_arguments_are_refused_without_being_repeated():
    with planted() as sandbox, installation(sandbox) as assay:
        for source in (PLANTED, f"plain:{PLANTED}", f"env={PLANTED}", f"'{PLANTED}'", ""):
            result = assay.run("connect", "github", "--set", "organization=acme", "--credential", f"access_token={source}", "--json", status=2)
            assert result.failure["code"] == "USAGE" and "env:" in result.failure["message"], result
        assay.run("connect", "github", "--set", "organization=acme", "--credential", PLANTED, status=2)
        assay.run("connect", "github", "--set", f"access_token={PLANTED}", "--set", "organization=acme", status=2)
        assay.run("connect", "github", "--set", "organization=acme", "--credential", "access_token=env:NOT_SET", status=2)
        assay.run("connect", "github", "--set", "organization=acme", "--credential", "access_token=@/nowhere", status=2)
        check_clean(assay.said.encode(), "what the program said")
        assert not assay.data.exists()


def test_secrets_come_from_a_file_or_from_standard_input():
    with planted() as sandbox, installation(sandbox, TOKEN="nothing") as assay:
        file = assay.home / "token"
        file.write_text(PLANTED + "\n")
        file.chmod(0o600)
        assay.connect(name="file", token=f"@{file}")
        file.unlink()
        result = assay.run("connect", "github", "--name", "input", "--set", "organization=acme", "--set", f"api_url={sandbox.url}",
                           "--set", "allow_private=true", "--credential", "accessToken=-", "--json", input=PLANTED + "\n", status=0)
        assert result.json["success"] is True
        assay.sync(name="input")
        expect_clean(assay)


def test_secret_typed_on_a_terminal_is_not_shown():
    with planted() as sandbox, installation(sandbox, TOKEN="nothing") as assay:
        status, shown = assay.run_on_terminal("connect", "github", "--auth", "pat", "--name", "typed", "--set", "organization=acme", "--set",
                                              f"api_url={sandbox.url}", "--set", "allow_private=true", typed=PLANTED + "\n")
        assert status == 0 and "Token" in shown and "Connected GitHub" in shown, (status, shown)
        assay.sync(name="typed")
        expect_clean(assay)


def test_files_are_their_owners_alone():
    with planted() as sandbox, Assay(sandbox, TOKEN=PLANTED) as assay:
        old = os.umask(0)
        try:
            assay.connect()
            assay.sync()
        finally:
            os.umask(old)
        assert stat.S_IMODE(assay.data.stat().st_mode) == 0o700
        assert stat.S_IMODE((assay.data / "encryption.key").stat().st_mode) == 0o600
        for file in assay.data.rglob("*"):
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, (file, oct(file.stat().st_mode))
        key = assay.data / "encryption.key"
        key.chmod(0o644)
        result = assay.sync(status=1)
        assert result.failure["code"] == "CRYPTO" and "chmod 600" in result.failure["message"]
        key.chmod(0o600)
        assay.sync()


def test_key_in_the_environment_leaves_no_key_file():
    with planted() as sandbox, installation(sandbox) as assay:
        assay.connect()
        assert not (assay.data / "encryption.key").exists()
        assay.sync(env={"ENCRYPTION_KEY": base64.b64encode(KEY).decode()})
        file = assay.home / "key"
        file.write_text(KEY.hex())
        file.chmod(0o600)
        assay.sync(env={"ENCRYPTION_KEY": None, "ENCRYPTION_KEY_FILE": str(file)})
        file.unlink()


def contents(assay):
    """What is stored; that somebody tried is in the audit log."""
    lines = [line for line in assay.everything().split("\n") if "audit" not in line.partition("(")[0]]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def test_wrong_or_missing_key_gives_one_clear_error_and_changes_nothing():
    with planted() as sandbox, installation(sandbox) as assay:
        assay.connect()
        assay.sync()
        before = contents(assay)
        sandbox.control("POST", "reset")
        for key in (secrets.token_hex(32), "not a key", "00", None):
            for words in (["sync", "acme"], ["connect", "github", "--name", "other", "--set", "organization=acme", "--set",
                                              f"api_url={sandbox.url}", "--set", "allow_private=true", "--credential", "access_token=env:TOKEN"]):
                result = assay.run(*words, "--json", env={"ENCRYPTION_KEY": key}, status=1)
                assert result.failure["code"] == "CRYPTO" and result.failure["retryable"] is False, result
                assert result.error.count("\n") <= 1, result
        assert sandbox.counts() == {}, "something was sent"
        assert contents(assay) == before
        assert not (assay.data / "encryption.key").exists(), "a new key was made for old data"
        assert len(assay.evidence()) == 2, "reading needs no key"
        assay.sync()


def change(assay, statement, *values):
    assay.change(statement, *values)


def expect_sealed(sandbox, assay, name, what):
    sandbox.control("POST", "reset")
    result = assay.sync(name=name, status=None)
    assert result.status != 0 and result.failure["code"] == "CRYPTO", (what, result)
    assert sandbox.counts() == {}, f"{what}: a moved or altered credential was used"


def test_moved_and_altered_sealed_texts_do_not_open():
    with planted() as sandbox, installation(sandbox) as assay:
        assay.connect(name="one")
        assay.connect(name="two")
        one, two = assay.rows("select * from credential order by id")
        change(assay, "update credential set fields = ? where id = ?", two["fields"], one["id"])
        change(assay, "update credential set fields = ? where id = ?", one["fields"], two["id"])
        expect_sealed(sandbox, assay, "one", "swapped")
        expect_sealed(sandbox, assay, "two", "swapped")
        change(assay, "update credential set fields = ? where id = ?", one["fields"], one["id"])
        change(assay, "update credential set fields = ? where id = ?", two["fields"], two["id"])
        assay.sync("--evidence", "branch_protection", name="one")
        change(assay, "update credential set expires_at = expires_at + 1 where id = ?", one["id"])
        expect_sealed(sandbox, assay, "one", "another expiry")
        change(assay, "update credential set expires_at = ?, version = version + 1 where id = ?", one["expires_at"], one["id"])
        expect_sealed(sandbox, assay, "one", "another version")
        change(assay, "update credential set version = ? where id = ?", one["version"], one["id"])
        sealed = json.loads(one["fields"])["access_token"]
        for number, text in enumerate((sealed[:-4] + "AAAA", sealed[:-8], "v1." + sealed, sealed.replace("v1.", "v2.", 1), "", PLANTED[::-1])):
            change(assay, "update credential set fields = ? where id = ?", json.dumps({"access_token": text}), one["id"])
            expect_sealed(sandbox, assay, "one", f"altered {number}")
        change(assay, "update credential set fields = ? where id = ?", one["fields"], one["id"])
        assay.sync("--evidence", "branch_protection", name="one")


def test_credentials_do_not_open_in_another_organization():
    with planted() as sandbox, installation(sandbox) as assay:
        assay.connect(name="one")
        assay.run("connect", "github", "--name", "two", "--set", "organization=acme", "--set", f"api_url={sandbox.url}", "--set",
                  "allow_private=true", "--credential", "access_token=env:TOKEN", "--organization", "other", status=0)
        rows = {row["organization_id"]: row for row in assay.rows("select * from credential")}
        assert len(rows) == 2
        ours, theirs = (rows[key]["fields"] for key in sorted(rows))
        for organization, fields in zip(sorted(rows), (theirs, ours)):
            change(assay, "update credential set fields = ? where organization_id = ?", fields, organization)
        sandbox.control("POST", "reset")
        assert assay.sync(name="one", status=1).failure["code"] == "CRYPTO"
        assert assay.sync("--organization", "other", name="two", status=1).failure["code"] == "CRYPTO"
        keys = assay.rows("select organization_id, wrapped_key from organization where wrapped_key <> '' order by organization_id")
        assert len(keys) == 2
        for row, other in zip(keys, reversed(keys)):
            change(assay, "update organization set wrapped_key = ? where organization_id = ?", other["wrapped_key"], row["organization_id"])
        assert assay.sync(name="one", status=1).failure["code"] == "CRYPTO"
        assert sandbox.counts() == {}


def test_worker_is_not_for_the_command_line():
    with Assay() as assay:
        assert assay.run("worker", input="").out == ""
        assert "worker" not in assay.run("--help", status=0).out.split()


if __name__ == "__main__":
    tap.main(globals())
