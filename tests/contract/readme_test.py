#!/usr/bin/env python3
"""What README.md shows is so: its definition is sound, its commands, targets and files exist."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ASSAY = pathlib.Path(os.environ.get("ASSAY_BUILD", ROOT / "build/debug")) / "assay"
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def assay(*arguments):
    return subprocess.run([ASSAY, *arguments], text=True, capture_output=True, check=False)


class Readme(unittest.TestCase):
    def test_the_definition_is_sound(self):
        (definition,) = [text for kind, text in BLOCKS if kind == "yaml"]
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "acme_desk.yaml"
            file.write_text(definition)
            result = assay("provider", "check", file)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)

    def test_every_command_shown_has_help(self):
        shown = "\n".join([text for kind, text in BLOCKS if kind == ""] + re.findall(r"`([^`\n]+)`", TEXT))
        commands = set(re.findall(r"\bassay ((?:provider |evidence )?[a-z]+)\b", shown))
        self.assertLessEqual({"connect", "sync", "controls", "findings", "provider check"}, commands)
        for command in sorted(commands):
            result = assay(*command.split(), "--help")
            self.assertEqual(result.returncode, 0, f"assay {command} --help: {result.stderr}")
            self.assertIn(f"assay {command}", result.stdout)

    def test_every_target_shown_is_in_the_makefile(self):
        targets = set(re.findall(r"\bmake ([a-z]+)\b", " ".join(re.findall(r"`([^`\n]+)`", TEXT))
                                 + " ".join(text for _, text in BLOCKS)))
        self.assertLessEqual({"run", "test", "check"}, targets)
        rules = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        self.assertLessEqual(targets, rules)

    def test_every_file_linked_is_there(self):
        links = re.findall(r"\]\(([^)]+)\)", TEXT) + re.findall(r"`((?:docs|providers|scripts)/[\w.-]+[\w-])`", TEXT)
        self.assertIn("CONTRIBUTING.md", links)
        for link in links:
            self.assertTrue((ROOT / link).exists(), link)


if __name__ == "__main__":
    unittest.main()
