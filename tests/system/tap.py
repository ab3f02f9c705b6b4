"""Runs the functions of a script whose names begin with test_ and prints TAP (testanything.org).

A test fails by an exception; its name, with blanks for underscores, is the sentence that is printed.
Arguments name the tests to run; without any, all are.
"""

import sys
import traceback


def main(namespace):
    tests = [value for name, value in namespace.items() if name.startswith("test_") and callable(value)]
    wanted = [test for test in tests if not sys.argv[1:] or test.__name__ in sys.argv[1:]]
    print(f"1..{len(wanted)}", flush=True)
    failed = 0
    for number, test in enumerate(wanted, 1):
        try:
            test()
            verdict = "ok"
        except Exception:  # the report goes on with the next test
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            verdict = "not ok"
            failed += 1
        print(f"{verdict} {number} - {test.__name__.removeprefix('test_').replace('_', ' ')}", flush=True)
    sys.exit(1 if failed else 0)
