#!/usr/bin/env python3
"""The API over TLS, with a certificate of the operator's own."""

import contextlib
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import urllib.parse
import warnings

import tap
from api_client import Api
from api_test import connect_request, ended, token
from assay_client import Assay
from sandbox_client import TIMEOUT, Sandbox
from serve_client import Service


def certificate(folder, name="tls"):
    """A certificate of localhost that vouches for itself, and its key."""
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", chain], check=True, capture_output=True)
    key.chmod(0o600)
    return chain, key


def environment(chain, key):
    return {"ASSAY_TLS_CERTIFICATE": str(chain), "ASSAY_TLS_KEY": str(key)}


@contextlib.contextmanager
def world():
    """An installation that answers over TLS, and what trusts its certificate."""
    with Sandbox("--repos", "3", "--limit", "0") as sandbox, Assay(sandbox) as assay:
        assay.run("init", status=0)
        chain, key = certificate(assay.home)
        trust = ssl.create_default_context(cafile=chain)
        with Service(assay, "--role", "all", "--workers", "1", env=environment(chain, key)) as service:
            yield sandbox, assay, service, trust


def place(service):
    return urllib.parse.urlsplit(service.api)


def test_everything_is_answered_over_tls():
    with world() as (sandbox, assay, service, trust):
        assert place(service).scheme == "https"
        api = Api(service.api, token(assay, "owner", "--operator"), trust=trust)
        assert api.description.document["servers"] == [{"url": service.api}]
        connected = api.post("/api/integrations/connect", connect_request(sandbox), status=201).json
        job = ended(api, connected["jobId"])
        assert job["status"] == "completed", job
        assert api.get("/api/integrations/acme").headers["strict-transport-security"]
        for item in api.get("/api/evidence").json["evidence"]:
            assert assay.show(item["id"])["data"] == api.get(f"/api/evidence/{item['id']}").json["data"]
        names = [name for name, _, _ in api.events(f"/api/jobs/{connected['jobId']}/events")]
        assert names[-1] == "done" and names.count("evidence") == len(job["evidenceTypes"]), names
        waited = api.post("/api/integrations/collect-evidence", {"controlId": "soc2:CC8.1"}).json
        assert waited["evidenceCount"] > 0, waited


def test_a_browsers_cookie_goes_over_tls_only():
    with world() as (sandbox, assay, service, trust):
        secret = service.ready["setup"].split("#")[1]
        assert service.ready["setup"].startswith(service.api)
        body = {"token": secret, "email": "ada@example.com", "name": "Ada", "password": "correct horse battery", "organization": "One"}
        answer = Api(service.api, trust=trust).send("POST", "/api/setup", body)
        assert answer.status == 201, answer
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-assay=") and "Secure" in cookie, cookie


def test_neither_plain_http_nor_old_tls_is_answered():
    with world() as (sandbox, assay, service, trust):
        with socket.create_connection((place(service).hostname, place(service).port), timeout=TIMEOUT) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                assert b"HTTP/1.1" not in connection.recv(1000)
        for version, fits in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
            client = ssl.create_default_context(cafile=assay.home / "tls.pem")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                client.minimum_version = client.maximum_version = version
            connection = http.client.HTTPSConnection("127.0.0.1", place(service).port, context=client, timeout=TIMEOUT)
            try:
                connection.request("GET", "/healthz")
                assert fits and json.loads(connection.getresponse().read()) == {"status": "ok"}
            except (ssl.SSLError, ConnectionError):
                assert not fits
            connection.close()


def test_a_certificate_that_cannot_be_used_is_told_at_the_start():
    with Assay() as assay:
        assay.run("init", status=0)
        chain, key = certificate(assay.home)
        other, other_key = certificate(assay.home, "other")
        bare = assay.home / "bare"
        bare.write_text("nothing")
        bare.chmod(0o600)
        wide = assay.home / "wide.key"
        wide.write_bytes(key.read_bytes())
        wide.chmod(0o604)
        for changes, part in (
                ({"ASSAY_TLS_KEY": ""}, "TLS wants both"),
                ({"ASSAY_TLS_CERTIFICATE": ""}, "TLS wants both"),
                ({"ASSAY_TLS_CERTIFICATE": str(assay.home / "missing")}, "tls_certificate: No such file"),
                ({"ASSAY_TLS_KEY": str(assay.home)}, "tls_key: is no file"),
                ({"ASSAY_TLS_CERTIFICATE": str(bare)}, "no certificate (PEM)"),
                ({"ASSAY_TLS_KEY": str(bare)}, "no private key (PEM)"),
                ({"ASSAY_TLS_KEY": str(wide)}, "everybody may read the file"),
                ({"ASSAY_TLS_KEY": str(other_key)}, "tls_certificate and tls_key"),
                ({"ASSAY_PUBLIC_URL": "http://assay.example"}, "begins with https://")):
            wanted = {name: value for name, value in {**environment(chain, key), **changes}.items() if value}
            failure = assay.run("serve", "--role", "api", "--json", env=wanted).failure
            assert failure["code"] == "CONFIGURATION_ERROR" and part in failure["message"], (changes, failure)


if __name__ == "__main__":
    tap.main(globals())
