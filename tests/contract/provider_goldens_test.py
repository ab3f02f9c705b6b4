#!/usr/bin/env python3
"""Every check of every definition is seen by its recorded exchanges (providers/tests) in each state that it can have:
passing, failing, unread, and not applicable where it says when it applies."""

import collections
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

DEBIAN_PYTHON = "/usr/bin/python3"
if not os.path.samefile(sys.executable, DEBIAN_PYTHON):
    os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, *sys.argv])

import yaml  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROVIDERS = SOURCE / "providers"

ROWS = {"exempt row": "notApplicable", "unread row": "couldNotRead"}
# "provider.type.check: state" that cannot be recorded, and why. A line that is not needed is wrong, too.
EXCEPTIONS = {}

DEMO = """
evidence:
  keys:
    read: {region: {call: regions}, key: {call: keys, for: region}, rotation: {call: rotation, for: key}}
    row_of: key
    row: {id: .key.id, rotates: .rotation.on}
    checks: {rotates: {resource: .id, applies: .id != null, pass: .rotates}}
"""


class Check:
    """A check of a definition, and what must be seen of it."""

    def __init__(self, name, evidence, spec):
        self.name = name
        self.side_reads = side_reads(evidence, spec)
        self.wanted = {"pass", "fail", "could_not_read"}
        if "applies" in spec:
            self.wanted.add("exempt row")
        if self.side_reads:  # one that is denied leaves rows unread, whatever the list of them says
            self.wanted.add("unread row")


def mentions(text, name):
    return re.search(rf"\.{re.escape(name)}\b", text) is not None


def chain(evidence):
    """The reads that make the rows."""
    reads = evidence["read"]
    node, names = evidence.get("row_of") or next(iter(reads)), set()
    while node:
        names.add(node)
        node = reads[node].get("for")
    return names


def side_reads(evidence, spec):
    """The reads beside the list of rows that a check rests on."""
    asked = " ".join(str(spec.get(key, "")) for key in ("pass", "applies", "resource"))
    row = evidence["row"]
    texts = [row] if isinstance(row, str) else [str(text) for field, text in row.items() if mentions(asked, field)]
    return {name for name in set(evidence["read"]) - chain(evidence) if any(mentions(text, name) for text in texts)}


def checks_of(definition):
    return [Check(f"{kind}.{name}", evidence, spec) for kind, evidence in definition["evidence"].items()
            for name, spec in evidence.get("checks", {}).items()]


def seen_in(folder):
    """The states of each check in the golden documents of a folder."""
    seen = collections.defaultdict(set)
    for golden in folder.glob("*.golden.json"):
        for name, result in json.loads(golden.read_text(encoding="utf-8"))["checks"].items():
            seen[name].add(result["verdict"])
            seen[name] |= {state for state, count in ROWS.items() if result[count] > 0}
    return seen


def problems(providers, exceptions):
    found, spared = [], set()
    for file in sorted(providers.glob("*.yaml")):
        seen = seen_in(providers / "tests" / file.stem)
        for check in checks_of(yaml.safe_load(file.read_text(encoding="utf-8"))):
            for state in sorted(check.wanted - seen.pop(check.name, set())):
                key = f"{file.stem}.{check.name}: {state}"
                if key in exceptions:
                    spared.add(key)
                else:
                    found.append(f"{key} is in no golden document")
        found += [f"{file.stem}.{name}: there is no such check" for name in seen]
    return found + [f"{key}: needs no exception" for key in sorted(set(exceptions) - spared)]


class Goldens(unittest.TestCase):
    def test_every_check_is_seen_in_every_state_that_it_can_have(self):
        self.assertEqual(problems(PROVIDERS, EXCEPTIONS), [])

    def plant(self, **results):
        """A definition of one list with one side read, and what its golden documents say of its checks."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        providers = pathlib.Path(folder.name)
        (providers / "tests/demo").mkdir(parents=True)
        (providers / "demo.yaml").write_text(DEMO, encoding="utf-8")
        for state, result in results.items():
            counts = {"verdict": state, "notApplicable": 0, "couldNotRead": 0, **result}
            (providers / f"tests/demo/{state}.golden.json").write_text(json.dumps({"checks": {"keys.rotates": counts}}))
        return providers

    def test_a_state_that_was_never_seen_is_told(self):
        states = {"pass": {"notApplicable": 1}, "fail": {}, "could_not_read": {"couldNotRead": 1}}
        self.assertEqual(problems(self.plant(**states), {}), [])
        for state in states:
            rest = {name: dict(counts) for name, counts in states.items() if name != state}
            self.assertIn(f"demo.keys.rotates: {state} is in no golden document", problems(self.plant(**rest), {}))

    def test_rows_that_side_reads_leave_unread_and_rows_that_are_exempt_are_wanted(self):
        bare = self.plant(**{"pass": {}, "fail": {}, "could_not_read": {}, "not_applicable": {}})
        missing = ["demo.keys.rotates: exempt row", "demo.keys.rotates: unread row"]
        self.assertEqual(problems(bare, {}), [f"{key} is in no golden document" for key in missing])
        self.assertEqual(problems(bare, {missing[0]: "why"}), [f"{missing[1]} is in no golden document"])

    def test_an_exception_that_is_not_needed_is_wrong(self):
        states = {"pass": {"notApplicable": 1}, "fail": {}, "could_not_read": {"couldNotRead": 1}}
        self.assertEqual(problems(self.plant(**states), {"demo.keys.rotates: fail": "why"}),
                         ["demo.keys.rotates: fail: needs no exception"])

    def test_only_reads_beside_the_rows_are_side_reads(self):
        definition = yaml.safe_load(DEMO)["evidence"]["keys"]
        self.assertEqual(chain(definition), {"region", "key"})
        self.assertEqual(side_reads(definition, {"pass": ".rotates"}), {"rotation"})
        self.assertEqual(side_reads(definition, {"pass": ".id != null"}), set())


if __name__ == "__main__":
    unittest.main()
