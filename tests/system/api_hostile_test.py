#!/usr/bin/env python3
"""Hostile clients of a running assay serve: slow ones by the thousand, floods of headers, ids that are not theirs, and
cookies and tokens that are forged. Nothing crashes, nobody waits for them, and nobody learns anything."""

import concurrent.futures
import contextlib
import http.client
import json
import random
import re
import resource
import selectors
import socket
import string
import time

import tap
from api_test import connect_request, ended, token, world
from assay_client import until
from sandbox_client import TIMEOUT

SLOW = 1000
ORDINARY = 64
SEED = 20261120
NOBODY = "01890000-0000-7000-8000-000000000000"


def allow_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= count, f"{hard} descriptors are too few for this test"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


class SlowClients:
    """Connections that send one more byte of something now and then, and never come to an end."""

    BEGINNINGS = (b"G", b"GET /api/jobs HTTP/1.1\r\nHost: x\r\nA: ",
                  b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{",
                  b"POST /api/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5", b"")

    def __init__(self, place, count):
        self.began = time.monotonic()
        self.sockets = [socket.create_connection(place) for _ in range(count)]
        for number, one in enumerate(self.sockets):
            one.sendall(self.BEGINNINGS[number % len(self.BEGINNINGS)])

    def drip(self):
        for number, one in enumerate(self.sockets):
            if number % len(self.BEGINNINGS) in (1, 2):
                with contextlib.suppress(ConnectionError):
                    one.sendall(b"a")

    def is_late(self):
        """Whether the server may have ended some: a request has half a minute."""
        return time.monotonic() - self.began > 20

    def dropped(self):
        """How many the server has ended."""
        with selectors.DefaultSelector() as selector:
            for one in self.sockets:
                selector.register(one, selectors.EVENT_READ)
            return len(selector.select(0))

    def close(self):
        for one in self.sockets:
            one.close()


def connections(api):
    """How many the server has open."""
    return int(re.search(r"^assay_http_connections (\d+)$", api.send("GET", "/metrics").body.decode(), re.M).group(1))


def ask_often(service, secret, path):
    """An ordinary client on one connection: what it was answered."""
    connection = http.client.HTTPConnection(*service, timeout=TIMEOUT)
    with contextlib.closing(connection):
        for _ in range(5):
            connection.request("GET", path, headers={"Authorization": f"Bearer {secret}"})
            reply = connection.getresponse()
            yield reply.status, reply.read()


def test_a_thousand_slow_clients_hold_up_nobody():
    allow_descriptors(SLOW + 200)
    with world() as (sandbox, assay, service, api):
        connected = api.post("/api/integrations/connect", connect_request(sandbox), status=201).json
        ended(api, connected["jobId"])
        place = (api.place.hostname, api.place.port)
        path = f"/api/integrations/{connected['id']}"
        wanted = api.get(path).body
        slow = SlowClients(place, SLOW)
        until(lambda: connections(api) > SLOW or slow.is_late(), "all slow clients to be there")
        with contextlib.closing(slow), concurrent.futures.ThreadPoolExecutor(ORDINARY) as pool:
            asked = [pool.submit(lambda: list(ask_often(place, api.token, path))) for _ in range(ORDINARY)]
            while not all(one.done() for one in asked):
                slow.drip()
                concurrent.futures.wait(asked, timeout=0.05)
            answers = [answer for one in asked for answer in one.result()]
            assert len(answers) == ORDINARY * 5 and set(answers) == {(200, wanted)}, answers[:3]
            assert slow.dropped() == 0 or slow.is_late(), "slow clients have their time, too"
            assert connections(api) > SLOW or slow.is_late()
        until(lambda: connections(api) == 1, "the end of the slow clients")


def test_floods_of_headers_are_refused_and_forgotten():
    with world() as (sandbox, assay, service, api):
        place = (api.place.hostname, api.place.port)
        floods = [b"A: b\r\n" * 101, b"Cookie: a=b\r\n" * 500, b"A: " + b"x" * 17000 + b"\r\n", (b"x" * 5000 + b": a\r\n") * 4,
                  b"".join(b"A%d: %s\r\n" % (number, b"y" * 200) for number in range(90))]
        for flood in floods * 20:
            with socket.create_connection(place) as connection:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(b"GET /api/jobs HTTP/1.1\r\nHost: x\r\n" + flood + b"\r\n")
                    reply = connection.recv(4096)
                    assert reply.split(b" ")[1] in (b"431", b"413", b"400"), (flood[:40], reply)
        # A header that never ends gets as much memory as one that does.
        with socket.create_connection(place) as connection, contextlib.suppress(ConnectionError):
            connection.sendall(b"GET / HTTP/1.1\r\nA: ")
            for _ in range(1000):
                connection.sendall(b"z" * 10000)
        api.get("/readyz")
        assert not service.events(level="error"), service.said()


def test_the_id_of_another_organization_is_as_unknown_as_any():
    with world() as (sandbox, assay, service, api):
        mine = api.post("/api/integrations/connect", connect_request(sandbox), status=201).json
        ended(api, mine["jobId"])
        evidence = api.get("/api/evidence").json["evidence"][0]["id"]
        api.post("/api/organizations", {"name": "other"}, status=201)
        made = assay.ask("tokens", "create", "stranger", "--role", "owner", "--organization", "other")
        stranger = api.as_(made["token"])
        own = api.get("/api/organization").json["id"]
        paths = [f"/api/integrations/{mine['id']}", "/api/integrations/acme", f"/api/jobs/{mine['jobId']}",
                 f"/api/evidence/{evidence}", f"/api/schedules/{mine['id']}"]
        for path in paths:
            kind, identity = path.rsplit("/", 1)
            foreign = stranger.get(path, status=404).json
            unknown = stranger.get(f"{kind}/{NOBODY}", status=404).json
            assert foreign["detail"].replace(identity, "") == unknown["detail"].replace(NOBODY, ""), (foreign, unknown)
            stranger.get(f"{path}?organizationId={own}", status=404)
            stranger.ask("GET", path, headers={"X-Assay-Organization": own}, status=404)
        for method, path, body in (("POST", f"{paths[0]}/sync", {"organizationId": own}), ("DELETE", paths[0], None),
                                   ("PATCH", paths[0], {"name": "taken"}), ("POST", f"{paths[2]}/cancel", None)):
            stranger.ask(method, path, body, status=404)
        # An id of one kind is none of another kind, nor what only looks like one.
        for wrong in (mine["jobId"], evidence, mine["id"][:-1], mine["id"] + "0", "%2e%2e", "acme%00", "' or '1'='1"):
            api.get("/api/integrations/" + wrong.replace(" ", "%20"), status=400 if "%00" in wrong else 404)
        assert api.get(paths[0]).json["name"] == "acme"


def forgeries(secret, generator):
    """What is nearly this ticket: a character changed, cut, prolonged, of another kind, in another case."""
    alphabet = string.ascii_letters + string.digits
    for _ in range(40):
        place = generator.randrange(len(secret))
        other = generator.choice([one for one in alphabet if one != secret[place]])
        yield secret[:place] + other + secret[place + 1:]
    yield from (secret[:-1], secret + "0", secret.swapcase(), secret.upper(), "", " ", secret * 2, secret[::-1],
                "assay_" + secret, secret.replace("_", "-"), "x" * 5000, "' or 1=1 --", "%00" + secret)


def test_forged_tokens_open_nothing():
    generator = random.Random(SEED)
    with world() as (sandbox, assay, service, api):
        for forged in forgeries(api.token, generator):
            refused = api.as_(forged).get("/api/integrations", status=401).json
            assert refused["code"] == "AUTHENTICATION_FAILED" and api.token not in json.dumps(refused)
        for header in ("Basic " + api.token, api.token, "Bearer", "Token " + api.token):
            nobody = api.as_(None)
            nobody.ask("GET", "/api/integrations", status=401, headers={"Authorization": header})
        api.get("/api/integrations")
        assay.ask("tokens", "revoke", "owner")
        api.get("/api/integrations", status=401)


def test_forged_cookies_open_nothing():
    generator = random.Random(SEED)
    with world() as (sandbox, assay, service, api):
        setup = service.ready["setup"]
        nobody = api.as_(None)
        person = {"email": "ada@example.com", "password": "correct horse battery"}
        entered = nobody.post("/api/setup", {**person, "token": setup.partition("#")[2]}, status=201)
        name, _, value = entered.headers["set-cookie"].split(";")[0].partition("=")
        csrf = entered.json["csrfToken"]
        nobody.get("/api/session", headers={"Cookie": f"{name}={value}"})
        for forged in forgeries(value, generator):
            nobody.get("/api/session", status=401, headers={"Cookie": f"{name}={forged}"})
        for header in (f"{name.upper()}={value}", f"x{name}={value}", f"__Host-{name}={value}", f'{name}="{value}"', value,
                       f"{name}={api.token}", f"{name}={setup.partition('#')[2]}"):
            nobody.get("/api/session", status=401, headers={"Cookie": header})
        # The cookie is no token, and a change needs the token that only the application has.
        nobody.get("/api/session", status=401, headers={"Authorization": f"Bearer {value}"})
        cookie = {"Cookie": f"{name}={value}"}
        for proof in (None, "", value, csrf[:-1], csrf + "0", csrf.swapcase()):
            headers = cookie if proof is None else {**cookie, "X-CSRF-Token": proof}
            nobody.ask("DELETE", "/api/session", status=403, headers=headers)
        elsewhere = {**cookie, "X-CSRF-Token": csrf, "Origin": "https://evil.example"}
        nobody.ask("DELETE", "/api/session", status=403, headers=elsewhere)
        nobody.ask("DELETE", "/api/session", headers={**cookie, "X-CSRF-Token": csrf})
        nobody.get("/api/session", status=401, headers=cookie)


if __name__ == "__main__":
    tap.main(globals())
