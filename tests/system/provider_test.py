#!/usr/bin/env python3
"""Definitions by the command line: what there is, what is wrong with one, and its own tests replayed offline."""

import json
import os
import pathlib
import re
import shutil

import tap
from assay_client import Assay

SOURCE = pathlib.Path(os.environ["ASSAY_SOURCE"])
GITHUB = (SOURCE / "providers" / "github.yaml").read_text()
CASES = SOURCE / "providers" / "tests" / "github"


def changed(assay, *pairs, name="github.yaml"):
    """The definition of GitHub with some words replaced, as a file."""
    text = GITHUB
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    file = assay.home / name
    file.write_text(text)
    return file


def line_of(file, word):
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if word in line)


def test_list_has_what_is_built_in_and_what_the_operator_added():
    with Assay() as assay:
        listed = assay.ask("provider", "list")
        assert set(listed) == {"providers", "nextCursor"}
        (github,) = [row for row in listed["providers"] if row["id"] == "github"]
        assert (github["name"], github["category"]) == ("GitHub", "devops")
        assert github["evidenceTypes"] == ["branch_protection", "security_alerts"]
        assert not assay.data.exists(), "listing made a data directory"
        assay.run("init", status=0)
        (assay.data / "providers").mkdir(exist_ok=True)
        (assay.data / "providers" / "forge.yaml").write_text(GITHUB.replace("id: github\n", "id: forge\naliases: [smithy]\n", 1))
        (assay.data / "providers" / "notes.txt").write_text("no definition")
        ids = [row["id"] for row in assay.ask("provider", "list")["providers"]]
        assert "forge" in ids and "github" in ids and ids == sorted(ids)
        assert assay.ask("provider", "show", "smithy")["id"] == "forge"


def test_file_of_the_same_id_replaces_the_built_in_definition():
    with Assay() as assay:
        assay.run("init", status=0)
        (assay.data / "providers").mkdir(exist_ok=True)
        (assay.data / "providers" / "github.yaml").write_text(GITHUB.replace("name: GitHub\n", "name: Our forge\n", 1))
        assert assay.ask("provider", "show", "github")["name"] == "Our forge"
        assert [row["name"] for row in assay.ask("provider", "list")["providers"] if row["id"] == "github"] == ["Our forge"]


def test_broken_file_is_listed_as_broken_and_hides_nothing():
    with Assay() as assay:
        assay.run("init", status=0)
        (assay.data / "providers").mkdir(exist_ok=True)
        (assay.data / "providers" / "broken.yaml").write_text("assay: 1\nid: broken\n")
        result = assay.run("provider", "list", "--json")
        assert result.status in (0, 2), result
        assert "github" in result.out and "broken" in result.out + result.error, result
        assert assay.ask("provider", "show", "github")["id"] == "github"
        assert "broken.yaml:" in assay.ask("provider", "show", "broken", status=2)["error"]["message"]


def test_show_tells_what_a_connection_needs_and_what_it_gives():
    with Assay() as assay:
        shown = assay.ask("provider", "show", "github")
        settings = {row["name"]: row for row in shown["settings"]}
        assert settings["organization"]["required"] is True and settings["repositories"]["required"] is False
        methods = {row["name"]: row for row in shown["auth"]}
        assert methods["pat"]["scheme"] == "bearer" and methods["pat"]["supported"] is True
        assert [(field["name"], field["secret"]) for field in methods["pat"]["fields"]] == [("access_token", True)]
        types = {row["name"] if "name" in row else row["id"]: row for row in shown["evidenceTypes"]}
        assert set(types) == {"branch_protection", "security_alerts"}
        assert "administration:read" in json.dumps(shown) and "CC8.1" in json.dumps(shown)
        for text in (assay.run("provider", "show", "github", status=0).out, assay.run("provider", "list", status=0).out):
            assert "GitHub" in text and "\x1b" not in text
        assert assay.ask("provider", "show", "gitbub", status=3)["error"]["code"] == "NOT_FOUND"


def test_check_passes_what_is_shipped():
    with Assay() as assay:
        for file in sorted((SOURCE / "providers").glob("*.yaml")):
            report = assay.ask("provider", "check", file)
            assert report["success"] is True
            (checked,) = report["files"]
            assert checked["errors"] == 0 and all(row["severity"] == "warning" for row in checked["messages"])


def test_check_tells_every_mistake_by_line_and_column():
    with Assay() as assay:
        file = changed(assay, ("checked:", "cheked:"), ("category: devops", "category: devop"), ("severity: high", "severity: hihg"))
        result = assay.run("provider", "check", file, status=2)
        for word, wanted in (("cheked:", "checked"), ("category: devop", "devops"), ("severity: hihg", "high")):
            assert re.search(rf"github\.yaml:{line_of(file, word)}:\d+: .*{wanted}", result.out + result.error), (word, result)
        report = assay.run("provider", "check", file, "--json", status=2).json
        assert report["success"] is False and report["error"]["code"] == "CONFIGURATION_ERROR"
        errors = [row for row in report["files"][0]["messages"] if row["severity"] == "error"]
        assert len(errors) == report["files"][0]["errors"] >= 3
        assert {line_of(file, word) for word in ("cheked:", "category: devop", "severity: hihg")} <= {row["line"] for row in errors}


def test_check_of_several_files_fails_when_one_does():
    with Assay() as assay:
        good = changed(assay, name="good.yaml")
        bad = changed(assay, ("scheme: bearer", "scheme: barer"), name="bad.yaml")
        report = assay.run("provider", "check", good, bad, "--json", status=2).json
        assert [(pathlib.Path(row["file"]).name, row["errors"] > 0) for row in report["files"]] == [("good.yaml", False), ("bad.yaml", True)]


def test_check_warns_of_unknown_controls_and_unread_permissions():
    with Assay() as assay:
        file = changed(assay, ("soc2: [CC8.1]", "soc2: [CC99.1]"))
        report = assay.ask("provider", "check", file)
        assert any("CC99.1" in row["text"] and row["severity"] == "warning" for row in report["files"][0]["messages"]), report


def test_check_refuses_expressions_that_judge_wrongly():
    with Assay() as assay:
        for old, new in (("pass: .protected\n", "pass: .protected // true\n"), ("pass: .protected\n", "pass: .protectet\n"),
                         ("pass: .requiredReviewers >= 1\n", "pass: .dependabotAlerts.total >= 1\n"),
                         ("pass: .protected\n", "pass: .protected |\n"), ("pass: .enforcesAdmins\n", "pass: env.HOME\n")):
            file = changed(assay, (old, new))
            result = assay.run("provider", "check", file, status=2)
            assert re.search(r"github\.yaml:\d+:\d+: ", result.out + result.error), (new, result)


def test_definition_passes_its_own_recorded_exchanges():
    with Assay() as assay:
        copied_cases(assay)
        for words in (["github"], []):  # one by its id, or all that there are
            report = assay.ask("provider", "test", *words)
            assert report["success"] is True and report["failed"] == 0, report
            assert {row["name"] for row in report["providers"][0]["cases"]} == {file.stem for file in CASES.glob("*.jsonl")}


def copied_cases(assay):
    """The shipped cases beside a copy of the definition, where they may be spoilt."""
    folder = assay.home / "providers" / "tests" / "github"
    shutil.copytree(CASES, folder)
    (assay.home / "providers" / "github.yaml").write_text(GITHUB)
    return folder


def test_every_recorded_case_is_replayed():
    with Assay() as assay:
        folder = copied_cases(assay)
        report = assay.ask("provider", "test", folder)
        (tested,) = report["providers"]
        assert {row["name"] for row in tested["cases"]} == {file.stem for file in CASES.glob("*.jsonl")}
        assert report["passed"] == len(tested["cases"]) > 0 and report["failed"] == 0
        assert assay.ask("provider", "test", "providers/tests/github")["passed"] == report["passed"]


def test_another_result_than_the_golden_one_is_told():
    with Assay() as assay:
        folder = copied_cases(assay)
        golden = folder / "protection_kinds.golden.json"
        text = golden.read_text()
        assert '"protected": true' in text or '"protected":true' in text
        golden.write_text(re.sub(r'"protected": ?true', '"protected": false', text, count=1))
        result = assay.run("provider", "test", folder, "--json")
        report = result.json
        assert result.status != 0 and report["success"] is False and report["failed"] == 1, result
        (failed,) = [row for row in report["providers"][0]["cases"] if not row["passed"]]
        assert failed["name"] == "protection_kinds" and "expected" in failed["difference"]
        assert "protection_kinds" in assay.run("provider", "test", folder).out


def test_changed_definition_fails_its_cases():
    with Assay() as assay:
        folder = copied_cases(assay)
        file = assay.home / "providers" / "github.yaml"
        file.write_text(GITHUB.replace('is: absent}', 'is: forbidden}', 1))
        assert assay.run("provider", "test", folder, "--json").json["failed"] >= 1


def test_broken_cases_are_failures_and_no_crash():
    with Assay() as assay:
        folder = copied_cases(assay)
        (folder / "empty.jsonl").write_text("")
        (folder / "no_json.jsonl").write_text("{\n")
        (folder / "no_run.jsonl").write_text('{"request": {}}\n')
        report = assay.run("provider", "test", folder, "--json").json
        failed = {row["name"] for row in report["providers"][0]["cases"] if not row["passed"]}
        assert failed == {"empty", "no_json", "no_run"}, report
        assert assay.run("provider", "test", "nothing", "--json").status in (2, 3)
        assert assay.run("provider", "test", assay.home / "absent", "--json").status in (2, 3)


def test_testing_asks_nothing_of_the_network():
    with Assay() as assay:
        folder = copied_cases(assay)
        blocked = {"https_proxy": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
        assert assay.ask("provider", "test", folder, env=blocked)["success"] is True
        assert not assay.data.exists(), "testing a definition made a data directory"


if __name__ == "__main__":
    tap.main(globals())
