#!/usr/bin/env python3
"""What cmake --install puts below a prefix: a program that runs, pages that man finds, completions, documents."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ASSAY_BUILD", ROOT / "build/debug"))


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.prefix = pathlib.Path(folder.name) / "usr"
        cls.result = subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix], text=True,
                                    capture_output=True, check=False, umask=0o022)

    def setUp(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)

    def run_installed(self, *arguments):
        environment = {"PATH": f"{self.prefix}/bin:/usr/bin:/bin", "HOME": str(self.prefix.parent)}
        return subprocess.run(arguments, text=True, capture_output=True, check=False, env=environment)

    def test_the_program_runs_from_where_it_is_and_brings_its_definitions(self):
        shown = self.run_installed("assay", "provider", "list", "--quiet")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        self.assertIn("github", shown.stdout)
        data = self.prefix.parent / "data"
        self.assertEqual(self.run_installed("assay", "init", "--data", data).returncode, 0)
        self.assertEqual(self.run_installed("assay", "controls", "--data", data).returncode, 0)

    def test_only_assay_is_installed(self):
        self.assertEqual([path.name for path in (self.prefix / "bin").iterdir()], ["assay"])
        self.assertEqual({path.name for path in self.prefix.iterdir()}, {"bin", "share"})

    def test_the_pages_are_those_that_the_program_writes(self):
        written = self.prefix.parent / "written"
        self.assertEqual(self.run_installed("assay", "manual", "--write", written).returncode, 0)
        for page in written.rglob("*.[15]"):
            installed = self.prefix / "share/man" / page.relative_to(written)
            self.assertEqual(installed.read_text(), page.read_text(), "build the target manual, too")
        installed = [path.name for path in (self.prefix / "share/man").rglob("*") if path.is_file()]
        self.assertEqual(sorted(installed), sorted(path.name for path in written.rglob("*.[15]")))

    def test_mandoc_reads_an_installed_page(self):
        page = self.prefix / "share/man/man1/assay-sync.1"
        shown = subprocess.run(["mandoc", "-T", "ascii", page], text=True, capture_output=True, check=True)
        self.assertIn("collect evidence from an integration now", re.sub(".\b", "", shown.stdout))

    def test_bash_finds_its_completion_and_it_works(self):
        script = self.prefix / "share/bash-completion/completions/assay"
        code = f'. {script}; COMP_WORDS=(assay evidence s); COMP_CWORD=2; _assay; echo "${{COMPREPLY[*]}}"'
        result = self.run_installed("bash", "-c", code)
        self.assertEqual((result.stdout, result.stderr), ("show\n", ""))

    def test_zsh_and_fish_find_theirs(self):
        zsh = (self.prefix / "share/zsh/site-functions/_assay").read_text()
        fish = (self.prefix / "share/fish/vendor_completions.d/assay.fish").read_text()
        self.assertTrue(zsh.startswith("#compdef assay\n"))
        self.assertEqual(zsh, self.run_installed("assay", "completion", "zsh").stdout)
        self.assertEqual(fish, self.run_installed("assay", "completion", "fish").stdout)

    def test_documents_that_are_linked_are_installed(self):
        documents = self.prefix / "share/doc/assay"
        names = {str(path.relative_to(documents)) for path in documents.rglob("*") if path.is_file()}
        self.assertLessEqual({"README.md", "ARCHITECTURE.md", "LICENSE", "docs/cli.md", "docs/operations.md"}, names)
        for name in sorted(names):
            text = (documents / name).read_text(encoding="utf-8")
            for link in re.findall(r"\]\(([\w./-]+\.md)(?:#[\w-]+)?\)", text):
                self.assertTrue((documents / name).parent.joinpath(link).exists(), f"{name}: {link}")

    def test_nothing_is_private_to_whoever_installed_it(self):
        for path in self.prefix.rglob("*"):
            self.assertTrue(path.stat().st_mode & 0o004, path)


if __name__ == "__main__":
    unittest.main()
