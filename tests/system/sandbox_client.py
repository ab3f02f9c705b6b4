"""Starts assay-sandbox and talks to it, for system tests.

    with Sandbox("--repos", "20") as sandbox:
        sandbox.fault(match="/repos/acme/repo-7/*", kind="status", status=500, times=2)
        reply = sandbox.get("/user")           # Reply: status, headers, body, json
        sandbox.counts("/repos/*")             # {"GET /repos/...": 1, ...}
"""

import http.client
import json
import os
import pathlib
import re
import subprocess
from urllib.parse import quote, urlencode

TOKEN = "test-token"
TIMEOUT = 300  # seconds after which something hangs, on however slow a machine
TALKING = ("01", "08")  # established, and closed by the other side (tcp_states.h)


def built(name):
    """Where the build has put a program."""
    return pathlib.Path(os.environ["ASSAY_BUILD"]) / name


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        return self.json["message"]

    def link(self, relation):
        """The path and query of a relation of the Link header, or None."""
        for target, name in re.findall(r'<([^>]*)>; rel="([^"]*)"', self.headers.get("link", "")):
            if name == relation:
                return "/" + target.split("/", 3)[3]
        return None


class Sandbox:
    def __init__(self, *arguments, token=TOKEN):
        self.token = token
        command = [built("assay-sandbox"), "--port", "0", "--until-eof", *arguments]
        if "--token" not in arguments:
            command += ["--token", token]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = self.process.stdout.readline()
        if not ready:
            raise RuntimeError(f"the sandbox ended with {self.process.wait()} before it was ready")
        self.port = json.loads(ready)["port"]
        self.url = json.loads(ready)["url"]
        self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()
        status = self.process.wait(TIMEOUT)
        if kind is None and status != 0:
            raise AssertionError(f"the sandbox ended with {status}")

    def close(self):
        if self.connection:
            self.connection.close()
        self.process.stdin.close()
        self.process.stdout.close()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)

    def request(self, method, target, headers=None, body=None):
        """One request on the kept connection; exceptions of http.client come through."""
        self.connection = self.connection or self.connect()
        try:
            self.connection.request(method, target, body=body, headers=headers or {})
            reply = Reply(self.connection.getresponse())
        except Exception:
            self.connection.close()
            self.connection = None
            raise
        return reply

    def get(self, target, token=None, **headers):
        given = {"Authorization": f"Bearer {token or self.token}", "User-Agent": "test"}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.request("GET", target, {name: value for name, value in given.items() if value is not None})

    def pages(self, target, limit=10000):
        """All rows of a list, page by page along its Link header."""
        rows = []
        for _ in range(limit):
            reply = self.get(target)
            assert reply.status == 200, (target, reply.status, reply.body[:200])
            rows += reply.json
            target = reply.link("next")
            if target is None:
                return rows
        raise AssertionError("the list does not end")

    def control(self, method, name, body=None):
        reply = self.request(method, f"/_sandbox/{name}", body=None if body is None else json.dumps(body))
        assert reply.status == 200, (name, reply.status, reply.body)
        return reply.json

    def fault(self, **rule):
        return self.control("POST", "faults", rule)

    def clear(self):
        self.control("DELETE", "faults")

    def stats(self):
        return self.control("GET", "stats")

    def wait(self, **wanted):
        """The stats, once so many requests have come (requests=) or answers are held (held=)."""
        return self.control("GET", "wait?" + urlencode({"timeout_ms": (TIMEOUT - 10) * 1000, **wanted}))

    def visitors(self):
        """How many connections there are besides the kept one: of the dead, too, until all that they have sent is read."""
        own = self.connection.sock.getsockname()[1]
        rows = [line.split() for line in pathlib.Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
        ends = [(int(row[1].split(":")[1], 16), int(row[2].split(":")[1], 16)) for row in rows if row[3] in TALKING]
        return sum(1 for here, there in ends if here == self.port and there != own)

    def counts(self, match="*"):
        rows = self.control("GET", f"requests?match={quote(match)}")["requests"]
        return {row["request"]: row["count"] for row in rows}
