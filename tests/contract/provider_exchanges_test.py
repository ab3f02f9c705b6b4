#!/usr/bin/env python3
"""The recorded exchanges of every definition (providers/tests) give what their golden documents say,
and a golden document that says something else is noticed."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ASSAY = pathlib.Path(os.environ.get("ASSAY_BUILD", SOURCE / "build/debug")) / "assay"
TESTS = SOURCE / "providers/tests"


class Exchanges(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def replay(self, folder, status=0):
        """Every case of a folder, by name."""
        command = [ASSAY, "provider", "test", folder, "--json", "--data", self.folder / "data"]
        result = subprocess.run(command, text=True, capture_output=True, check=False, timeout=300)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual(report["success"], status == 0)
        return {case["name"]: case for case in report["providers"][0]["cases"]}

    def copy_of_github(self):
        copy = self.folder / "providers/tests/github"
        shutil.copytree(TESTS / "github", copy)
        shutil.copy(SOURCE / "providers/github.yaml", self.folder / "providers")
        return copy

    def test_every_definition_has_exchanges_and_gives_what_they_should(self):
        for definition in sorted((SOURCE / "providers").glob("*.yaml")):
            with self.subTest(definition.stem):
                cases = self.replay(TESTS / definition.stem)
                recorded = {path.stem for path in (TESTS / definition.stem).glob("*.jsonl")}
                self.assertEqual(set(cases), recorded)
                self.assertEqual([case for case in cases.values() if not case["passed"]], [])

    def test_every_golden_document_belongs_to_a_case(self):
        for golden in TESTS.glob("*/*.golden.json"):
            self.assertTrue(golden.with_name(golden.name.replace(".golden.json", ".jsonl")).exists(), golden)

    def test_another_golden_document_is_noticed_and_the_line_named(self):
        copy = self.copy_of_github()
        golden = copy / "alerts.golden.json"
        text = golden.read_text()
        golden.write_text(text.replace('"criticalAlerts": 2', '"criticalAlerts": 3'))
        line = text[:text.index('"criticalAlerts": 2')].count("\n") + 1
        cases = self.replay(copy, status=2)
        self.assertEqual([name for name, case in cases.items() if not case["passed"]], ["alerts"])
        self.assertEqual(cases["alerts"]["difference"],
                         f'line {line}: expected "criticalAlerts": 3,, found "criticalAlerts": 2,')

    def test_another_definition_is_noticed(self):
        copy = self.copy_of_github()
        definition = self.folder / "providers/github.yaml"
        text = definition.read_text()
        counted = '.security_advisory.severity == "high"'
        self.assertIn(counted, text)
        definition.write_text(text.replace(counted, counted.replace("high", "hihg")))
        cases = self.replay(copy, status=2)
        self.assertEqual([name for name, case in cases.items() if not case["passed"]], ["alerts"])

    def test_a_request_that_was_not_recorded_is_no_answer(self):
        copy = self.copy_of_github()
        case = copy / "enterprise_server.jsonl"
        case.write_text("".join(case.read_text().splitlines(keepends=True)[:-1]))
        cases = self.replay(copy, status=2)
        self.assertEqual([name for name, case in cases.items() if not case["passed"]], ["enterprise_server"])


if __name__ == "__main__":
    unittest.main()
