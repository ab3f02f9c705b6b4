#!/usr/bin/env python3
"""Each check script finds what is planted in a small tree, and lets the law-abiding neighbour pass."""

import pathlib
import subprocess
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"


class CheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def plant(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def pair(self, noun, code="", header="#pragma once\n"):
        self.plant(f"src/{noun}.h", header)
        self.plant(f"src/{noun}.c", f'#include "{noun}.h"\n{code}')

    def run_check(self, name):
        return subprocess.run([SCRIPTS / name, self.root], text=True, capture_output=True, check=False)

    def finds(self, name, *expected):
        result = self.run_check(name)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        for line in expected:
            self.assertIn(line, result.stdout)

    def passes(self, name):
        result = self.run_check(name)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class Includes(CheckTest):
    def test_own_folder_and_lower_floor_pass(self):
        self.pair("base/error")
        self.pair("net/budget")
        self.pair("net/transfer", '#include "base/error.h"\n#include "net/budget.h"\n#include <curl/curl.h>\n')
        self.passes("check-includes")

    def test_a_floor_may_not_include_one_it_is_not_given(self):
        self.pair("vault/keyring")
        self.pair("comply/evaluate", '\n#include "vault/keyring.h"\n')
        self.finds("check-includes", 'src/comply/evaluate.c:3: comply/ may not include "vault/keyring.h"')

    def test_upper_floors_see_the_unit_of_work_but_no_driver(self):
        self.pair("db/db")
        self.pair("db/sqlite")
        self.pair("connect/refresh", '#include "db/db.h"\n')
        self.passes("check-includes")
        self.pair("connect/refresh", '#include "db/sqlite.h"\n')
        self.finds("check-includes", "src/connect/refresh.c:2: ")

    def test_a_library_is_included_by_its_door_only(self):
        self.pair("base/text", "#include <jansson.h>\n")
        self.finds("check-includes", "src/base/text.c:2: <jansson.h> may be included by base/json.c only")

    def test_no_header_shows_the_type_of_a_library(self):
        self.pair("base/json", header="#pragma once\n#include <jansson.h>\n")
        self.finds("check-includes", "src/base/json.h:2: ")

    def test_a_library_nobody_has_a_door_for_is_refused(self):
        self.pair("base/text", "#include <libxml/parser.h>\n")
        self.finds("check-includes", "<libxml/parser.h> has no door")

    def test_a_path_not_written_from_src_is_refused(self):
        self.pair("base/error")
        self.pair("base/text", '#include "error.h"\n')
        self.finds("check-includes", 'src/base/text.c:2: "error.h" is no file of src/')

    def test_two_files_that_include_each_other_are_a_circle(self):
        self.pair("net/retry", '#include "net/client.h"\n')
        self.pair("net/client", header='#pragma once\n#include "net/retry.h"\n')
        self.finds("check-includes", "includes go in a circle: net/client -> net/retry -> net/client")

    def test_a_longer_circle_through_headers_is_found(self):
        self.pair("net/a", header='#pragma once\n#include "net/b.h"\n')
        self.pair("net/b", header='#pragma once\n#include "net/c.h"\n')
        self.pair("net/c", '#include "net/a.h"\n')
        self.finds("check-includes", "net/a -> net/b -> net/c -> net/a")

    def test_a_header_alone_is_a_contract_both_sides_may_include(self):
        self.plant("src/db/driver.h", '#pragma once\n#include "db/db.h"\n')
        self.pair("db/db", '#include "db/driver.h"\n#include "db/sqlite.h"\n')
        self.pair("db/sqlite", '#include "db/driver.h"\n')
        self.passes("check-includes")

    def test_headers_that_include_each_other_are_a_circle_even_without_code(self):
        self.plant("src/db/driver.h", '#pragma once\n#include "db/unit.h"\n')
        self.plant("src/db/unit.h", '#pragma once\n#include "db/driver.h"\n')
        self.finds("check-includes", "db/driver.h -> db/unit.h -> db/driver.h")

    def test_an_include_in_a_comment_of_a_string_is_none(self):
        self.pair("base/text", 'static const char *s = " #include <jansson.h>";\n')
        self.passes("check-includes")

    def test_a_file_named_after_no_noun_is_refused(self):
        self.pair("base/string_util")
        self.finds("check-includes", "a file is named after its noun")


class Sizes(CheckTest):
    def function(self, lines, body="    x++;\n"):
        return "int f(int x)\n{\n" + body * (lines - 4) + "    return x;\n}\n"

    def test_a_function_of_a_hundred_lines_passes_and_one_more_does_not(self):
        small = "".join(f"int g{i}(int x)\n{{\n    return x;\n}}\n" for i in range(20))
        self.pair("base/text", small + self.function(100))
        self.passes("check-sizes")
        self.pair("base/text", small + self.function(101))
        self.finds("check-sizes", "f has 101 lines; the most is 100")

    def test_many_long_functions_fail_together(self):
        code = "".join(self.function(60).replace("int f", f"int f{i}") for i in range(5))
        self.pair("base/text", code)
        self.finds("check-sizes", "a tenth of the functions has over 60 lines")

    def test_a_file_of_over_a_thousand_lines_fails_in_tests_too(self):
        self.plant("tests/unit/base_text_test.c", "int x;\n" * 1001)
        self.finds("check-sizes", "tests/unit/base_text_test.c:1: file has 1001 lines")

    def test_a_file_without_a_header_fails(self):
        self.plant("src/base/text.c", "")
        self.plant("src/main.c", "")
        self.finds("check-sizes", "src/base/text.c:1: has no header of the same name")
        self.assertNotIn("main.c", self.run_check("check-sizes").stdout)

    def test_the_fourth_level_of_nesting_fails(self):
        opening = "".join("    if (x) {\n" for _ in range(3))
        self.pair("base/text", "int f(int x)\n{\n" + opening + "x++;\n" + "}\n" * 3 + "return x;\n}\n")
        self.passes("check-sizes")
        opening += "    for (;;) {\n"
        self.pair("base/text", "int f(int x)\n{\n" + opening + "x++;\n" + "}\n" * 4 + "return x;\n}\n")
        self.finds("check-sizes", "f nests 4 deep")

    def test_initializers_and_text_do_not_nest(self):
        code = 'int f(int x)\n{\n    if (x) {\n    if (x) {\n        if (x) {\n            P p = {{1}, {2}};\n' \
               '            g((P){.s = "{ if () {"});\n        }\n    }\n    }\n    return x;\n}\n'
        self.pair("base/text", code)
        self.passes("check-sizes")


class Banned(CheckTest):
    def test_an_unbounded_copy_is_found_and_its_mention_is_not(self):
        self.pair("base/text", "// strcpy(a, b) has no bound\nconst char *s = \"strcpy(a, b)\";\n")
        self.passes("check-banned")
        self.pair("base/text", "void f(void)\n{\n    strcpy(a, b);\n}\n")
        self.finds("check-banned", "src/base/text.c:4: strcpy() has no bound")

    def test_names_that_merely_end_alike_are_not_found(self):
        self.pair("base/text", "void f(void)\n{\n    run_time(a);\n    g_snprintf(a);\n    x->time(1);\n}\n")
        self.passes("check-banned")

    def test_the_only_clock_is_base_clock(self):
        self.pair("base/clock", "void f(void)\n{\n    clock_gettime(a, b);\n}\n")
        self.passes("check-banned")
        self.pair("net/budget", "void f(void)\n{\n    g_get_monotonic_time();\n}\n")
        self.finds("check-banned", "src/net/budget.c:4: g_get_monotonic_time() is a second clock")

    def test_a_library_does_not_print_and_the_command_line_does(self):
        self.pair("cli/sync", 'void f(void)\n{\n    printf("done");\n}\n')
        self.plant("tests/unit/base_text_test.c", 'void f(void)\n{\n    printf("ok");\n}\n')
        self.passes("check-banned")
        self.pair("net/client", 'void f(void)\n{\n    fprintf(stderr, "oops");\n}\n')
        self.finds("check-banned", "src/net/client.c:4: fprintf() prints from a library")

    def test_the_environment_is_read_in_few_places(self):
        self.pair("vault/keyring", 'void f(void)\n{\n    getenv("X");\n}\n')
        self.passes("check-banned")
        self.pair("net/client", 'void f(void)\n{\n    g_getenv("X");\n}\n')
        self.finds("check-banned", "src/net/client.c:4: g_getenv()")

    def test_one_file_names_the_way_to_the_instance_metadata_service(self):
        self.pair("connect/aws_metadata", "void f(void)\n{\n    request->instance_metadata = true;\n}\n")
        self.passes("check-banned")
        self.pair("connect/sender", "void f(void)\n{\n    request->instance_metadata = true;\n}\n")
        self.finds("check-banned", "src/connect/sender.c:4: instance_metadata opens the way")

    def test_sql_in_c_is_found_in_any_case_and_prose_is_not(self):
        self.pair("store/job", 'const char *s = "select the job first", *t = "Update the clock";\n')
        self.passes("check-banned")
        for text in ("SELECT id FROM job", "insert into job values (1)", "delete from job", "Create Table job (",
                     "UPDATE job SET x = 1", "select count(*)"):
            self.pair("store/job", f'const char *s = "{text}";\n')
            self.finds("check-banned", "src/store/job.c:2: SQL in C")

    def test_control_statements_belong_to_the_driver(self):
        self.pair("db/sqlite", 'const char *s = "PRAGMA journal_mode = wal", *t = "BEGIN IMMEDIATE";\n')
        self.passes("check-banned")
        self.pair("store/job", 'const char *s = "PRAGMA journal_mode = wal";\n')
        self.finds("check-banned", "src/store/job.c:2: a statement of the database driver")

    def test_unfinished_work_is_found_in_code_scripts_and_prose(self):
        marks = ["TO" + "DO", "FIX" + "ME", "for" + " now", "St" + "ub", "place" + "holder"]
        for path in ("src/base/text.h", "scripts/demo", "README.md", "src/store/sql/job.sql", "tests/system/run.sh"):
            for mark in marks:
                self.plant(path, f"\n// {mark}: later\n")
                self.finds("check-banned", f'{path}:2: "{mark}" marks unfinished work')
            self.plant(path, "stubborn todos for nowhere, HACKNEY\n")
            self.passes("check-banned")


class Tests(CheckTest):
    def test_nine_lines_of_test_for_ten_of_code_are_enough_and_eight_are_not(self):
        self.plant("src/base/text.c", "x\n\n" * 9)
        self.plant("src/store/sql/job.sql", "select 1\n")
        self.plant("tests/unit/base_text_test.c", "x\n" * 6 + "\n" * 9)
        self.plant("tests/system/serve_test.py", "x\n" * 3)
        self.passes("check-tests")
        self.plant("tests/system/serve_test.py", "x\n" * 2)
        self.finds("check-tests", "8 lines of test for 10 of code")

    def test_comments_count_on_neither_side(self):
        self.plant("src/base/text.c", "/* one\n * two */\n" + "x /* y */\n" * 10)
        self.plant("src/store/sql/job.sql", "-- one\n" * 10)
        self.plant("tests/unit/base_text_test.c", "x\n" * 4 + "// y\n" * 9)
        self.plant("tests/system/serve_test.py", "x\n" * 4 + "# y\n" * 9)
        self.finds("check-tests", "8 lines of test for 10 of code")

    def test_recorded_bodies_and_golden_documents_are_no_tests(self):
        self.plant("src/base/text.c", "x\n" * 10)
        self.plant("tests/contract/fixtures/body.txt", "x\n" * 1000)
        self.plant("tests/CMakeLists.txt", "x\n" * 1000)
        self.plant("providers/tests/github/alerts.golden.json", "x\n" * 1000)
        self.plant("providers/tests/github/alerts.jsonl", "x\n" * 1000)
        self.finds("check-tests", "0 lines of test for 10 of code")

    def test_tables_of_cases_are_tests(self):
        self.plant("src/base/text.c", "x\n" * 10)
        self.plant("tests/unit/provider_expr_cases.txt", "x\n" * 9)
        self.passes("check-tests")

    def test_the_sandbox_and_its_own_tests_are_left_out(self):
        self.plant("src/base/text.c", "x\n" * 10)
        self.plant("sandbox/server.c", "x\n" * 1000)
        self.plant("tests/system/sandbox_test.py", "x\n" * 1000)
        self.plant("tests/system/sandbox_client.py", "x\n" * 9)
        self.passes("check-tests")
        self.plant("tests/system/sandbox_client.py", "x\n" * 8)
        self.finds("check-tests", "8 lines of test for 10 of code")


class Counts(CheckTest):
    def count(self, *tests):
        rows = "".join(f'<testcase name="t" status="{status}"><system-out>{output}</system-out></testcase>'
                       for status, output in tests)
        self.plant("tests.xml", f"<testsuite>{rows}</testsuite>")
        command = [SCRIPTS / "count-tests", self.root / "tests.xml"]
        return subprocess.run(command, text=True, capture_output=True, check=True).stdout.strip()

    def test_every_case_counts_and_a_plain_script_is_one(self):
        tap = "1..3\nok 1 /a\nok 2 /b\nok 3 /c # SKIP not here\n"
        self.assertEqual(self.count(("run", tap), ("run", "fine\n"), ("run", "Ran 27 tests in 2s\nOK\n")), "30 0")

    def test_a_crash_after_good_cases_is_a_failure(self):
        self.assertEqual(self.count(("fail", "ok 1 /a\nok 2 /b\n")), "2 1")
        self.assertEqual(self.count(("fail", "ok 1 /a\nnot ok 2 /b\nnot ok 3 /c\n")), "1 2")

    def test_a_test_that_never_ran_is_a_failure(self):
        self.assertEqual(self.count(("notrun", "")), "0 1")

    def test_a_case_said_to_fail_counts_even_if_the_program_was_content(self):
        self.assertEqual(self.count(("run", "ok 1 /a\nnot ok 2 /b\n")), "1 1")


class Migrations(CheckTest):
    def embed(self, last, name="0009_more"):
        """The catalogue of ten migrations of which the last is this."""
        for number in range(9):
            self.plant(f"sql/migrations/{number:04d}_t{number}.sql", f"create table t{number} (id {{{{id}}}}) {{{{strict}}}};\n")
        self.plant(f"sql/migrations/{name}.sql", last)
        return subprocess.run([SCRIPTS / "embed-sql", self.root / "out.c", self.root / "sql"], text=True, capture_output=True,
                              check=False)

    def test_a_migration_may_add(self):
        done = self.embed("create table new (id {{id}}) {{strict}};\ncreate unique index new_by_id on new (id);\n"
                          "alter table t0 add column a {{int}} not null default 0;\nalter table t0 add column b {{int}};\n"
                          "update t0 set a = 1;\ncreate index t0_by_a on t0 (a);\ndrop index t0_by_a;\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_the_version_before_could_not_live_with_is_refused(self):
        for text, why in (("drop table t0;", "takes away"), ("delete from t0;", "takes away"),
                          ("alter table t0 rename to u0;", "only columns may be added"),
                          ("alter table t0 add column a {{int}} not null;", "wants a default"),
                          ("create unique index t0_by_id on t0 (id);", "may write what this index refuses")):
            done = self.embed(text + "\n")
            self.assertEqual(done.returncode, 1, text)
            self.assertIn(why, done.stderr)

    def test_sqlite_is_given_checks_without_lists_of_three_and_more(self):
        done = self.embed("create table new (a {{id}} check (a in ('x', 'y')), b {{id}} not null\n"
                          "    check (b in ('x', 'y', 'it''s')), c {{int}}) {{strict}};\n"
                          "create index new_by_b on new (b) where b in ('x', 'y', 'z');\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = (self.root / "out.c").read_text()
        self.assertEqual(text.count("check (b = 'x' or b = 'y' or b = 'it''s')"), 1)
        self.assertEqual(text.count("check (b in ('x', 'y', 'it''s'))"), 1)  # PostgreSQL's
        self.assertEqual(text.count("check (a in ('x', 'y'))"), 2)
        self.assertEqual(text.count("where b in ('x', 'y', 'z')"), 2)

    def test_a_migration_that_says_so_may_take_away(self):
        self.assertEqual(self.embed("drop table t0;\n", "0009_contract_t0").returncode, 0)


if __name__ == "__main__":
    unittest.main()
