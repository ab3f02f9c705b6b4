#!/usr/bin/env python3
"""Connecting AWS: keys, roles with an external id that Assay makes, and where the identity comes from.

A small AWS of the test's own stands behind endpoint_url: STS, which knows keys by name and checks
each signature, and a role that trusts one external id or any.
"""

import contextlib
import hashlib
import hmac
import http.server
import re
import threading
import urllib.parse

import tap
from assay_client import Assay
from serve_client import Service

ROLE = "arn:aws:iam::123456789012:role/assay"
SECRETS = {"AKIDEXAMPLEEXAMPLE01": "planted-secret-of-a-user", "AKIDEXAMPLEEXAMPLE02": "planted-secret-of-the-hub",
           "ASIAEXAMPLEEXAMPLE03": "planted-secret-of-the-role"}
USER, HUB, ASSUMED = SECRETS
XMLNS = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}
HUB_ENVIRONMENT = {**NO_METADATA, "AWS_ACCESS_KEY_ID": HUB, "AWS_SECRET_ACCESS_KEY": SECRETS[HUB]}


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Cloud:
    """trusted: the external id that the role trusts; None: any."""

    def __init__(self, trusted=None):
        self.trusted = trusted
        self.asked = []  # (action, key id, parameters)
        cloud = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, text = cloud.answer(self.headers, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *what):
        self.server.shutdown()
        self.server.server_close()

    def is_signed(self, headers, body, key):
        scope, names, signature = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=[^/]+/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)",
            headers["Authorization"]).groups()
        lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names.split(";"))
        canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        day, region, service, end = scope.split("/")
        secret = f"AWS4{SECRETS[key]}".encode()
        signing = mac(mac(mac(mac(secret, day), region), service), end)
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        wanted = mac(signing, f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{hashed}").hex()
        return hmac.compare_digest(wanted, signature)

    def refuse(self, code, status=403):
        return status, (f"<ErrorResponse {XMLNS}><Error><Type>Sender</Type><Code>{code}</Code>"
                        f"<Message>planted message</Message></Error></ErrorResponse>")

    def answer(self, headers, body):
        key = re.search(r"Credential=([^/]+)/", headers["Authorization"])[1]
        given = dict(urllib.parse.parse_qsl(body.decode()))
        self.asked.append((given["Action"], key, given))
        if key not in SECRETS:
            return self.refuse("InvalidClientTokenId")
        if not self.is_signed(headers, body, key):
            return self.refuse("SignatureDoesNotMatch")
        return getattr(self, given["Action"])(headers, key, given)

    def AssumeRole(self, headers, key, given):
        if self.trusted not in (None, given["ExternalId"]):
            return self.refuse("AccessDenied")
        return 200, (f"<AssumeRoleResponse {XMLNS}><AssumeRoleResult><Credentials><AccessKeyId>{ASSUMED}</AccessKeyId>"
                     f"<SecretAccessKey>{SECRETS[ASSUMED]}</SecretAccessKey><SessionToken>planted-token</SessionToken>"
                     "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
                     "</AssumeRoleResponse>")

    def GetCallerIdentity(self, headers, key, given):
        if key == ASSUMED and headers["x-amz-security-token"] != "planted-token":
            return self.refuse("InvalidClientTokenId")
        arn = "arn:aws:sts::123456789012:assumed-role/assay/x" if key == ASSUMED else "arn:aws:iam::123456789012:user/a"
        return 200, (f"<GetCallerIdentityResponse {XMLNS}><GetCallerIdentityResult><Arn>{arn}</Arn><UserId>A</UserId>"
                     "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")


def connect(assay, cloud, *words, env=None, status=0, output="--json"):
    place = ["--set", "regions=us-east-1", "--set", f"endpoint_url={cloud.url}", "--set", "allow_private=true"]
    result = assay.run("connect", "aws", "--name", "prod", *place, *words, *output.split(), status=status,
                       env=NO_METADATA if env is None else env)
    assert "planted" not in result.out + result.error, result
    for path in assay.data.rglob("*"):
        assert not path.is_file() or b"planted" not in path.read_bytes(), path
    return result


def connect_keys(assay, cloud, key, secret, status=0):
    env = {**NO_METADATA, "AK": key, "SK": secret}
    return connect(assay, cloud, "--auth", "keys", "--credential", "access_key_id=env:AK",
                   "--credential", "secret_access_key=env:SK", env=env, status=status)


def connect_role(assay, cloud, *words, env=HUB_ENVIRONMENT, **options):
    return connect(assay, cloud, "--auth", "role", "--set", f"role_arn={ROLE}", *words, env=env, **options)


def test_keys_are_tested_and_the_account_is_told():
    with Cloud() as cloud, Assay() as assay:
        reply = connect_keys(assay, cloud, USER, SECRETS[USER]).json
        assert reply["success"] is True and reply["id"] and reply["status"] == "connected", reply
        assert reply["accountId"] == "123456789012", reply
        assert reply["arn"] == "arn:aws:iam::123456789012:user/a", reply
        assert "externalId" not in reply, reply
        assert [(action, key) for action, key, _ in cloud.asked] == [("GetCallerIdentity", USER)]


def test_keys_that_are_refused_are_invalid_credentials_and_not_stored():
    for key, secret in (("AKIDUNKNOWNUNKNOWN01", "planted-secret"), (USER, "planted-wrong-secret")):
        with Cloud() as cloud, Assay() as assay:
            failure = connect_keys(assay, cloud, key, secret, status=4).failure
            assert failure["code"] == "AUTHENTICATION_FAILED", failure
            assert failure["message"] == "Invalid AWS credentials", failure
            assert assay.integrations() == []


def test_a_role_is_assumed_with_an_external_id_that_is_made_for_it():
    with Cloud() as cloud, Assay() as assay:
        reply = connect_role(assay, cloud).json
        assert reply["arn"] == "arn:aws:sts::123456789012:assumed-role/assay/x", reply
        assert re.fullmatch("assay-[0-9a-f]{32}", reply["externalId"]), reply
        assert [(action, key) for action, key, _ in cloud.asked] == [("AssumeRole", HUB), ("GetCallerIdentity", ASSUMED)]
        given = cloud.asked[0][2]
        assert given["RoleArn"] == ROLE and given["ExternalId"] == reply["externalId"], given
        assert given["RoleSessionName"].startswith("assay-") and given["DurationSeconds"] == "3600", given


def test_a_role_that_does_not_trust_yet_is_connected_later_with_the_same_id():
    with Cloud(trusted="") as cloud, Assay() as assay:
        failure = connect_role(assay, cloud, status=4).failure
        assert failure["code"] == "AUTHENTICATION_FAILED", failure
        assert failure["message"].startswith(f"Invalid AWS credentials: the role {ROLE} cannot be assumed"), failure
        assert "trust policy" in failure["message"], failure
        made = re.search(r"connect again with --set external_id=(assay-[0-9a-f]{32})$", failure["message"])[1]
        assert assay.integrations() == []
        cloud.trusted = made
        reply = connect_role(assay, cloud, "--set", f"external_id={made}").json
        assert reply["success"] is True and "externalId" not in reply, reply


def test_a_person_is_shown_the_trust_policy_before_the_role_is_tried():
    with Cloud() as cloud, Assay() as assay:
        result = connect_role(assay, cloud, output="")
        made = cloud.asked[0][2]["ExternalId"]
        assert f"External id of this connection: {made}\n" in result.error, result
        assert f'"sts:ExternalId": "{made}"' in result.error, result
        assert '"AWS": "arn:aws:iam::ACCOUNT-ID:root"' in result.error, result


def test_a_key_of_the_connection_assumes_its_role():
    with Cloud() as cloud, Assay() as assay:
        env = {**NO_METADATA, "AK": USER, "SK": SECRETS[USER]}
        connect_role(assay, cloud, "--credential", "access_key_id=env:AK", "--credential", "secret_access_key=env:SK",
                     env=env)
        assert cloud.asked[0][:2] == ("AssumeRole", USER), cloud.asked


def test_without_any_identity_nothing_is_asked():
    with Cloud() as cloud, Assay() as assay:
        failure = connect_role(assay, cloud, env=NO_METADATA, status=2).failure
        assert failure["code"] == "CONFIGURATION_ERROR", failure
        assert "AWS_ACCESS_KEY_ID" in failure["message"], failure
        assert cloud.asked == []


# On a server, which makes the external id

@contextlib.contextmanager
def served(**trust):
    """A server with an identity of its own, and somebody elsewhere who has none."""
    with Cloud(**trust) as cloud, Assay() as assay:
        assay.run("init", status=0)
        token = assay.ask("tokens", "create", "ada", "--role", "owner", "--operator")["token"]
        with Service(assay, "--role", "api", env=HUB_ENVIRONMENT) as service, \
                Assay(ASSAY_SERVER=service.api, ASSAY_TOKEN=token) as there:
            yield cloud, assay, there
            assert not there.data.exists()


def test_a_server_assumes_the_role_with_an_id_of_its_own():
    with served() as (cloud, assay, there):
        reply = connect_role(there, cloud, env=NO_METADATA).json
        assert reply["arn"] == "arn:aws:sts::123456789012:assumed-role/assay/x", reply
        assert re.fullmatch("assay-[0-9a-f]{32}", reply["externalId"]), reply
        assert [(action, key) for action, key, _ in cloud.asked] == [("AssumeRole", HUB), ("GetCallerIdentity", ASSUMED)]
        assert cloud.asked[0][2]["ExternalId"] == reply["externalId"]
        assert [row["name"] for row in assay.integrations()] == ["prod"]


def test_a_role_that_does_not_trust_the_server_yet_is_connected_later_with_its_id():
    with served(trusted="") as (cloud, assay, there):
        failure = connect_role(there, cloud, env=NO_METADATA, status=4).failure
        assert failure["code"] == "AUTHENTICATION_FAILED", failure
        assert cloud.asked[0][2]["ExternalId"] in failure["message"], failure
        result = connect_role(there, cloud, env=NO_METADATA, status=4, output="")
        made = cloud.asked[1][2]["ExternalId"]
        assert f'"sts:ExternalId": "{made}"' in result.error, result
        assert f"connect again with --set external_id={made}" in result.error, result
        assert assay.integrations() == []
        cloud.trusted = made
        reply = connect_role(there, cloud, "--set", f"external_id={made}", env=NO_METADATA).json
        assert reply["success"] is True and "externalId" not in reply, reply


def test_whoever_sets_up_the_role_meanwhile_goes_on_with_enter():
    with served(trusted="") as (cloud, assay, there):
        def answer(headers, body, refuse=cloud.answer):
            """The role trusts the id of the first attempt from then on."""
            reply = refuse(headers, body)
            cloud.trusted = cloud.trusted or cloud.asked[0][2]["ExternalId"]
            return reply
        cloud.answer = answer
        words = ["--set", "regions=us-east-1", "--set", f"endpoint_url={cloud.url}", "--set", "allow_private=true"]
        status, shown = there.run_on_terminal("connect", "aws", "--name", "prod", "--auth", "role", "--set", f"role_arn={ROLE}",
                                              *words, typed="\n", env=NO_METADATA)
        assert status == 0 and "Press Enter when the role has it:" in shown, shown
        asked = [given["ExternalId"] for action, _, given in cloud.asked if action == "AssumeRole"]
        assert len(asked) == 2 and len(set(asked)) == 1 and asked[0] in shown, asked
        assert [row["name"] for row in assay.integrations()] == ["prod"]


tap.main(globals())
