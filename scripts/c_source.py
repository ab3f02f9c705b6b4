"""C files as the check scripts see them: which there are, and their text without comments or strings."""

import argparse
import pathlib
import re
import sys

TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<literal>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
    re.DOTALL,
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.MULTILINE)


class Source:
    """One file: path is relative to the root and spelled with slashes."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.text = path.read_text(encoding="utf-8")

    def code(self):
        """The text with comments and the inside of literals blanked, line numbers kept."""

        def blank(match):
            found = match.group()
            body = re.sub(r"[^\n]", " ", found)
            return body if match["comment"] else found[0] + body[1:-1] + found[-1]

        return TOKEN.sub(blank, self.text)

    def literals(self):
        """(line, text between the quotes) of every string literal, the names of includes left out."""
        for match in TOKEN.finditer(INCLUDE.sub(lambda found: " " * len(found[0]), self.text)):
            if match["literal"] and match["literal"][0] == '"':
                yield self.line(match.start()), match["literal"][1:-1]

    def includes(self):
        """(line, quoted or not, name) of every include."""
        for match in INCLUDE.finditer(self.text):
            yield self.line(match.start(1)), match[1] == '"', match[2]

    def line(self, offset):
        return self.text.count("\n", 0, offset) + 1


def sources(root, folders, suffixes=(".c", ".h")):
    """Every C file below the folders of root, sorted."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file() and "node_modules" not in path.parts:
                yield Source(root, path)


def root_argument(description):
    """The tree to look at: the first argument, else the repository this script stands in."""
    parser = argparse.ArgumentParser(description=description)
    here = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=here)
    return parser.parse_args().root.resolve()


def report(name, problems, summary):
    """Prints file:line: message for each problem and one line that sums up; gives the exit status."""
    for path, line, message in sorted(problems):
        print(f"{path}:{line}: {message}")
    found = f"{len(problems)} problems" if problems else "ok"
    print(f"{name}: {found} ({summary})")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit("c_source is a module of the check scripts.")
