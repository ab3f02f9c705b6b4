"""Asks assay-sandbox as a client of AWS: signs with hmac alone, by the published rules, and reads the answers.

    with AwsSandbox("--users", "20") as aws:
        reply = aws.iam("ListMFADevices", UserName="user-3")      # AwsReply: status, code, root, json
        aws.ec2("DescribeVpcs", region="eu-west-1")
        aws.json("kms", "DescribeKey", {"KeyId": key})
        aws.rest("s3", "GET", "/bucket-1?encryption")
"""

import datetime
import hashlib
import hmac
import json
import xml.etree.ElementTree as ElementTree
from urllib.parse import quote, unquote, urlencode

from sandbox_client import Sandbox

ACCESS_KEY = "AKIASANDBOX000000001"
SECRET_KEY = "sandbox/secret+key/that/is/forty/chars00"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/assay"
REGIONS = ("us-east-1", "eu-west-1")
FORM = "application/x-www-form-urlencoded; charset=utf-8"
VERSIONS = {"sts": "2011-06-15", "iam": "2010-05-08", "rds": "2014-10-31", "ec2": "2016-11-15"}
TARGETS = {"cloudtrail": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "config": "StarlingDoveService",
           "kms": "TrentService"}
SIGNING = {"s3control": "s3"}


def digest(data):
    return hashlib.sha256(data).hexdigest()


def canonical_query(query):
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    encoded = sorted((quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def signature(secret, scope, text):
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Credentials:
    def __init__(self, access_key=ACCESS_KEY, secret=SECRET_KEY, token=None):
        self.access_key, self.secret, self.token = access_key, secret, token


class Call:
    """One request, to be signed; its parts may be changed before."""

    def __init__(self, service, method="POST", target="/", body=b"", region="us-east-1", headers=None):
        self.service = SIGNING.get(service, service)
        self.method, self.target, self.body, self.region = method, target, body, region
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}
        self.time = datetime.datetime.now(datetime.timezone.utc)
        self.unsigned = ()

    def sign(self, credentials, host):
        stamp = self.time.strftime("%Y%m%dT%H%M%SZ")
        headers = dict(self.headers, host=host)
        headers["x-amz-date"] = stamp
        if self.service == "s3":
            headers.setdefault("x-amz-content-sha256", digest(self.body))
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        names = sorted(name for name in headers if name not in self.unsigned)
        path, _, query = self.target.partition("?")
        path = path if self.service == "s3" else quote(path, safe="/-_.~")
        lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names)
        canonical = "\n".join([self.method, path, canonical_query(query), lines, ";".join(names), digest(self.body)])
        scope = f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, digest(canonical.encode())])
        headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders="
                                    f"{';'.join(names)}, Signature={signature(credentials.secret, scope, text)}")
        return headers


def strip(element):
    """The element and all below it without their namespaces."""
    for one in element.iter():
        one.tag = one.tag.rpartition("}")[2]
    return element


class AwsReply:
    def __init__(self, reply):
        self.status, self.headers, self.body = reply.status, reply.headers, reply.body
        self.is_xml = reply.body.startswith(b"<")

    @property
    def root(self):
        return strip(ElementTree.fromstring(self.body))

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        if self.is_xml:
            return self.root.findtext(".//Code")
        given = self.headers.get("x-amzn-errortype") or self.json.get("__type") or ""
        return given.rpartition("#")[2].partition(":")[0] if "http" not in given else given.partition(":")[0]

    @property
    def message(self):
        if self.is_xml:
            return self.root.findtext(".//Message")
        return self.json.get("message") or self.json.get("Message")

    def text(self, path):
        return self.root.findtext(f".//{path}")

    def texts(self, path):
        return [element.text for element in self.root.iterfind(f".//{path}")]


class AwsSandbox(Sandbox):
    def __init__(self, *arguments, credentials=None):
        super().__init__("--provider", "aws", *arguments)
        self.credentials = credentials or Credentials()

    def send(self, call, credentials=None):
        headers = call.sign(credentials or self.credentials, f"127.0.0.1:{self.port}")
        return AwsReply(self.request(call.method, call.target, headers, call.body or None))

    def form_call(self, service, action, parameters, region="us-east-1"):
        body = urlencode(dict({"Action": action, "Version": VERSIONS[service]}, **parameters), quote_via=quote)
        return Call(service, body=body.encode(), region=region, headers={"Content-Type": FORM})

    def form(self, service, action, region="us-east-1", credentials=None, **parameters):
        dotted = {name.replace("__", "."): value for name, value in parameters.items()}
        return self.send(self.form_call(service, action, dotted, region), credentials)

    def iam(self, action, **parameters):
        return self.form("iam", action, **parameters)

    def sts(self, action, **parameters):
        return self.form("sts", action, **parameters)

    def ec2(self, action, **parameters):
        return self.form("ec2", action, **parameters)

    def rds(self, action, **parameters):
        return self.form("rds", action, **parameters)

    def json(self, service, operation, body=None, region="us-east-1"):
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{TARGETS[service]}.{operation}"}
        return self.send(Call(service, body=json.dumps(body or {}).encode(), region=region, headers=headers))

    def rest(self, service, method, target, body=None, region="us-east-1", headers=None):
        given = dict(headers or {})
        data = b""
        if body is not None:
            given["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        return self.send(Call(service, method, target, data, region, given))

    def assume(self, role, **parameters):
        """Credentials of a session of the role."""
        reply = self.sts("AssumeRole", RoleArn=role, RoleSessionName="assay-test", **parameters)
        assert reply.status == 200, reply.body
        return Credentials(reply.text("AccessKeyId"), reply.text("SecretAccessKey"), reply.text("SessionToken"))


def pages(ask, rows, token, parameter, **parameters):
    """All rows of a list, and how many pages it had."""
    found, count = [], 0
    while True:
        reply = ask(**parameters)
        assert reply.status == 200, reply.body
        found += rows(reply)
        count += 1
        following = token(reply)
        if following is None:
            return found, count
        parameters[parameter] = following
