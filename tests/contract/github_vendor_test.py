#!/usr/bin/env python3
"""GitHub's definition against what GitHub itself published: the recorded exchanges of npm's
@octokit/fixtures, the examples and schemas of @octokit/openapi (scripts/install-node-modules).

Exchanges are taken as they were recorded; only hosts, owners and names are lined up, so that they
belong to one run. The YAML reader is Debian's, so this runs under Debian's Python whatever started it.
"""

import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest
from urllib.parse import urlsplit

DEBIAN_PYTHON = "/usr/bin/python3"
if not os.path.samefile(sys.executable, DEBIAN_PYTHON):
    os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, *sys.argv])

import yaml  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
VENDOR = SOURCE / "tests/contract/vendor"
sys.path.insert(0, str(VENDOR))
from expression_reads import ANY, Schemas, follow, follow_template  # noqa: E402

ASSAY = pathlib.Path(os.environ.get("ASSAY_BUILD", SOURCE / "build/debug")) / "assay"
PACKAGES = VENDOR / "node_modules/@octokit"
SCENARIOS = PACKAGES / "fixtures/scenarios/api.github.com"
PRODUCTS = ("api.github.com", "ghec", "ghes-3.17", "ghes-3.18", "ghes-3.19")
DEFINITION = yaml.safe_load((SOURCE / "providers/github.yaml").read_text(encoding="utf-8"))
API = "https://api.github.com"
CLOCK = "2026-11-20T09:00:00.000Z"

# What a row of branch protection says when nothing is asked for.
NOTHING = {"branch": "main", "branchExists": True, "protected": False, "source": "none", "requiresPullRequest": False,
           "requiredReviewers": 0, "dismissesStaleReviews": False, "requiresCodeOwnerReviews": False,
           "requiresLastPushApproval": False, "requiresConversationResolution": False, "requiresStatusChecks": False,
           "statusChecks": [], "enforcesAdmins": False, "requiresSignedCommits": False,
           "requiresLinearHistory": False, "forcePushesBlocked": False, "deletionsBlocked": False}


def load(path):
    assert path.exists(), f"{path} is missing; run scripts/install-node-modules"
    return json.loads(path.read_text(encoding="utf-8"))


def fixture(scenario, kind="normalized"):
    return load(SCENARIOS / scenario / f"{kind}-fixture.json")


def recorded(scenario, method, status, number=0):
    """The headers and the body of one recorded exchange."""
    found = [one for one in fixture(scenario) if (one["method"], one["status"]) == (method, status)]
    return found[number]


class Description:
    """The OpenAPI description of one of GitHub's products."""

    loaded = {}

    def __init__(self, product):
        self.product = product
        self.document = load(PACKAGES / f"openapi/generated/{product}.json")
        self.schemas = Schemas(self.document)

    @classmethod
    def of(cls, product):
        if product not in cls.loaded:
            cls.loaded[product] = cls(product)
        return cls.loaded[product]

    def operation(self, template):
        """The GET whose path has this shape; names of its path parameters do not matter."""
        shape = re.sub(r"\{\w*\}", "{}", template)
        (found,) = [methods["get"] for path, methods in self.document["paths"].items()
                    if re.sub(r"\{\w*\}", "{}", path) == shape and "get" in methods]
        return found

    def content(self, template, status):
        answer = self.operation(template)["responses"].get(str(status))
        return self.schemas.resolve(answer)["content"]["application/json"] if answer else None

    def schema(self, template, status=200):
        content = self.content(template, status)
        return content["schema"] if content else {"$ref": "#/components/schemas/basic-error"}

    def examples(self, template):
        return [self.schemas.resolve(example)["value"] for example in self.content(template, 200)["examples"].values()]

    def example(self, template):
        return self.examples(template)[0]


def shape_of(call):
    """The path of a call as {}: \\(...) each stand for one parameter."""
    return follow_template(call["get"], Schemas({}), ANY, set(), [])


def shapes():
    return {name: shape_of(call) for name, call in DEFINITION["calls"].items()}


class Case:
    """One case of `assay provider test`: exchanges in, evidence and verdicts out."""

    def __init__(self, *types, **settings):
        self.run = {"run": {"settings": settings, "evidenceTypes": types, "clock": CLOCK}}
        self.base = settings.get("api_url", API)
        self.exchanges = []

    def answer(self, path, body, status=200, headers=None):
        url = path if path.startswith("https:") else self.base + path
        self.exchanges.append({"request": {"method": "GET", "url": url},
                               "response": {"status": status, "headers": headers or {}, "body": body}})

    def replay(self, path, exchange, body=None):
        """A recorded exchange as the answer to a request of ours."""
        self.answer(path, exchange["response"] if body is None else body, exchange["status"], exchange["headers"])

    def repositories(self, owner, repositories, headers=None):
        self.answer(f"/orgs/{owner}/repos?per_page=100&type=all", repositories, headers=headers)

    def outcome(self):
        with tempfile.TemporaryDirectory() as folder:
            tests = pathlib.Path(folder) / "providers/tests/github"
            tests.mkdir(parents=True)
            (tests.parents[1] / "github.yaml").write_bytes((SOURCE / "providers/github.yaml").read_bytes())
            lines = "".join(json.dumps(one) + "\n" for one in [self.run, *self.exchanges])
            (tests / "vendor.jsonl").write_text(lines)
            command = [ASSAY, "provider", "test", tests, "--write", "--json", "--data", pathlib.Path(folder) / "data"]
            result = subprocess.run(command, text=True, capture_output=True, check=False, timeout=300)
            assert result.returncode == 0, result.stdout + result.stderr
            return load(tests / "vendor.golden.json")


def branch_path(owner, name, branch="main"):
    return f"/repos/{owner}/{name}/branches/{branch}/protection"


def rules_path(owner, name, branch="main"):
    return f"/repos/{owner}/{name}/rules/branches/{branch}?per_page=100"


def alerts_path(owner, name, kind):
    return f"/repos/{owner}/{name}/{kind}/alerts?per_page=100&state=open"


class VendorTest(unittest.TestCase):
    maxDiff = None

    def assertChecks(self, outcome, expected):
        """Each check as (passed, failed, could not read, not applicable)."""
        counts = {name.split(".")[1]: (check["passed"], check["failed"], check["couldNotRead"], check["notApplicable"])
                  for name, check in outcome["checks"].items()}
        self.assertEqual({name: counts[name] for name in expected}, expected)


class Packages(VendorTest):
    def test_the_packages_are_there_in_the_versions_of_the_lock(self):
        locked = load(VENDOR / "package-lock.json")["packages"]
        for name in ("fixtures", "openapi"):
            self.assertEqual(load(PACKAGES / name / "package.json")["version"],
                             locked[f"node_modules/@octokit/{name}"]["version"])

    def test_the_lock_knows_the_usual_registry_only(self):
        locked = load(VENDOR / "package-lock.json")["packages"]
        for name, package in locked.items():
            if name:
                self.assertRegex(package.get("resolved", "https://registry.npmjs.org/"), "^https://registry.npmjs.org/")
                self.assertRegex(package["integrity"], r"^sha512-")
        wanted = load(VENDOR / "package.json")["devDependencies"]
        self.assertEqual(locked[""]["devDependencies"], wanted)
        for version in wanted.values():
            self.assertRegex(version, r"^\d+\.\d+\.\d+$")


class Recorded(VendorTest):
    """@octokit/fixtures"""

    OWNER = "octokit-fixture-org"
    BARE = {**NOTHING, "protected": True, "source": "classic", "forcePushesBlocked": True, "deletionsBlocked": True}
    FULL = {**BARE, "requiresPullRequest": True, "requiredReviewers": 1, "dismissesStaleReviews": True,
            "requiresStatusChecks": True, "statusChecks": ["foo/bar"], "enforcesAdmins": True}

    def repository(self, name):
        text = json.dumps(recorded("get-repository", "get", 200)["response"]).replace("hello-world", name)
        return {**json.loads(text), "default_branch": "main"}

    def test_branch_protection_as_it_was_recorded(self):
        case = Case("branch_protection", organization=self.OWNER)
        answers = {"unprotected": recorded("branch-protection", "get", 404),
                   "bare": recorded("branch-protection", "put", 200, 0),
                   "full": recorded("branch-protection", "put", 200, 1),
                   "renamed": recorded("rename-repository", "get", 301)}
        case.repositories(self.OWNER, [self.repository(name) for name in answers])
        for name, exchange in answers.items():
            case.replay(branch_path(self.OWNER, name), exchange)
            case.answer(rules_path(self.OWNER, name), [])
        case.replay(answers["renamed"]["headers"]["location"], answers["full"])
        outcome = case.outcome()
        rows = outcome["evidence"]["branch_protection"]["data"]["details"]
        expected = {"unprotected": NOTHING, "bare": self.BARE, "full": self.FULL, "renamed": self.FULL}
        self.assertEqual(rows, [{**row, "repository": f"{self.OWNER}/{name}"} for name, row in expected.items()])
        self.assertEqual(outcome["errors"], [])
        self.assertChecks(outcome, {"default_branch_protected": (3, 1, 0, 0), "pull_request_required": (2, 2, 0, 0),
                                    "review_required": (2, 2, 0, 0), "status_checks_required": (2, 2, 0, 0),
                                    "admins_included": (2, 2, 0, 0), "force_push_blocked": (3, 1, 0, 0),
                                    "deletion_blocked": (3, 1, 0, 0), "signed_commits_required": (0, 4, 0, 0)})

    def test_every_repository_recorded_is_read_over_pages_as_recorded(self):
        repositories = [one["response"] for path in sorted(SCENARIOS.glob("*/raw-fixture.json")) for one in load(path)
                        if (one["method"], one["path"], one["status"]) == ("post", f"/orgs/{self.OWNER}/repos", 201)]
        self.assertGreater(len(repositories), 10)
        pages = [one for one in fixture("paginate-issues") if one["method"] == "get"]
        self.assertEqual(len(pages), 5)
        size = -(-len(repositories) // len(pages))
        case = Case("branch_protection", organization=self.OWNER)
        for number, page in enumerate(pages, 1):
            ours = "/organizations/1000/repos?per_page=100&type=all"
            page["headers"]["link"] = page["headers"]["link"].replace("/repositories/1000/issues?per_page=3", ours)
            path = f"/orgs/{self.OWNER}/repos?per_page=100&type=all" if number == 1 else f"{ours}&page={number}"
            case.replay(path, page, repositories[(number - 1) * size:number * size])
        unprotected = recorded("branch-protection", "get", 404)
        for one in repositories:
            case.replay(branch_path(self.OWNER, one["name"], one["default_branch"]), unprotected)
            case.answer(rules_path(self.OWNER, one["name"], one["default_branch"]), [])
        evidence = case.outcome()["evidence"]["branch_protection"]
        rows = [{**NOTHING, "repository": one["full_name"], "branch": one["default_branch"]} for one in repositories]
        self.assertEqual(evidence["data"]["details"], rows)
        self.assertEqual(evidence["data"]["unprotectedRepositories"], len(repositories))
        root = evidence["completeness"]["reads"][0]
        self.assertEqual((root["pages"], root["rows"]), (5, len(repositories)))
        self.assertTrue(evidence["completeness"]["complete"])

    def test_the_errors_recorded_are_no_evidence_of_anything(self):
        case = Case("security_alerts", organization=self.OWNER)
        case.repositories(self.OWNER, [self.repository("errors")])
        case.replay(alerts_path(self.OWNER, "errors", "dependabot"), recorded("errors", "post", 422))
        case.answer(alerts_path(self.OWNER, "errors", "code-scanning"), [])
        outcome = case.outcome()
        (row,) = outcome["evidence"]["security_alerts"]["data"]["details"]
        self.assertEqual((row["dependabotEnabled"], row["dependabotAlerts"]), (None, None))
        self.assertEqual(row["codeScanningEnabled"], True)
        self.assertEqual(row["_unread"]["reads"], {"dependabot": "bad_request"})
        self.assertEqual([error["code"] for error in outcome["errors"]], ["CONFIGURATION_ERROR"])
        self.assertChecks(outcome, {"dependabot_enabled": (0, 0, 1, 0), "no_critical_dependabot_alerts": (0, 0, 1, 0),
                                    "code_scanning_enabled": (1, 0, 0, 0)})

    def test_every_header_that_is_read_is_sent(self):
        sent = set()
        for path in SCENARIOS.glob("*/normalized-fixture.json"):
            for one in load(path):
                headers = {name.lower(): value for name, value in one["headers"].items()}
                sent |= {*headers, *headers.get("access-control-expose-headers", "").lower().split(", ")}
        text = (SOURCE / "providers/github.yaml").read_text()
        read = set(re.findall(r"\.headers\[\"([\w-]+)\"\]", text)) | set(re.findall(r"header: ([\w-]+)", text))
        read |= {limit for limit in re.findall(r"(?:limit|remaining): (x-[\w-]+)", text)}
        read -= {"X-Hub-Signature-256", "X-GitHub-Event"}  # of webhooks
        self.assertGreater(len(read), 4)
        self.assertEqual({name.lower() for name in read} - sent, set())


class Examples(VendorTest):
    """The examples of @octokit/openapi, of every product that Assay may be connected to."""

    OWNER, NAME = "octocat", "Hello-World"
    BASES = {"api.github.com": API, "ghec": "https://api.acme.ghe.com"}

    def test_the_examples_of_every_call_give_their_rows(self):
        for product in PRODUCTS:
            with self.subTest(product):
                self.examples_of(Description.of(product), self.BASES.get(product, "https://github.acme.example/api/v3"))

    def examples_of(self, description, base):
        paths = shapes()
        case = Case("branch_protection", "security_alerts", organization=self.OWNER, api_url=base)
        case.repositories(self.OWNER, description.example(paths["repos"]))
        case.answer(branch_path(self.OWNER, self.NAME, "master"), description.example(paths["protection"]))
        case.answer(rules_path(self.OWNER, self.NAME, "master"), description.example(paths["branch_rules"]))
        for kind, call in (("dependabot", "dependabot_alerts"), ("code-scanning", "code_scanning_alerts")):
            alerts = [alert for alert in description.example(paths[call]) if alert["state"] == "open"]  # ?state=open
            self.assertEqual(len(alerts), 1)
            case.answer(alerts_path(self.OWNER, self.NAME, kind), alerts)
        outcome = case.outcome()
        self.assertEqual(outcome["errors"], [])
        protection, alerts = (outcome["evidence"][name]["data"]["details"]
                              for name in ("branch_protection", "security_alerts"))
        self.assertEqual(protection, [{
            **NOTHING, "repository": "octocat/Hello-World", "branch": "master", "protected": True,
            "source": "classic and ruleset", "requiresPullRequest": True, "requiredReviewers": 2,
            "dismissesStaleReviews": True, "requiresCodeOwnerReviews": True, "requiresLastPushApproval": True,
            "requiresConversationResolution": True, "requiresStatusChecks": True,
            "statusChecks": ["continuous-integration/travis-ci"], "enforcesAdmins": True,
            "requiresLinearHistory": True}])
        self.assertEqual(alerts, [{
            "repository": "octocat/Hello-World", "dependabotEnabled": True, "codeScanningEnabled": True,
            "dependabotAlerts": {"total": 1, "critical": 0, "high": 0, "medium": 1, "low": 0},
            "codeScanningAlerts": {"total": 1, "error": 1, "warning": 0}}])
        passing, failing = (1, 0, 0, 0), (0, 1, 0, 0)
        self.assertChecks(outcome, {
            "default_branch_protected": passing, "pull_request_required": passing, "review_required": passing,
            "status_checks_required": passing, "admins_included": passing, "force_push_blocked": failing,
            "deletion_blocked": failing, "signed_commits_required": failing, "dependabot_enabled": passing,
            "no_critical_dependabot_alerts": passing, "no_high_dependabot_alerts": passing,
            "code_scanning_enabled": passing, "no_code_scanning_errors": failing})

    def test_an_alert_of_every_severity_that_there_is_counts(self):
        description, paths = Description.of("api.github.com"), shapes()
        case = Case("security_alerts", organization=self.OWNER)
        case.repositories(self.OWNER, description.example(paths["repos"]))
        for kind, call, member in (("dependabot", "dependabot_alerts", "security_advisory"),
                                   ("code-scanning", "code_scanning_alerts", "rule")):
            ((answers, _),) = follow(f".[].{member}.severity", description.schemas,
                                     description.schema(paths[call]), set(), [])
            alert = json.dumps(description.example(paths[call])[0])
            alerts = [json.loads(alert) for _ in answers[0]["enum"]]
            for one, severity in zip(alerts, answers[0]["enum"]):
                one[member]["severity"] = severity
            self.assertEqual(len(alerts), 4)
            case.answer(alerts_path(self.OWNER, self.NAME, kind), alerts)
        outcome = case.outcome()
        (row,) = outcome["evidence"]["security_alerts"]["data"]["details"]
        self.assertEqual(row["dependabotAlerts"], {"total": 4, "critical": 1, "high": 1, "medium": 1, "low": 1})
        self.assertEqual(row["codeScanningAlerts"], {"total": 4, "error": 1, "warning": 1})
        failing = (0, 1, 0, 0)
        self.assertChecks(outcome, {"no_critical_dependabot_alerts": failing, "no_high_dependabot_alerts": failing,
                                    "no_code_scanning_errors": failing})

    def test_a_rule_of_every_type_that_there_is_gives_its_row(self):
        description, paths = Description.of("api.github.com"), shapes()
        reads = {"pull_request": {"requiresPullRequest": True, "requiredReviewers": 10, "dismissesStaleReviews": True,
                                  "requiresCodeOwnerReviews": True, "requiresLastPushApproval": True,
                                  "requiresConversationResolution": True},
                 "required_status_checks": {"requiresStatusChecks": True, "statusChecks": ["some text"]},
                 "required_signatures": {"requiresSignedCommits": True}, "deletion": {"deletionsBlocked": True},
                 "required_linear_history": {"requiresLinearHistory": True},
                 "non_fast_forward": {"forcePushesBlocked": True}}
        items = description.schemas.resolve(description.schema(paths["branch_rules"])["items"])
        rules = [sample(description.schemas, schema) for schema in items["oneOf"]]
        self.assertLess(set(reads), {rule["type"] for rule in rules})
        case = Case("branch_protection", organization=self.OWNER)
        repository = json.dumps(description.example(paths["repos"])[0])
        case.repositories(self.OWNER, [json.loads(repository.replace(self.NAME, rule["type"])) for rule in rules])
        for rule in rules:
            case.replay(branch_path(self.OWNER, rule["type"], "master"), recorded("branch-protection", "get", 404))
            case.answer(rules_path(self.OWNER, rule["type"], "master"), [rule])
        rows = case.outcome()["evidence"]["branch_protection"]["data"]["details"]
        ruled = {**NOTHING, "branch": "master", "protected": True, "source": "ruleset", "enforcesAdmins": None}
        self.assertEqual(rows, [{**ruled, **reads.get(rule["type"], {}), "repository": f"{self.OWNER}/{rule['type']}"}
                                for rule in rules])

    def test_the_documented_failure_of_code_scanning_is_a_failure(self):
        description, paths = Description.of("api.github.com"), shapes()
        case = Case("security_alerts", organization=self.OWNER)
        case.repositories(self.OWNER, description.example(paths["repos"]))
        case.answer(alerts_path(self.OWNER, self.NAME, "dependabot"), [])
        case.answer(alerts_path(self.OWNER, self.NAME, "code-scanning"),
                    sample(description.schemas, description.schema(paths["code_scanning_alerts"], 503)), 503)
        outcome = case.outcome()
        self.assertEqual([error["code"] for error in outcome["errors"]], ["SERVICE_UNAVAILABLE"])
        self.assertChecks(outcome, {"code_scanning_enabled": (0, 0, 1, 0), "dependabot_enabled": (1, 0, 0, 0)})


def sample(schemas, schema):
    """A value that a schema allows, with every member that it knows; numbers as large as they may be."""
    schema = schemas.resolve(schema)
    if "allOf" in schema:
        return {name: value for part in schema["allOf"] for name, value in sample(schemas, part).items()}
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return sample(schemas, schema[choice][0])
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return {name: sample(schemas, member) for name, member in schema["properties"].items()}
    kinds = {"boolean": True, "integer": schema.get("maximum", 7), "number": 7, "string": "some text", "object": {}}
    return [sample(schemas, schema["items"])] if schema.get("type") == "array" else kinds[schema["type"]]


class Described(VendorTest):
    """The members, paths and parameters of the definition in GitHub's own description of its API."""

    def setUp(self):
        self.reads, self.problems = set(), []

    def each_product(self, test):
        for product in PRODUCTS:
            with self.subTest(product):
                self.problems = []
                test(Description.of(product))
                self.assertEqual(self.problems, [])

    def follow(self, description, text, root):
        return follow(text, description.schemas, root, self.reads, self.problems)

    def test_every_path_and_parameter_exists(self):
        self.each_product(self.check_requests)
        self.assertEqual(len(DEFINITION["calls"]), 7)

    def check_requests(self, description):
        for name, call in DEFINITION["calls"].items():
            operation = description.operation(shape_of(call))
            parameters = [description.schemas.resolve(one) for one in operation.get("parameters", [])]
            queries = {one["name"]: one for one in parameters if one["in"] == "query"}
            for key, value in (call.get("query") or {}).items():
                self.assertIn(key, queries, name)
                self.check_value(description, queries[key], value)

    def check_value(self, description, parameter, value):
        (alternative, *_) = description.schemas.alternatives(parameter["schema"])
        if alternative["enum"]:
            self.assertIn(value, alternative["enum"])
        elif alternative["type"] == "string":
            self.assertIn(f"`{value}`", parameter["description"])
        else:
            self.assertEqual((alternative["type"], parameter["name"], value), ("integer", "per_page", 100))
            self.assertIn("max 100", parameter["description"])

    def test_every_list_is_paged_as_it_is_described(self):
        description = Description.of("api.github.com")
        lists = [name for name, call in DEFINITION["calls"].items() if "rows" in call]
        for name, shape in shapes().items():
            schema = description.schemas.resolve(description.schema(shape))
            self.assertEqual(schema.get("type") == "array", name in lists, name)
        self.assertEqual(DEFINITION["http"]["page"]["style"], "link")

    def rows_of(self, description, name):
        """The schema of what an expression sees of a call: a row, or the whole answer."""
        call = DEFINITION["calls"][name]
        schema = description.schema(shape_of(call))
        if "rows" not in call:
            return {"anyOf": [schema, *(description.schema(shape_of(call), rule["status"])
                                        for rule in call.get("responses", []) if rule["is"] == "ok")]}
        ((alternatives, _),) = self.follow(description, f"({call['rows']})[]", schema)
        for path in call.get("keep", []):
            self.follow(description, path, flat(alternatives))
        kept = {path.split(".")[1] for path in call.get("keep", [])}
        return flat([{**one, "properties": {name: member for name, member in one["properties"].items()
                                            if not kept or name in kept}} for one in alternatives])

    def node_schema(self, description, node):
        row = self.rows_of(description, node["call"])
        if "fold" in node:
            for reducer in node["fold"].values():
                expression = re.sub(r"^(count where|count|sum)\s*", "", reducer)
                self.follow(description, expression or ".", row)
            return {"type": "object", "properties": {name: {"type": "integer"} for name in node["fold"]}}
        return {"type": "array", "items": row} if "collect" in node else row

    def test_every_member_that_is_read_exists(self):
        self.each_product(self.check_members)
        # An empty walk would find nothing wrong.
        for path in (".repo.owner.login", ".protection.required_status_checks.checks[].context",
                     ".rules[](pull_request).parameters.dismiss_stale_reviews_on_push", ".repo.archived",
                     ".security_advisory.severity", ".rule.severity", ".login", ".protection.message"):
            self.assertIn(path, self.reads)

    def check_members(self, description):
        for evidence in DEFINITION["evidence"].values():
            nodes = {name: self.node_schema(description, node) for name, node in evidence["read"].items()}
            root = {"type": "object", "properties": {**nodes, "settings": ANY, "range": ANY}}
            for expression in evidence["row"].values():
                self.follow(description, expression, root)
            for node in evidence["read"].values():
                self.follow(description, node.get("where", "."), root)
                call = DEFINITION["calls"][node["call"]]
                follow_template(call["get"], description.schemas, root, self.reads, self.problems)
        self.check_identity(description)
        self.check_rules(description)

    def check_identity(self, description):
        identity = DEFINITION["identity"]
        for expression in identity["reply"].values():
            self.follow(description, expression, self.rows_of(description, identity["call"]))
        for choice in (identity["organizations"], DEFINITION["settings"]["organization"]["discover"]):
            self.follow(description, choice["value"], self.rows_of(description, choice["call"]))

    def check_rules(self, description):
        error = {"$ref": "#/components/schemas/basic-error"}
        rules = [(rule, error) for rule in DEFINITION["http"]["responses"]]
        for call in DEFINITION["calls"].values():
            rules += [(rule, description.schema(shape_of(call), rule["status"])) for rule in call.get("responses", [])]
        for rule, body in rules:
            root = {"type": "object", "properties": {"status": {"type": "integer"}, "headers": ANY, "body": body}}
            self.follow(description, rule.get("when", "."), root)

    def test_every_webhook_that_refreshes_exists(self):
        events = Description.of("api.github.com").document["x-webhooks"]
        for event in DEFINITION["webhooks"]["refresh"]:
            self.assertTrue([name for name in events if name.startswith(event.replace("_", "-"))], event)

    def test_a_member_that_does_not_exist_is_found(self):
        description = Description.of("api.github.com")
        listed = {"type": "array", "items": self.rows_of(description, "branch_rules")}
        rules = {"type": "object", "properties": {"rules": listed}}
        protection = self.rows_of(description, "protection")
        cases = [(protection, ".required_signature.enabled"),
                 (protection, ".required_status_checks.checks[]?.contexts"),
                 (protection, ".enforce_admins[]"), (protection, '.enforce_admins.enabled == "yes"'),
                 (rules, 'any(.rules[]?; .type == "pull_requests")'), (rules, "[.rules[] | .ruleset_source]"),
                 (rules, '[.rules[]? | select(.type == "pull_request") | .parameters.dismiss_stale_reviews]'),
                 (rules, 'any(.rules[]?; .type == "deletion" and .parameters.required_approving_review_count > 0)'),
                 (self.rows_of(description, "dependabot_alerts"), '.security_advisory.severity == "severe"')]
        for root, expression in cases:
            self.problems = []
            self.follow(description, expression, root)
            self.assertEqual(len(self.problems), 1, f"{expression}: {self.problems}")
        for expression in ("reduce .[] as $x (0; . + 1)", ".a |", "@base64"):
            with self.assertRaises(SyntaxError):
                self.follow(description, expression, ANY)


def flat(alternatives):
    return {"oneOf": [{key: value for key, value in one.items() if value is not None} for one in alternatives]}


class Connecting(VendorTest):
    """GET /user and GET /user/orgs over the network, answered with the vendor's examples."""

    def serve(self, answers, headers):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(answers[urlsplit(self.path).path]).encode()
                self.send_response(200)
                for name, value in headers.items():
                    self.send_header(name, str(value))
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def connect(self, url):
        with tempfile.TemporaryDirectory() as folder:
            command = [ASSAY, "connect", "github", "--name", "github", "--set", "organization=github", "--set",
                       f"api_url={url}", "--set", "allow_private=true", "--credential", "access_token=env:TOKEN",
                       "--json", "--data", folder]
            result = subprocess.run(command, text=True, capture_output=True, check=False, timeout=300,
                                    env={**os.environ, "TOKEN": "ghp_0000000000000000000000000000000000000000"})
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            return json.loads(result.stdout)

    def test_the_user_and_the_organizations_are_told(self):
        description, paths = Description.of("api.github.com"), shapes()
        recording = fixture("get-organization")[0]["headers"]
        framing = {"connection", "content-length", "content-encoding", "transfer-encoding", "date"}
        headers = {name: value for name, value in recording.items() if name not in framing}
        self.assertIn("x-oauth-scopes", headers)
        for user in description.examples(paths["whoami"]):
            url = self.serve({"/user": user, "/user/orgs": description.example(paths["orgs"])}, headers)
            reply = self.connect(url)
            self.assertEqual((reply["success"], reply["status"], reply["user"]), (True, "connected", "octocat"))
            self.assertEqual(reply["organizations"], ["github"])


if __name__ == "__main__":
    unittest.main()
