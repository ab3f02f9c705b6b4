#!/usr/bin/env python3
"""The pages of the manual are sound man(7): mandoc has nothing to say about any of them, whatever texts hold."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ASSAY = pathlib.Path(os.environ.get("ASSAY_BUILD", ROOT / "build/debug")) / "assay"


def assay(*arguments):
    return subprocess.run([ASSAY, *arguments], text=True, capture_output=True, check=True).stdout


def mandoc(*arguments):
    """Fails when there is no mandoc: scripts/install-packages test installs it."""
    return subprocess.run(["mandoc", *arguments], text=True, capture_output=True, check=False)


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.names = json.loads(assay("manual", "--write", cls.folder, "--json"))["pages"]
        cls.pages = {name: cls.folder / f"man{name[-1]}" / name for name in cls.names}

    def shown(self, name):
        """The page as a reader sees it, in one line."""
        result = mandoc("-T", "utf8", "-O", "width=200", self.pages[name])
        self.assertEqual(result.returncode, 0, result.stderr)
        return " ".join(re.sub(".\b", "", result.stdout).split())

    def test_mandoc_finds_nothing_in_any_page(self):
        self.assertGreater(len(self.names), 25)
        for name, path in self.pages.items():
            result = mandoc("-T", "lint", "-W", "all", path)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""), name)

    def test_mandoc_finds_a_fault_when_there_is_one(self):
        faulty = self.folder / "faulty.1"
        faulty.write_text(self.pages["assay.1"].read_text() + ".XX unknown\n")
        self.assertNotEqual(mandoc("-T", "lint", "-W", "all", faulty).returncode, 0)

    def test_there_is_a_page_for_each_command_and_one_for_the_settings(self):
        helped = assay("help").split("\n\n")[2].splitlines()
        words = {line.split()[0] for line in helped if re.match(r"  [a-z]", line)} - {"help"}
        self.assertGreater(len(words), 20)
        self.assertEqual({f"assay-{word}.1" for word in words} | {"assay.1", "assay.yaml.5"}, set(self.names))

    def test_the_sections_are_those_of_man_pages_in_their_order(self):
        order = ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES",
                 "EXAMPLES", "SEE ALSO"]
        for name, path in self.pages.items():
            sections = re.findall(r"^\.SH (.+)$", path.read_text(), re.MULTILINE)
            known = [section for section in sections if section != "SETTINGS"]
            self.assertEqual(known, [section for section in order if section in known], name)
            self.assertLessEqual({"NAME", "DESCRIPTION", "EXAMPLES", "SEE ALSO"}, set(sections), name)

    def test_every_page_that_is_referred_to_is_there(self):
        for name, path in self.pages.items():
            references = re.findall(r"^\.BR (\S+) \((\d)\)", path.read_text(), re.MULTILINE)
            self.assertTrue(references, name)
            for other, section in references:
                self.assertIn(other.replace("\\", "") + "." + section, self.names, name)

    def test_examples_can_be_copied_as_they_are_shown(self):
        self.assertIn("assay sync acme --controls CC8.1,iso27001_2022:8.32 --json", self.shown("assay-sync.1"))
        self.assertIn("assay schedule set acme --cron '0 6 * * 1-5' --timezone Europe/Berlin",
                      self.shown("assay-schedule.1"))
        self.assertIn('assay completion zsh > "${fpath[1]}/_assay"', self.shown("assay-completion.1"))
        self.assertIn("~/.config/fish/completions/assay.fish", self.shown("assay-completion.1"))
        self.assertIn("--set organization=acme \\ --credential access_token=-", self.shown("assay-connect.1"))

    def test_what_is_shown_is_what_help_says(self):
        for line in assay("findings", "--help").splitlines():
            for word in re.findall(r"--[a-z-]+", line):
                page = "assay.1" if word in assay("help") else "assay-findings.1"
                self.assertIn(word, self.shown(page))

    def test_nothing_of_roff_is_left_over(self):
        for name in self.names:
            text = self.shown(name)
            self.assertNotRegex(text, r"\\f[BIR]|\\\(|\\\[u|`")
            self.assertGreater(len(text), 400, name)


if __name__ == "__main__":
    unittest.main()
