#!/usr/bin/env python3
"""What the documents name is there: commands and options, settings, variables, routes, files and headings.

README.md has more to itself in readme_test.py; docs/roles.md and docs/judging.md are held by unit tests.
"""

import functools
import json
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ASSAY_BUILD", ROOT / "build/debug"))
ASSAY = BUILD / "assay"
DOCUMENTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
             for path in [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md",
                          ROOT / "sandbox/README.md", *sorted((ROOT / "docs").glob("*.md"))]}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Of other programs, where documents show them.
FOREIGN_OPTIONS = {"--encoding", "--endpoint-url", "--query"}
VARIABLE = re.compile(r"\b(?:ASSAY|OIDC|ENCRYPTION|AWS|CREDENTIALS|XDG|OPENSSL)_[A-Z0-9_]+\b|\bDATABASE_URL\b|"
                      r"\bREDIS_URL\b|\bNO_COLOR\b")


def assay(*arguments, **options):
    return subprocess.run([ASSAY, *arguments], text=True, capture_output=True, check=False, **options)


def blocks(text):
    """The lines of code blocks that are no data; one that ends in a backslash goes on in the next."""
    kept = [body for kind, body in FENCE.findall(text) if kind not in ("yaml", "json", "sql")]
    return "\n".join(kept).replace("\\\n", " ").splitlines()


def spans(text):
    """What stands between backticks, in one line each; a double backtick is none."""
    return [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", FENCE.sub("", text))]


@functools.cache
def commands():
    """{name: its options} of everything that help lists."""
    listed = assay("help").stdout.split("\n\n")[2].splitlines()
    names = {line[2:23].strip() for line in listed if re.match(r"  [a-z]", line)} - {"help", ""}
    return {name: set(re.findall(r"^  (--[a-z-]+)", assay(*name.split(), "--help").stdout, re.MULTILINE))
            for name in names}


def tokens(text):
    """The words of a command line up to a comment, a pipe or a redirection."""
    line = re.split(r"\s[#|]|\s>|;|&&|\)", text)[0]
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def problem(words):
    """What is wrong with a command line behind "assay"; None when nothing is."""
    if not words or words[0] in ("help", "--version", "--help", "COMMAND") or words[0].startswith("-"):
        return None
    pair = " ".join(words[:2])
    if any(name.startswith(f"{pair} ") for name in commands()):
        return None
    name = pair if pair in commands() else words[0]
    if name not in commands():
        return f"there is no command {pair}"
    given = {word.split("=")[0] for word in words if word.startswith("--") and word != "--"}
    unknown = given - commands()[name]
    return f"{name} takes no {', '.join(sorted(unknown))}" if unknown else None


def command_lines(text):
    for line in blocks(text):
        for match in re.finditer(r"(?:^|[\s/(=])assay (?=[a-z-])", line):
            before = line[:match.start()]
            if "#" not in before or before.endswith("or:"):
                yield tokens(line[match.end():])
    for span in spans(text):
        words = tokens(span)
        first = {name.split()[0] for name in commands()}
        if words[:1] == ["assay"]:
            yield words[1:]
        elif words and words[0] in first and (len(words) > 1 and words[1].startswith("--")):
            yield words
        elif " ".join(words[:2]) in commands():
            yield words


def slug(heading):
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.strip().replace(" ", "-")


class Commands(unittest.TestCase):
    def test_every_command_line_in_the_documents_can_be_typed(self):
        seen = 0
        for name, text in DOCUMENTS.items():
            for words in command_lines(text):
                seen += 1
                self.assertIsNone(problem(words), f"{name}: assay {' '.join(words)}")
        self.assertGreater(seen, 100)

    def test_every_example_of_help_can_be_typed(self):
        for name in commands():
            shown = assay(*name.split(), "--help").stdout
            examples = shown.split("\nExamples:\n")[1].replace("\\\n", " ").splitlines()
            lines = [match[1] for line in examples if (match := re.search(r"(?:^|\s)assay (.*)", line))]
            self.assertTrue(lines, name)
            for line in lines:
                self.assertIsNone(problem(tokens(line)), f"assay {line}")

    def test_every_option_of_a_usage_is_explained(self):
        for name, options in commands().items():
            usage = re.search(r"Usage: (.*?)\n\n", assay(*name.split(), "--help").stdout, re.DOTALL)[1]
            self.assertLessEqual(set(re.findall(r"--[a-z-]+", usage)), options, name)

    def test_command_lines_that_are_wrong_are_found(self):
        for words in (["snyc"], ["users", "lift"], ["sync", "acme", "--evidense=x"], ["backup", "F", "--limit", "1"]):
            self.assertIsNotNone(problem(words), words)
        found = list(command_lines("x `assay nope --x` and `sync --all`\n```\n$ assay a b # c\n```\n"))
        self.assertEqual(found, [["a", "b"], ["nope", "--x"], ["sync", "--all"]])

    def test_every_option_named_alone_is_one_of_some_command(self):
        known = set().union(*commands().values()) | FOREIGN_OPTIONS | {"--version"}
        for name, text in DOCUMENTS.items():
            for span in spans(text) if name != "sandbox/README.md" else []:
                if span.startswith("--"):
                    self.assertIn(re.match(r"--[a-z-]*", span)[0], known, name)

    def test_every_option_of_the_sandbox_shown_is_one(self):
        helped = subprocess.run([BUILD / "assay-sandbox", "--help-all"], text=True, capture_output=True, check=True)
        known = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", helped.stdout, re.MULTILINE))
        text = DOCUMENTS["sandbox/README.md"]
        shown = set(re.findall(r"--[a-z][a-z-]*", "\n".join(spans(text) + blocks(text))))
        self.assertGreater(len(shown), 8)
        self.assertEqual(shown - known - FOREIGN_OPTIONS, set())

    def test_every_command_is_named_in_the_page_about_the_command_line(self):
        text = DOCUMENTS["docs/cli.md"]
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        named = set()
        for row in rows:
            cells = re.findall(r"`([^`]+)`", row.split(" | ")[0])
            group = cells[0].split()[0]
            named.add(group)
            for cell in cells:
                words = [word for word in cell.split() if re.fullmatch(r"[a-z-]+", word)]
                named.add(" ".join(words))
                named.add(f"{group} {' '.join(words)}")
        missing = {name for name in commands() if name not in named}
        self.assertEqual(missing, set())

    def test_the_commands_that_take_no_server_are_those_of_the_manual(self):
        sentence = re.search(r"([^.]*) work on one\s+machine and take no `--server`", DOCUMENTS["docs/cli.md"])[1]
        told = {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", sentence)}
        made = set()
        for name in commands():
            page = json.loads(assay("manual", name.split()[0], "--json").stdout)["text"]
            about = re.search(rf"^\.SS assay {name}\n(.*?)^\.S", page, re.MULTILINE | re.DOTALL)
            if "takes no \\fB\\-\\-server" in (about[1] if about else page):
                made.add(name)
        self.assertEqual(told, made)

    def test_every_target_of_make_is_in_the_makefile(self):
        rules = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        for name, text in DOCUMENTS.items():
            lines = blocks(text) + spans(text)
            for target in re.findall(r"(?:^|\s)make ([a-z-]+)", "\n".join(lines), re.MULTILINE):
                self.assertIn(target, rules, name)

    def test_the_exit_statuses_are_those_of_help(self):
        helped = re.findall(r"^  (\d)  ", assay("help").stdout, re.MULTILINE)
        told = re.findall(r"^\| (\d) \|", DOCUMENTS["docs/cli.md"], re.MULTILINE)
        self.assertEqual(told, helped)


class Samples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def sample(self, document, name, begins):
        """The first YAML block of a document that begins so, as a file."""
        found = [body for kind, body in FENCE.findall(DOCUMENTS[document]) if kind == "yaml" and body.startswith(begins)]
        path = self.folder / name
        path.write_text(found[0], encoding="utf-8")
        return path

    def test_the_shortest_definition_is_sound(self):
        result = assay("provider", "check", self.sample("docs/definitions.md", "demo.yaml", "assay: 1"))
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)

    def test_the_file_of_settings_is_read(self):
        path = self.sample("docs/settings.md", "assay.yaml", "database_url:")
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        result = assay("config", "--config", path, "--data", self.folder, "--json", env=environment)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        read = {row["name"]: row["value"] for row in json.loads(result.stdout)["settings"] if row["origin"] == "file"}
        self.assertEqual(read["schedule.daily_sync"], "0 6 * * *")
        self.assertEqual(read["limits.github"], "2000/1h")
        self.assertEqual(len(read), 7)


class Settings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        environment = {"PATH": os.environ["PATH"], "HOME": folder.name}
        shown = assay("config", "--json", "--data", folder.name, env=environment).stdout
        cls.settings = {row["name"]: row for row in json.loads(shown)["settings"]}
        manual = assay("manual", "--json").stdout
        section = json.loads(manual)["text"].split(".SH ENVIRONMENT\n")[1].split(".SH ")[0]
        cls.variables = set(re.findall(r"^\.TP\n\\fB([A-Z0-9_]+)\\fR$", section, re.MULTILINE))

    def test_the_table_of_settings_is_that_of_the_program(self):
        rows = re.findall(r"^\| `([a-z_.]+)` \| `(\w+)` \| (.*?) \| (.*?) \|$", DOCUMENTS["docs/settings.md"],
                          re.MULTILINE)
        told = {name: (variable, default.strip("`") or None, about) for name, variable, default, about in rows}
        made = {name: (row["environment"], row["value"], row["about"]) for name, row in self.settings.items()}
        self.assertEqual(told, made)

    def test_every_variable_that_documents_name_is_one(self):
        for name, text in DOCUMENTS.items():
            for variable in VARIABLE.findall("\n".join(spans(text) + blocks(text))):
                self.assertIn(variable, self.variables, name)

    def test_every_variable_is_named_in_a_document(self):
        named = set(re.findall(r"[A-Z0-9_]{3,}", "\n".join(DOCUMENTS.values())))
        self.assertGreater(len(self.variables), 25)
        self.assertEqual(self.variables - named, set())

    def test_every_variable_that_the_program_reads_is_in_the_manual(self):
        tables = {"environment.c"}
        read = set()
        for path in (ROOT / "src").rglob("*.[ch]"):
            text = path.read_text(encoding="utf-8") if path.name not in tables else ""
            read.update(re.findall(r'(?:getenv|environment)\("([A-Z0-9_]+)"', text))
            read.update(match for match in re.findall(r'"([A-Z0-9_]+)"', text) if VARIABLE.fullmatch(match))
        hooks = {name for name in read if name.startswith("ASSAY_TEST_")}
        self.assertEqual(read - hooks, self.variables)

    def test_every_setting_that_documents_name_in_code_is_one(self):
        sections = {name.split(".")[0] for name in self.settings if "." in name} - {"schedule", "limits"}
        for name, text in DOCUMENTS.items():
            for span in spans(text):
                match = re.match(r"([a-z]+)\.[a-z_]+", span)
                if match and match[1] in sections:
                    self.assertIn(match[0], self.settings, name)


class Log(unittest.TestCase):
    def test_what_is_logged_is_what_the_page_about_operations_names(self):
        logged = set()
        for path in (ROOT / "src").rglob("*.c"):
            text = path.read_text(encoding="utf-8")
            for level, event in re.findall(r"\blog_line\(\s*([^,;]*),\s*([^,;]*\"[^,;]*)", text):
                logged.update(re.findall(r'"([a-z_]+)"', event) if "LOG_DEBUG" not in level else [])
        section = DOCUMENTS["docs/operations.md"].split("## What is logged")[1]
        told = set(re.findall(r"`([a-z_]+)`", "\n".join(re.findall(r"^\| ([^|]*) \|", section, re.MULTILINE))))
        self.assertEqual(told, logged)


class Places(unittest.TestCase):
    def test_every_file_named_is_there(self):
        for name, text in DOCUMENTS.items():
            for span in spans(text):
                path = re.fullmatch(r"(?:src|docs|providers|frameworks|scripts|tests|bench|cmake|sandbox)/[\w./-]+", span)
                if path and not re.search("FLOOR|ID|NAME", span):
                    self.assertTrue((ROOT / span).exists(), f"{name}: {span}")

    def test_every_part_of_the_program_named_is_there(self):
        floors = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
        seen = 0
        for name, text in DOCUMENTS.items():
            for floor, noun in re.findall(r"`(\w+)/(\w+)(?:\.[ch])?`", text):
                if floor in floors:
                    seen += 1
                    found = list((ROOT / "src" / floor).glob(f"{noun}.[ch]")) or (ROOT / "src" / floor / noun).is_dir()
                    self.assertTrue(found, f"{name}: {floor}/{noun}")
        self.assertGreater(seen, 60)

    def test_every_link_leads_somewhere(self):
        for name, text in DOCUMENTS.items():
            for link, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", text):
                target = (ROOT / name).parent.joinpath(link) if link else ROOT / name
                self.assertTrue(target.exists(), f"{name}: {link}")
                if anchor:
                    headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
                    self.assertIn(anchor, map(slug, headings), f"{name}: {link}")

    def test_every_document_is_linked_from_another(self):
        linked = {pathlib.Path(link).name for text in DOCUMENTS.values() for link in re.findall(r"\]\(([\w./-]+)", text)}
        for name in DOCUMENTS:
            self.assertIn(pathlib.Path(name).name, linked | {"README.md"})


class Routes(unittest.TestCase):
    def test_every_request_named_is_one_that_the_table_of_roles_has(self):
        rows = re.findall(r"^\| ([A-Z]+) `(/[^`]+)` \|", DOCUMENTS["docs/roles.md"], re.MULTILINE)
        known = {(method, re.sub(r"\{\w+\}", "*", path)) for method, path in rows}
        paths = {path for _, path in known}
        seen = 0
        for name, text in DOCUMENTS.items():
            for span in spans(text):
                match = re.match(r"(?:([A-Z]+) )?(/(?:api/[^ ?]+|healthz|readyz|metrics))", span)
                if not match:
                    continue
                seen += 1
                path = re.sub(r"\{\w+\}|(?<=/)[A-Z]+\b", "*", match[2])
                self.assertIn(path, paths, f"{name}: {span}")
                if match[1]:
                    self.assertIn((match[1], path), known, f"{name}: {span}")
        self.assertGreater(seen, 60)


if __name__ == "__main__":
    unittest.main()
