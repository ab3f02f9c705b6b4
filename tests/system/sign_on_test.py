#!/usr/bin/env python3
"""Single sign-on against a real OpenID provider (oidc-provider, scripts/install-node-modules tests/system/oidc): there
through its own forms and back, who is let in and who is not, and what is refused when it comes a second time."""

import contextlib
import html
import json
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import tap
from assay_client import Assay
from people_test import ADA, PASSWORD, Client, set_up, stored
from sandbox_client import TIMEOUT
from serve_client import Service

FOLDER = pathlib.Path(__file__).parent / "oidc"
SECRET = "Planted/Client+Secret:4242"
START = "/api/session/oidc/start"
BACK = "/api/session/oidc/callback"


class Provider:
    """The provider in a process of its own; it begins to answer once it knows where its client is."""

    def __init__(self, **environment):
        self.process = subprocess.Popen(["node", str(FOLDER / "provider.mjs")], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env={"PATH": os.environ["PATH"], "CLIENT_SECRET": SECRET, **environment})
        self.issuer = self.process.stdout.readline().strip()
        assert self.issuer.startswith("http://127.0.0.1:"), "run scripts/install-node-modules tests/system/oidc"

    def serve(self, service):
        self.process.stdin.write(f"{service.api}{BACK}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


class Browser(Client):
    """A client that also goes where it is sent, as a browser does, and fills in forms."""

    def __init__(self, service):
        super().__init__(service)
        self.walker = urllib.request.build_opener(NoRedirect(), urllib.request.HTTPCookieProcessor(self.cookies))

    def walk(self, url, form=None):
        """(status, where it leads, text)"""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            reply = self.walker.open(urllib.request.Request(url, data=data), timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            reply = error
        with contextlib.closing(reply):
            place = reply.headers.get("Location")
            return reply.status, place and urllib.parse.urljoin(url, place), reply.read().decode()

    def start(self):
        status, place, text = self.walk(self.base + START)
        assert status == 303, text
        return place

    def way_back(self, place, name):
        """Logs in at the provider: the address that it sends the browser back to."""
        for _ in range(12):
            if place.startswith(self.base):
                return place
            _, following, text = self.walk(place)
            if following is None:
                action = html.unescape(re.search(r'action="([^"]+)"', text)[1])
                prompt = re.search(r'name="prompt" value="(\w+)"', text)[1]
                _, following, text = self.walk(urllib.parse.urljoin(place, action),
                                               {"prompt": prompt, "login": name, "password": "any"})
                assert following, text
            place = following
        raise AssertionError(f"the provider does not come to an end: {place}")

    def come(self, name):
        return self.way_back(self.start(), name)

    def sign_on(self, name, status=303):
        got, place, text = self.walk(self.come(name))
        assert got == status, (got, text)
        if status == 303:
            assert place == self.base + "/", place
            return None
        return json.loads(text)


@contextlib.contextmanager
def world(*, client=None, **provider):
    with Provider(**provider) as idp:
        settings = {"OIDC_ISSUER": idp.issuer, "OIDC_CLIENT_ID": client or "assay+client", "OIDC_CLIENT_SECRET": SECRET,
                    "OIDC_ALLOW_PRIVATE": "yes"}
        with Assay(None, **settings) as assay, Service(assay, "--role", "all") as service:
            idp.serve(service)
            owner = set_up(service)
            yield assay, service, owner
            assert SECRET not in service.said() and SECRET.encode() not in stored(assay)


def denied(owner_assay):
    rows = owner_assay.rows("select record from audit where action = 'session.login' order by id")
    return [json.loads(row["record"]) for row in rows if json.loads(row["record"])["result"] == "denied"]


def test_a_known_user_comes_in_and_has_a_session_like_any_other():
    with world() as (assay, service, owner):
        browser = Browser(service)
        browser.sign_on("ada")
        me = browser.ask("GET", "/api/session")
        assert me["name"] == ADA["email"] and me["organizations"][0]["role"] == "owner", me
        browser.ask("POST", "/api/tokens", {"name": "by session", "role": "member"}, 201)
        browser.ask("DELETE", "/api/session")
        browser.ask("GET", "/api/session", status=401)
        logins = [json.loads(row["record"]) for row in assay.rows("select record from audit where action = 'session.login'")]
        assert any(login.get("details", {}).get("method") == "oidc" for login in logins), logins
        bound = assay.rows("select * from user_identity")
        assert [row["subject"] for row in bound] == ["ada"]


def made_keys(kind, options):
    """A key set of the provider's, with one key for any algorithm of its type."""
    program = (f"const key = require('crypto').generateKeyPairSync('{kind}', {json.dumps(options)}).privateKey;"
               "console.log(JSON.stringify({keys: [{...key.export({format: 'jwk'}), kid: 'one', use: 'sig'}]}))")
    return subprocess.run(["node", "-e", program], check=True, capture_output=True, text=True).stdout


def test_algorithms_and_ways_to_authenticate_that_providers_use():
    rsa, curve = made_keys("rsa", {"modulusLength": 2048}), made_keys("ec", {"namedCurve": "P-256"})
    for options in ({"CLIENT_AUTH": "client_secret_post"}, {"IN_TOKEN": "yes"}, {"CLIENT_ALG": "PS256", "KEYS": rsa},
                    {"CLIENT_ALG": "ES256", "KEYS": curve}):
        with world(**options) as (_, service, owner):
            browser = Browser(service)
            browser.sign_on("ada")
            assert browser.ask("GET", "/api/session")["name"] == ADA["email"], options


def test_whoever_is_invited_joins_and_whoever_is_not_gets_no_account():
    with world() as (assay, service, owner):
        problem = Browser(service).sign_on("eve", 403)
        assert "invitation" in problem["detail"], problem
        assert assay.value("select count(*) from user_account") == 1
        owner.ask("POST", "/api/invitations", {"email": "eve@example.com", "role": "auditor"}, 201)
        eve = Browser(service)
        eve.sign_on("eve")
        me = eve.ask("GET", "/api/session")
        assert me["name"] == "eve@example.com" and me["organizations"][0]["role"] == "auditor", me
        assert owner.ask("GET", "/api/invitations")["invitations"] == []
        again = Browser(service)
        again.sign_on("eve")
        assert again.ask("GET", "/api/session")["id"] == me["id"]
        Client(service).ask("POST", "/api/session", {"email": "eve@example.com", "password": PASSWORD}, 401)
        assert [row["actor"]["name"] for row in denied(assay)][:1] == ["eve@example.com"]


def test_an_address_that_the_provider_has_not_verified_is_nobodys():
    with world() as (assay, service, owner):
        owner.ask("POST", "/api/invitations", {"email": "unverified@example.com", "role": "member"}, 201)
        Browser(service).sign_on("unverified", 403)
        assert assay.value("select count(*) from user_account") == 1


def test_an_address_that_has_passed_to_another_subject_does_not_open_the_account():
    with world() as (assay, service, owner):
        Browser(service).sign_on("ada")
        assay.change("update user_identity set subject = 'an earlier ada'")
        problem = Browser(service).sign_on("ada", 403)
        assert "somebody else" in problem["detail"], problem


def other_organization(assay, service):
    """An organization of its own, and a client that owns it."""
    operator = Client(service, assay.ask("tokens", "create", "operator", "--operator")["token"])
    operator.ask("POST", "/api/organizations", {"name": "other"}, 201)
    return Client(service, assay.ask("tokens", "create", "other", "--role", "owner", "--organization", "other")["token"])


def test_an_invitation_is_not_taken_up_for_who_had_the_address_before():
    with world() as (assay, service, owner):
        Browser(service).sign_on("ada")
        assay.change("update user_identity set subject = 'an earlier ada'")
        other_organization(assay, service).ask("POST", "/api/invitations", {"email": ADA["email"], "role": "admin"}, 201)
        Browser(service).sign_on("ada", 403)
        assert assay.value("select count(*) from membership") == 1


def test_who_took_an_address_before_its_owner_came_is_out_when_he_comes():
    with world() as (assay, service, owner):
        invited = owner.ask("POST", "/api/invitations", {"email": "eve@example.com", "role": "member"}, 201)
        thief = Client(service)  # whoever invites has the link, too
        login = {"email": "eve@example.com", "password": "not the password of eve"}
        thief.ask("POST", "/api/invitations/accept", {"token": invited["link"].split("#")[1], "password": login["password"]}, 201)
        thief.ask("GET", "/api/session")
        other_organization(assay, service).ask("POST", "/api/invitations", {"email": "eve@example.com", "role": "admin"}, 201)
        eve = Browser(service)
        eve.sign_on("eve")
        reach = eve.ask("GET", "/api/session")["organizations"]
        assert {one["role"] for one in reach} == {"member", "admin"}, reach
        thief.ask("GET", "/api/session", status=401)
        Client(service).ask("POST", "/api/session", login, 401)
        records = [json.loads(row["record"]) for row in assay.rows("select record from audit where action = 'password.change'")]
        assert [record["target"]["name"] for record in records] == ["eve@example.com"], records
        again = Browser(service)
        again.sign_on("eve")
        eve.ask("GET", "/api/session")


def test_whoever_is_logged_in_with_his_password_keeps_it():
    with world() as (assay, service, owner):
        other = Client(service)
        other.log_in()
        browser = Browser(service)
        browser.log_in()
        browser.sign_on("ada")
        other.ask("GET", "/api/session")
        Client(service).log_in()
        assert assay.value("select count(*) from user_identity") == 1


def test_a_disabled_user_stays_out():
    with world() as (assay, service, owner):
        Browser(service).sign_on("ada")
        assay.ask("users", "disable", "ada@example.com")
        Browser(service).sign_on("ada", 403)


def test_an_answer_is_good_once_and_in_the_browser_that_asked():
    with world() as (assay, service, owner):
        browser = Browser(service)
        back = browser.come("ada")
        thief = Browser(service)
        assert thief.walk(back)[0] == 401
        thief.start()
        assert thief.walk(back)[0] == 401  # it has a login of its own, and the state is used up
        assert browser.walk(back)[0] == 401
        back = browser.come("ada")
        assert browser.walk(back)[0] == 303
        assert browser.walk(back)[0] == 401


def test_a_code_that_was_used_is_not_accepted_with_another_state():
    with world() as (assay, service, owner):
        browser = Browser(service)
        back = browser.come("ada")
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
        assert browser.walk(back)[0] == 303
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(browser.start()).query)["state"][0]
        status, _, text = browser.walk(f"{browser.base}{BACK}?{urllib.parse.urlencode({'code': code, 'state': state})}")
        assert status == 401 and "start again" in text, text
        assert denied(assay)


def test_forged_states_foreign_issuers_and_refusals_of_the_provider_are_told():
    with world() as (assay, service, owner):
        for extra in ({}, {"state": "x"}, {"state": "d" + "A" * 43 + ".installation", "code": "x"}):
            browser = Browser(service)
            browser.start()
            assert browser.walk(f"{browser.base}{BACK}?{urllib.parse.urlencode(extra)}")[0] == 401, extra
        for extra in ({"code": "x", "iss": "https://other.example"}, {"error": "access_denied", "error_uri": "x"},
                      {"code": "forged"}):
            browser = Browser(service)
            state = urllib.parse.parse_qs(urllib.parse.urlsplit(browser.start()).query)["state"][0]
            status, _, text = browser.walk(f"{browser.base}{BACK}?{urllib.parse.urlencode({'state': state, **extra})}")
            assert status == 401 and json.loads(text)["status"] == 401, (extra, text)


def states_in_redis():
    """Keys and values of all states in the Redis beside the test, if there is one."""
    if "REDIS_URL" not in os.environ:
        return []

    def ask(*words):
        done = subprocess.run(["redis-cli", "-s", os.environ["REDIS_URL"].removeprefix("unix:"), *words], capture_output=True,
                              text=True, check=True)
        return done.stdout.split()

    return [key + repr(ask("get", key)) for key in ask("--scan", "--pattern", "assay:*") if ask("type", key) == ["string"]]


def test_what_is_stored_of_a_login_holds_no_state_code_or_cookie():
    with world() as (assay, service, owner):
        browser = Browser(service)
        place = urllib.parse.parse_qs(urllib.parse.urlsplit(browser.start()).query)
        cookie = next(cookie.value for cookie in browser.cookies if cookie.name == "assay-login")
        states = [repr(row) for row in assay.rows("select * from oauth_state")] + states_in_redis()
        kept = repr(states) + service.said()
        assert states
        assert place["code_challenge_method"] == ["S256"]
        for secret in (place["state"][0], place["nonce"][0], place["code_challenge"][0], cookie):
            assert secret not in kept


def test_a_wrong_client_is_the_installations_fault_and_the_log_says_so():
    with world(CLIENT_SECRET="another secret") as (assay, service, owner):
        problem = Browser(service).sign_on("ada", 502)
        assert "log" in problem["detail"], problem
        assert "oidc.client_secret" in service.wait(event="single_sign_on_failed")["why"]


def test_without_a_provider_or_with_one_that_is_gone_passwords_still_work():
    with Assay() as assay, Service(assay, "--role", "all") as service:
        set_up(service)
        assert Browser(service).walk(service.api + START)[0] == 404
    with Assay(None, OIDC_ISSUER="http://127.0.0.1:9", OIDC_CLIENT_ID="assay", OIDC_ALLOW_PRIVATE="yes") as assay:
        with Service(assay, "--role", "all") as service:
            set_up(service)
            assert Browser(service).walk(service.api + START)[0] == 502
            Client(service).log_in()


def test_the_secret_is_shown_nowhere_and_the_settings_must_fit():
    with world() as (assay, service, owner):
        environment = pathlib.Path(f"/proc/{service.process.pid}/environ").read_bytes()
        assert SECRET.encode() not in environment
    for settings in ({"OIDC_ISSUER": "https://id.example"}, {"OIDC_CLIENT_ID": "assay"},
                     {"OIDC_ISSUER": "http://id.example", "OIDC_CLIENT_ID": "assay", "OIDC_ALLOW_PRIVATE": "yes"},
                     {"OIDC_ISSUER": "http://127.0.0.1:9", "OIDC_CLIENT_ID": "assay"}):
        with Assay(None, **settings) as assay:
            result = assay.run("serve", "--role", "all", "--json", status=2)
            assert "oidc" in result.out + result.error, result


if __name__ == "__main__":
    tap.main(globals())
