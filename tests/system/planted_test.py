#!/usr/bin/env python3
"""Secrets are planted wherever one can be written, rightly or by mistake, and found in nothing that comes out of a running
installation: replies, log lines, errors, the audit log, the database's pages, Redis, backups, /proc.

Runs beside a private Redis (scripts/with-redis). Credential fields are those of the definitions that the server itself
names, requests those of its OpenAPI document: what is new is covered without anybody thinking of it. What holds secrets by
its nature: the answer that hands one out, which is looked at without it, and the key, which is in no file here.
"""

import contextlib
import http.client
import json
import os
import re
import secrets
import subprocess
import threading
import urllib.parse

import tap
from assay_client import Assay, children, until
from database import is_postgres, open_database, server_url
from planted import KINDS, Catch, Planted, odd, plain, ticket
from sandbox_aws_client import ACCESS_KEY, ROLE, AwsSandbox, Credentials
from sandbox_client import TIMEOUT, Sandbox
from serve_client import Service

REDIS_SOCKET = os.environ["REDIS_URL"].removeprefix("unix://")
REDIS_PORT = os.environ["REDIS_PORT"]
ENDED = ("completed", "failed", "cancelled")

# What people write to be read by others: it is stored and shown as it is, and refused only when it is a token of Assay.
PUBLIC = {"name", "comment", "reason", "details", "check", "resource", "organization", "organizationId", "companyId", "accountId"}
# Fields of a credential that are no secret, by what their pattern or name says.
USUAL = ((r"arn:aws", ROLE), (r"\[A-Za-z0-9_\]\{16,128\}", ACCESS_KEY), (r"\[0-9\]\+", "123456"), (r"external", "an-external-id"))
REDIS_PASSWORD = plain()


def redis(*words):
    done = subprocess.run(["redis-cli", "-s", REDIS_SOCKET, *words], capture_output=True, text=True, check=True,
                          env={"PATH": os.environ["PATH"], "REDISCLI_AUTH": REDIS_PASSWORD})
    return done.stdout


class World:
    """An installation with the planted key and passwords of its settings, served with debug logging, and sandboxes."""

    def __init__(self):
        self.planted = Planted()
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def start(self):
        planted = self.planted
        planted.add("password of Redis", REDIS_PASSWORD)
        redis("flushall")
        redis("config", "set", "requirepass", REDIS_PASSWORD)
        redis("config", "set", "rdbcompression", "no")
        self.token = planted.new("access token", odd)
        self.aws_secret = planted.new("secret access key", odd)
        self.external = "an-external-id"
        self.github = self.stack.enter_context(Sandbox("--repos", "4", "--limit", "0", token=self.token))
        self.aws = self.stack.enter_context(AwsSandbox("--users", "3", "--secret-key", self.aws_secret, "--role-arn", ROLE,
                                                       "--external-id", self.external,
                                                       credentials=Credentials(secret=self.aws_secret)))
        settings = {"ENCRYPTION_KEY": secrets.token_hex(32), "ASSAY_LOG": "debug", "ASSAY_LIMITS_API": "60000/1m",
                    "REDIS_URL": f"redis://:{REDIS_PASSWORD}@127.0.0.1:{REDIS_PORT}", "AWS_EC2_METADATA_DISABLED": "true",
                    "OIDC_ISSUER": "http://127.0.0.1:9", "OIDC_CLIENT_ID": "assay", "OIDC_ALLOW_PRIVATE": "yes",
                    "OIDC_CLIENT_SECRET": planted.new("client secret of single sign-on", odd), "TOKEN": None}
        planted.add("encryption key", settings["ENCRYPTION_KEY"])
        self.assay = self.stack.enter_context(Assay(self.github, **settings))
        if is_postgres():
            self.assay.environment["DATABASE_URL"] = self.own_database_user()
        self.caught = Catch(self.assay.home / "caught")
        self.stack.callback(self.caught.remove)
        self.assay.run("init", status=0)
        self.service = self.stack.enter_context(Service(self.assay, "--role", "all", "--workers", "2"))
        self.place = urllib.parse.urlsplit(self.service.api)
        self.connection = None
        return self

    def __exit__(self, *failure):
        redis("config", "set", "requirepass", "")
        return self.stack.__exit__(*failure)

    def own_database_user(self):
        """The database belongs to somebody whose password is planted."""
        password, url = self.planted.new("password of the database"), urllib.parse.urlsplit(self.assay.database_url)
        name = url.path[1:]
        with contextlib.closing(open_database(server_url("postgres"))) as server:
            server.execute(f"create role {name} login superuser password '{password}'")
        self.stack.callback(self.remove_role, name)
        return f"postgresql://{name}:{password}@127.0.0.1:{os.environ['PGPORT']}/{name}"

    @staticmethod
    def remove_role(name):
        with contextlib.closing(open_database(server_url(name))) as server:
            server.execute(f"reassign owned by {name} to {os.environ['PGUSER']}")
            server.execute(f"drop owned by {name}")
            server.execute(f"drop role {name}")

    # Asking

    def send(self, method, target, body=None, headers=None, shows=(), raw=None):
        """(status, headers, text): kept without what it is to show. raw: bytes instead of an object."""
        given = {"Content-Type": "application/json", **(headers or {})}
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        for attempt in range(2):
            self.connection = self.connection or http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=TIMEOUT)
            try:
                self.connection.request(method, target, body=data, headers=given)
                reply = self.connection.getresponse()
                text = self.read(reply, target)
                break
            except (http.client.HTTPException, OSError):  # closed in between, or in the middle of what is too long
                self.connection.close()
                self.connection = None
                if len(data or b"") > 1_000_000:
                    return 413, None, b""
                assert attempt == 0, (method, target)
        self.keep_reply(f"{method} {target.partition('?')[0]}", reply, text, shows)
        return reply.status, reply, text

    def read(self, reply, target):
        """A stream that has no end is read by listen() alone."""
        if "text/event-stream" not in reply.headers.get("Content-Type", "") or "/jobs/" in target:
            return reply.read()
        self.connection.close()
        self.connection = None
        return b""

    def listen(self):
        """Keeps what the owner is told as it happens."""
        connection = http.client.HTTPConnection(self.place.hostname, self.place.port)
        connection.request("GET", "/api/events", headers=self.auth)
        reply = connection.getresponse()
        assert reply.status == 200, reply.read()
        self.heard = []

        def hear():
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                for line in reply:
                    self.heard.append(line)

        threading.Thread(target=hear, daemon=True).start()

    def keep_reply(self, what, reply, text, shows):
        shows = shows if reply.status < 400 else ()
        whole = f"{reply.status}\n{reply.headers}\n".encode() + text
        for name in shows:
            value = name(reply, text) if callable(name) else name
            assert whole.count(value.encode()) == 1, (what, "shows it more than once, or not at all")
            whole = whole.replace(value.encode(), b"")
        self.caught.keep(what, whole)

    def ask(self, method, target, body=None, status=200, **options):
        got, _, text = self.send(method, target, body, **options)
        assert got == status, (method, target, got, text[:1500])
        return json.loads(text) if text else None

    def owner(self):
        """Headers of an owner who is the operator, too."""
        made = self.assay.ask("tokens", "create", "owner", "--role", "owner", "--operator")["token"]
        self.planted.add("token of the owner", made)
        self.assay.said = self.assay.said.replace(made, "")
        self.auth = {"Authorization": f"Bearer {made}"}
        self.listen()
        return self.auth

    def as_owner(self, method, target, body=None, status=200, **options):
        headers = {**self.auth, **options.pop("headers", {})}
        return self.ask(method, target, body, status, headers=headers, **options)

    def try_as_owner(self, method, target, body=None, **options):
        """Whatever comes of it; with a key, so that the answer is stored as well."""
        headers = {**self.auth, "Idempotency-Key": secrets.token_hex(8), **options.pop("headers", {})}
        status, _, text = self.send(method, target, body, headers=headers, **options)
        assert status < 500 or status in (502, 503, 504), (method, target, status, text)
        return status, json.loads(text) if text.startswith(b"{") and b"\n" not in text else None

    def ended(self, job):
        def look():
            now = self.as_owner("GET", f"/api/jobs/{job}")
            return now if now["status"] in ENDED else None
        return until(look, f"the end of job {job}")

    # Looking for it

    def operations(self):
        document = self.as_owner("GET", "/api/openapi.json")
        return document, [(method.upper(), path, operation) for path, methods in document["paths"].items()
                          for method, operation in methods.items()]

    def ask_everything(self):
        """All that can be read, of every object that there is."""
        for _, path, operation in [row for row in self.operations()[1] if row[0] == "GET"]:
            if "{" not in path:
                self.send("GET", path, headers=self.auth)
                continue
            for value in self.values_of(path):
                self.send("GET", path.replace("{id}", value), headers=self.auth)
        for path in ("/api/findings?state=all&limit=1000", "/api/audit?limit=1000&order=oldest", "/api/installation/audit?limit=1000",
                     "/api/jobs?limit=1000", "/api/evidence?limit=1000", "/api/activity?limit=1000"):
            self.as_owner("GET", path)

    def values_of(self, path):
        """The ids that stand in the list above a path."""
        parent = path.partition("/{")[0]
        lists = {"/api/controls": ("/api/controls?framework=soc2", 5)}.get(parent, (f"{parent}?limit=200", 60))
        if parent in ("/api/providers", "/api/schedules"):
            lists = (parent, 60)
        listed = self.as_owner("GET", lists[0])
        rows = next(value for value in listed.values() if isinstance(value, list))
        return [urllib.parse.quote(str(row.get("id") or row.get("userId") or row.get("integrationId"))) for row in rows[:lists[1]]]

    def run_everything(self):
        assay = self.assay
        words = [["audit"], ["doctor"], ["config"], ["integrations"], ["jobs", "list"], ["users", "list"], ["tokens", "list"],
                 ["organizations", "list"], ["evidence", "list"], ["findings"], ["controls"], ["schedule"], ["limits"]]
        for line in words:
            assay.run(*line)
            assay.run(*line, "--json")
        for item in assay.evidence("--limit", "20"):
            assay.run("evidence", "show", item["id"], "--json", status=0)
        assay.run("backup", str(assay.home / "backup.db"), status=0)

    def look_at_processes(self):
        pids = [self.service.process.pid]
        for pid in pids:  # which grows meanwhile
            pids += children(pid)
        for pid in pids:
            for name in ("environ", "cmdline", "status"):
                self.caught.keep_file(f"proc {name} of {'a worker' if pid != pids[0] else 'the server'}", f"/proc/{pid}/{name}")

    def look_at_redis(self):
        file = self.assay.home / "redis.rdb"
        redis("--rdb", str(file))
        assert file.stat().st_size > 100

    def look_at_database(self):
        assay = self.assay
        self.caught.keep("rows of the database", assay.everything())
        for batch in assay.journal():
            self.caught.keep("a journal", batch)
        for row in assay.rows("select id from document"):
            self.caught.keep("a document", assay.document(row["id"]))

    def database_files(self):
        """Of PostgreSQL; those of SQLite are in the home anyway."""
        if not is_postgres():
            assert self.assay.database_file.exists()
            return []
        with contextlib.closing(open_database(self.assay.database_url)) as server:
            server.execute("checkpoint")
        data = os.path.join(os.environ["PGHOST"], "data")
        return [os.path.join(data, "base"), os.path.join(data, "pg_wal"), os.path.join(os.environ["PGHOST"], "log")]

    def expect_none(self):
        self.look_at_processes()
        self.ask_everything()
        self.run_everything()
        self.look_at_database()
        self.look_at_redis()
        said = self.service.said()
        assert '"level":"debug"' in said and '"event":"request"' in said
        self.caught.keep("log", said)
        self.caught.keep("stream of events", b"".join(self.heard))
        self.caught.keep("what commands said", self.assay.said)
        assert not [file for file in self.assay.home.rglob("core*")], "a core file"
        assert self.caught.count > 100 and self.caught.bytes > 100_000
        self.planted.expect_none(self.assay.home, *self.database_files())


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def usual(field):
    """A value for what is no secret."""
    asked = f"{field['name']} {field['pattern'] or ''}"
    return field["default"] or next((value for sign, value in USUAL if re.search(sign, asked)), "acme")


def settings_of(world, provider):
    place = (world.aws if provider["id"] == "aws" else world.github).url
    given = {"allowPrivate": True}
    for setting in provider["settings"]:
        if setting["name"].endswith("_url"):
            given[camel(setting["name"])] = place
        elif setting["required"]:
            given[camel(setting["name"])] = usual(setting)
    if provider["id"] == "aws":
        given.update(regions=["us-east-1"], endpointUrl=place)
    return given


def methods(world):
    """[(provider, auth method)] of what can be connected."""
    for card in world.as_owner("GET", "/api/providers")["providers"]:
        provider = world.as_owner("GET", f"/api/providers/{card['id']}")
        for auth in provider["auth"]:
            if auth["supported"]:
                assert any(field["secret"] for field in auth["fields"]) or not auth["fields"], auth
                yield provider, auth


def shapes(provider, auth, credentials, settings):
    """All that connect accepts, see src/api/connect_form.h."""
    small = {snake(name): value for name, value in credentials.items()}
    yield {"auth": auth["name"], "credentials": credentials, "settings": settings}
    yield {"auth": auth["scheme"], "credentials": small, "settings": {snake(name): value for name, value in settings.items()}}
    yield {"credentials": {"type": auth["name"], **credentials}, "settings": settings}
    yield {"credentials": credentials, "settings": settings, "companyId": "default"}
    yield {"auth": auth["name"], "credentials": {**credentials, **settings}, "accountId": "default"}
    for alias in provider["aliases"][:1]:
        yield {"integration_type": alias, "auth": auth["name"], "credentials": small, "settings": settings}


def connect_request(provider, name, shape):
    return {**({} if "integration_type" in shape else {"integrationType": provider["id"]}), "name": name, **shape}


def wrong_values(world, provider, auth, kind, what):
    where = f"{provider['id']}.{auth['name']}"
    return {camel(field["name"]): world.planted.new(f"{what} {where}.{field['name']}", kind) if field["secret"] else usual(field)
            for field in auth["fields"]}


def right_values(world, scheme):
    """What the sandboxes accept, of all schemes that they know."""
    if scheme == "bearer":
        return {"accessToken": world.token}
    session = world.aws.assume(ROLE, ExternalId=world.external) if scheme == "aws_keys" else None
    if session:
        world.planted.add("session token", session.token), world.planted.add("secret of a session", session.secret)
        return {"accessKeyId": session.access_key, "secretAccessKey": session.secret, "sessionToken": session.token}
    if scheme == "aws_role":
        return {"roleArn": ROLE, "externalId": world.external, "accessKeyId": ACCESS_KEY, "secretAccessKey": world.aws_secret}
    return None


def test_every_credential_field_of_every_provider_in_every_shape():
    with World() as world:
        world.owner()
        jobs, count, accepted = [], 0, set()
        for provider, auth in methods(world):
            settings = settings_of(world, provider)
            for kind in KINDS:
                values = wrong_values(world, provider, auth, kind, "wrong")
                for shape in shapes(provider, auth, values, settings):
                    count += 1
                    status, reply = world.try_as_owner("POST", "/api/integrations/connect",
                                                       connect_request(provider, f"wrong {count}", shape))
                    assert 400 <= status < 600, (status, reply)
            values = right_values(world, auth["scheme"])
            if values is None:
                print(f"# no sandbox accepts credentials of the scheme {auth['scheme']}: only wrong ones were planted")
                continue
            for shape in shapes(provider, auth, values, settings):
                count += 1
                status, reply = world.try_as_owner("POST", "/api/integrations/connect",
                                                   connect_request(provider, f"right {count}", shape))
                if status == 201:
                    jobs.append(reply)
                    accepted.add(auth["scheme"])
                else:  # one of two methods is not to be told from the other without its name
                    assert status == 400 and "auth" not in shape, (provider["id"], auth["name"], shape.keys(), reply)
        assert accepted == {"bearer", "aws_keys", "aws_role"}, accepted
        for reply in jobs:
            world.ended(reply["jobId"])
        for reply in jobs[::3]:
            path = f"/api/integrations/{reply['id']}"
            world.try_as_owner("POST", f"{path}/test")
            world.try_as_owner("PATCH", path, {"settings": {"accessToken": world.planted.new("secret in a change of settings", odd)}})
            world.try_as_owner("PATCH", path, {"credentials": {"accessToken": world.planted.new("secret in a change", odd)}})
            world.try_as_owner("POST", f"{path}/sync", {"evidenceTypes": [world.planted.new("secret as evidence type")]})
        repeat_secrets(world)
        for reply in jobs[::4]:
            status, queued = world.try_as_owner("POST", f"/api/integrations/{reply['id']}/sync")
            assert status == 202, queued
            world.ended(queued["jobId"])
            world.try_as_owner("POST", f"/api/integrations/{reply['id']}/test")
        world.try_as_owner("DELETE", f"/api/integrations/{jobs[0]['id']}")
        world.try_as_owner("DELETE", f"/api/integrations/{jobs[1]['id']}?purge=true")
        assert count > 50, count
        world.expect_none()


def repeat_secrets(world):
    """From now on the services answer with what they were sent."""
    for sandbox, said in ((world.github, world.token), (world.aws, world.aws_secret)):
        sandbox.fault(match="*", kind="status", status=403, body={"message": f"no access with {said}"}, times=3)
        sandbox.fault(match="*", kind="status", status=401, body={"message": f"Bearer {said}"}, times=3)
        sandbox.fault(match="*", kind="redirect", location=f"http://example.com/?{urllib.parse.quote(said)}", times=2)
        sandbox.fault(match="*", kind="status", status=500, body={"message": said}, headers={"X-Request-Id": said}, times=5)


def test_secrets_in_the_wrong_places_of_connect():
    with World() as world:
        world.owner()
        planted = world.planted
        for provider, auth in methods(world):
            settings = settings_of(world, provider)
            for field in [field for field in auth["fields"] if field["secret"]]:
                name, where = camel(field["name"]), f"{provider['id']}.{auth['name']}.{field['name']}"
                good = wrong_values(world, provider, auth, plain, "beside")

                def attempt(what, kind=odd, credentials=None, more=None, given=settings, extra=""):
                    secret = planted.new(f"{what} {where}", kind)
                    whole = {"integrationType": provider["id"], "auth": auth["name"], "settings": given(secret) if callable(given) else given,
                             "credentials": credentials(secret) if credentials else good, **(more(secret) if more else {})}
                    status, _ = world.try_as_owner("POST", f"/api/integrations/connect{extra}", whole)
                    assert status >= 400, what

                attempt("among the settings", given=lambda secret: {**settings, name: secret})
                attempt("in place of a setting", given=lambda secret: {key: secret for key in settings})
                attempt("as name of a setting", given=lambda secret: {**settings, secret: "x"})
                attempt("as plain name of a setting", kind=plain, given=lambda secret: {**settings, secret: "x"})
                attempt("as name of a field", credentials=lambda secret: {**good, secret: "x"})
                attempt("as plain name of a field", kind=plain, credentials=lambda secret: {**good, secret: "x"})
                attempt("in a field that is not there", credentials=lambda secret: {**good, "nosuch": secret})
                attempt("as list", credentials=lambda secret: {**good, name: [secret]})
                attempt("as object", credentials=lambda secret: {**good, name: {secret: secret}})
                attempt("given twice", credentials=lambda secret: {**good, name: secret, field["name"]: secret, snake(name).upper(): secret})
                attempt("too long", credentials=lambda secret: {**good, name: secret * 2000})
                attempt("with a line end", credentials=lambda secret: {**good, name: secret + "\r\nX: y"})
                attempt("with a NUL", credentials=lambda secret: {**good, name: secret + "\0"})
                attempt("beyond Latin", credentials=lambda secret: {**good, name: secret + "\u20ac"})
                attempt("in place of all", credentials=lambda secret: secret)
                attempt("in a list of all", credentials=lambda secret: [secret])
                attempt("as provider", kind=plain, more=lambda secret: {"integrationType": secret})
                attempt("as method", kind=plain, more=lambda secret: {"auth": secret})
                attempt("as type", kind=plain, credentials=lambda secret: {**good, "type": secret}, more=lambda secret: {"auth": None})
                attempt("as organization", kind=plain, more=lambda secret: {"organizationId": secret})
                attempt("beside all", more=lambda secret: {name: secret})
                attempt("as name beside all", kind=plain, more=lambda secret: {secret: name})
                attempt("as token of Assay in the name", kind=ticket, more=lambda secret: {"name": secret})
                for key in settings:
                    if key.endswith("Url"):
                        attempt(f"in the URL {key}", kind=plain,
                                given=lambda secret, key=key: {**settings, key: settings[key].replace("//", f"//user:{secret}@")})
                        attempt(f"in the query of {key}", kind=plain,
                                given=lambda secret, key=key: {**settings, key: f"{settings[key]}?token={secret}"})
        world.expect_none()


def strings(document, schema, prefix=()):
    """The paths of all texts of a body, and of what may be any."""
    while "$ref" in schema:
        place = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        schema = place
    for name, member in schema.get("properties", {}).items():
        kinds = member.get("type", "string")
        if member.get("$ref") or kinds == "object":
            yield from strings(document, member, (*prefix, name))
        yield (*prefix, name), "array" in kinds


def nested(path, value):
    for name in reversed(path):
        value = {name: value}
    return value


def test_secrets_in_every_place_of_every_request():
    with World() as world:
        world.owner()
        planted = world.planted
        document, operations = world.operations()
        for method, path, operation in operations:
            what = f"{method} {path}"
            secret = planted.new(f"path of {what}", odd)
            if "{" in path:
                world.try_as_owner(method, path.replace("{id}", urllib.parse.quote(secret, safe="")))
                world.try_as_owner(method, path.replace("{id}", planted.new(f"plain path of {what}")))
            base = path.replace("{id}", "01890000-0000-7000-8000-000000000000")
            names = [row["name"] for row in operation.get("parameters", []) if row.get("in") == "query"]
            for name in [*names, "token", "access_token", "limit", "cursor", "organizationId"]:
                secret = planted.new(f"parameter {name} of {what}", odd)
                world.try_as_owner(method, f"{base}?{name}={urllib.parse.quote(secret)}")
            world.try_as_owner(method, f"{base}?{planted.new(f'name of a parameter of {what}')}=1")
            world.try_as_owner(method, f"{base}?{urllib.parse.quote(planted.new(f'odd parameter of {what}', odd))}")
            for name in ("X-Assay-Organization", "If-Match", "If-None-Match", "Last-Event-ID", "X-CSRF-Token", "Idempotency-Key",
                         "Accept", "Origin", "Range", "X-Api-Key", "X-Forwarded-For"):
                world.try_as_owner(method, base, headers={name: planted.new(f"header {name} of {what}", odd)})
            world.try_as_owner(method, base, headers={"Idempotency-Key": planted.new(f"idempotency key of {what}")})
            world.try_as_owner(method, base, headers={"X-Request-Id": planted.new(f"request id of {what}", ticket)})
            plant_bodies(world, document, what, operation, method, base)
        for authorization in ("Bearer {}", "Basic {}", "{}", "Token {}", "bearer  {} x", "Digest username={}"):
            for kind in (odd, plain, ticket, lambda: ticket("op"), lambda: ticket("ses")):
                secret = planted.new(f"header {authorization}", kind)
                world.ask("GET", "/api/integrations", status=401, headers={"Authorization": authorization.format(secret)})
                world.ask("GET", "/api/session", status=401, headers={"Cookie": f"assay={secret}; __Host-assay={secret}"})
        for target in (f"/{plain()}", f"/api/{plain()}", "/{}", "/api/{}/x", "/{}?{}"):
            secret = planted.new(f"address {target}")
            world.ask("GET", target.format(secret, secret) if "{" in target else target + secret, status=404)
        assert len(planted.texts) > 1000, len(planted.texts)
        world.expect_none()


def plant_bodies(world, document, what, operation, method, target):
    planted = world.planted
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")

    def attempt(body, **options):
        return world.try_as_owner(method, target, body, **options)

    if method == "GET":
        return
    secret = planted.new(f"malformed body of {what}", odd)
    raw = [f'{{"token": {secret}', f'{{"{secret}": ', f"password={secret}", json.dumps({"name": secret})[:-2], f'["{secret}"]',
            json.dumps({secret: 1, "x": "\ud800" + secret}), '{"a":' * 70 + json.dumps(secret) + "}" * 70,
            json.dumps(secret) * 2, json.dumps({"name": secret + "x" * 1_100_000})]
    for text in raw:
        attempt(None, raw=text.encode())
    attempt(None, raw=secret.encode(), headers={"Content-Type": "text/plain"})
    attempt(None, raw=secret.encode() + b"\xff\xfe")
    attempt({planted.new(f"member of {what}", odd): "x"})
    attempt({planted.new(f"plain member of {what}"): "x"})
    attempt({"nosuch": planted.new(f"unknown member of {what}", odd)})
    if not content:
        return
    for path, many in strings(document, content["schema"]):
        where = f"{'.'.join(path)} of {what}"
        hidden = path[-1] not in PUBLIC
        values = [planted.new(f"token in {where}", ticket)]
        if hidden:
            values += [planted.new(where, odd), planted.new(where)]
        for value in values:
            status, reply = attempt(nested(path, [value] if many else value))
            assert status >= 400, (where, reply)
        attempt(nested(path, {planted.new(f"member within {where}"): [planted.new(f"deep in {where}", odd)]}))
    whole = {"token": planted.new(f"token of a whole body of {what}", ticket), "email": "eve@example.com", "name": "x",
             "role": "member", "password": planted.new(f"password of a whole body of {what}"), "integrationType": "github",
             "credentials": {"accessToken": planted.new(f"credential of a whole body of {what}", odd)}}
    properties = {path[0] for path, _ in strings(document, content["schema"])}
    attempt({name: value for name, value in whole.items() if name in properties or name not in PUBLIC})


def test_passwords_links_cookies_and_tokens():
    with World() as world:
        planted = world.planted
        password, other = planted.new("password of the owner", odd), planted.new("new password", odd)
        page, _, setup = world.service.ready["setup"].partition("#")
        planted.add("token of the setup link", setup)
        body = {"email": "ada@example.com", "token": setup, "password": password}
        world.ask("POST", "/api/setup", {**body, "token": planted.new("wrong setup token", ticket)}, 404)
        world.ask("POST", "/api/setup", {**body, "password": planted.new("password beside a wrong address"), "email": "no"}, 400)
        log_in(world, "/api/setup", body, 201)
        world.ask("POST", "/api/setup", body, 404)
        world.ask("POST", "/api/session", {"email": planted.new("password as login name"), "password": password}, 401)
        world.ask("POST", "/api/session", {"email": planted.new("odd password as login name", odd), "password": "x"}, 401)
        world.ask("POST", "/api/session", {"email": "ada@example.com", "password": planted.new("wrong password", odd)}, 401)
        world.ask("POST", "/api/session", {"email": "eve@example.com", "password": planted.new("password of nobody", odd)}, 401)
        session = log_in(world, "/api/session", {"email": "ada@example.com", "password": password})
        change = {"password": planted.new("wrong present password"), "newPassword": other}
        world.ask("POST", "/api/session/password", change, 403, headers=session)
        session = log_in(world, "/api/session/password", {**change, "password": password}, headers=session)
        world.ask("POST", "/api/session/password", {"password": other, "newPassword": "too short"},
                  400, headers=session)
        invited = hand_out(world, "/api/invitations", {"email": "eve@example.com", "role": "member"}, session, link=True)
        answer = {"token": invited, "name": "Eve", "password": planted.new("password of the invited", odd)}
        world.ask("POST", "/api/invitations/lookup", {"token": invited})
        log_in(world, "/api/invitations/accept", answer, 201)
        world.ask("POST", "/api/invitations/accept", answer, 404)
        world.ask("POST", "/api/invitations/lookup", {"token": invited}, 404)
        world.ask("POST", "/api/invitations/lookup", {"token": planted.new("wrong invitation", lambda: ticket("inv"))}, 404)
        made = hand_out(world, "/api/tokens", {"name": "nightly", "role": "member"}, session)
        auditor = hand_out(world, "/api/tokens", {"name": "auditor", "role": "auditor"}, session)
        for token in (made, auditor, setup, invited):
            world.send("GET", f"/api/integrations?token={token}")
            world.send("GET", f"/api/integrations/{token}", headers={"Authorization": f"Bearer {made}"})
            world.send("POST", "/api/integrations/connect", {"integrationType": "github", "credentials": {"accessToken": token},
                                                             "settings": settings_of_github(world)},
                       headers={"Authorization": f"Bearer {made}", "Idempotency-Key": token})
            world.ask("POST", "/api/tokens", {"name": token, "role": "member"}, 400, headers=session)
            world.ask("PATCH", "/api/organization", {"name": f"of {token}"}, 400, headers=session)
        listed = world.ask("GET", "/api/tokens", headers=session)["tokens"]
        world.ask("DELETE", f"/api/tokens/{listed[0]['id']}", headers=session)
        world.send("GET", "/api/integrations", headers={"Authorization": f"Bearer {made}"})
        sign_on(world)
        world.ask("GET", "/api/session", headers=session, shows=(session["X-CSRF-Token"],))
        world.owner()
        world.ask("GET", "/api/sessions", headers=session)
        world.expect_none()
        world.ask("DELETE", "/api/session", headers=session)


def settings_of_github(world):
    return {"organization": "acme", "apiUrl": world.github.url, "allowPrivate": True}


def log_in(world, path, body, status=200, headers=None):
    """Headers of a browser; cookie and CSRF token are planted from now on."""
    def cookie(reply, text):
        return reply.headers["Set-Cookie"].partition("=")[2].partition(";")[0]

    def csrf(reply, text):
        return json.loads(text)["csrfToken"]

    got, reply, text = world.send("POST", path, body, headers=headers, shows=(cookie, csrf))
    assert got == status, text
    world.planted.add(f"session cookie of {path}", cookie(reply, text))
    world.planted.add(f"CSRF token of {path}", csrf(reply, text))
    return {"Cookie": f"assay={cookie(reply, text)}", "X-CSRF-Token": csrf(reply, text)}


def hand_out(world, path, body, session, link=False):
    def secret(reply, text):
        told = json.loads(text)
        return told["link"].partition("#")[2] if link else told["token"]

    _, reply, text = world.send("POST", path, body, headers=session, shows=(secret,))
    assert reply.status == 201, text
    return world.planted.add(f"what {path} has handed out", secret(reply, text))


def sign_on(world):
    """There is no provider behind the address: what comes back is forged, or fails."""
    planted = world.planted
    world.send("GET", "/api/session/oidc/start")
    for name in ("code", "state", "error", "error_description", "iss", "id_token", "session_state"):
        query = {"code": planted.new(f"code beside {name}"), "state": planted.new(f"state beside {name}", odd), name: planted.new(name, odd)}
        world.send("GET", f"/api/session/oidc/callback?{urllib.parse.urlencode(query)}",
                   headers={"Cookie": f"assay-login={planted.new(f'login cookie beside {name}')}"})


def test_settings_of_the_installation():
    """Wrong ones are told without being repeated, by every command; right ones were in all tests above."""
    planted = Planted()
    with Assay() as assay:
        caught = Catch(assay.home / "caught")
        assay.run("init", status=0)

        def attempt(*words, status=None, file=None, **environment):
            if file:
                (assay.home / "assay.yaml").write_text(file)
                words = (*words, "--config", str(assay.home / "assay.yaml"))
            for output in ((), ("--json",)):
                result = assay.run(*words, *output, env={"ASSAY_LOG": "debug", **environment})
                assert status is None or result.status == status, result
                caught.keep(" ".join(words[:1]), result.out + result.error)
            if file:
                (assay.home / "assay.yaml").unlink()

        for name, forms in (("DATABASE_URL", ("postgres://ada:{}@127.0.0.1:9/x", "postgres://ada:{}@[::1/x", "mysql://ada:{}@h/x",
                                              "postgresql:///x?host=127.0.0.1&port=9&password={}", "{}",
                                              "postgres://ada:{}@127.0.0.1:port/x")),
                            ("REDIS_URL", ("redis://:{}@127.0.0.1:9", "redis://u:{}@h:x/", "rediss://:{}@h", "{}", "redis://:{}@")),
                            ("ENCRYPTION_KEY", ("{}", "{}{}", "0x{}")), ("OIDC_CLIENT_SECRET", ("{}",)),
                            ("ASSAY_LISTEN", ("{}",)), ("ASSAY_PUBLIC_URL", ("https://u:{}@h", "{}")), ("OIDC_ISSUER", ("https://u:{}@h/",))):
            for form in forms:
                for words in (("config",), ("doctor",), ("integrations",), ("serve", "--role", "worker"), ("limits",)):
                    secret = planted.new(f"{name}={form} of {words[0]}")
                    if words[0] == "serve" and name in ("OIDC_CLIENT_SECRET", "ENCRYPTION_KEY", "ASSAY_LISTEN", "OIDC_ISSUER",
                                                        "ASSAY_PUBLIC_URL", "REDIS_URL"):
                        continue  # it would serve
                    attempt(*words, **{name: form.format(secret, secret)})
        for text in ("database_url: postgres://ada:{}@127.0.0.1:9/x\n", "redis_url: 'redis://:{}@h:x'\n", "oidc: {{client_secret: {}}}\n",
                     "oidc: {{client_secret: [{}]}}\n", "client_secret: {}\n", "{}: 1\n", "{}\n", "oidc: {}\n", "listen: {}\n",
                     "limits: {{github: {}}}\n", "database_url: [{}\n", "? {}\n"):
            for words in (("config",), ("doctor",), ("integrations",)):
                attempt(*words, file=text.format(planted.new(f"{text.strip()} of {words[0]}")))
        for words in (("connect", "{}"), ("{}",), ("backup", "--{}"), ("--{}",), ("limits", "set", "{}", "{}"),
                      ("users", "password", "{}"), ("audit", "--proof", "{}"), ("provider", "show", "{}"),
                      ("connect", "github", "--set", "{}=x"), ("connect", "github", "--set", "access_token={}")):
            secret = planted.new(" ".join(words), ticket)
            attempt(*(word.format(secret) for word in words))
        caught.keep("rows", assay.everything())
        planted.expect_none(assay.home)


if __name__ == "__main__":
    tap.main(globals())
