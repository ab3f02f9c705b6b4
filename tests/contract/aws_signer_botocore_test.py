#!/usr/bin/env python3
"""Assay's AWS signer against botocore's: some hundred random requests, the same headers from both.

botocore is Debian's python3-botocore, so this runs under Debian's Python whatever started it. The
requests are random but always the same ones; ASSAY_TEST_SEED makes others.
"""

import base64
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest
from unittest import mock
from urllib.parse import quote

DEBIAN_PYTHON = "/usr/bin/python3"
if not os.path.samefile(sys.executable, DEBIAN_PYTHON):
    os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, *sys.argv])

import botocore.auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402

PROBE = pathlib.Path(os.environ["ASSAY_BUILD"]) / "tests/contract/aws_signer_probe"
SEED = os.environ.get("ASSAY_TEST_SEED", "20150830")
OWN = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256")
DAY = 24 * 3600

KEYS = [
    ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None),
    ("ASIATEMPORARY", "short", "IQoJb3JpZ2luX2VjE/+=" * 40),
    ("ASIAOTHER", "+/==secret with a blank and \u00e9", "t"),
]
WORDS = ["", "a", "A", "b1", "a-b", "a.b", "x_y~z", "hello world", "100%", "a/b", "a+b", "k=v&w", "arn:aws:iam::1:user/x",
         "\u00e9t\u00e9", "\u4f60\u597d", "\U0001f600", "'quoted'", "(*)!", "..", ".", "\t\n", '"', "%2F", "[0]", "@$,;"]
SERVICES = ["iam", "sts", "ec2", "rds", "cloudtrail", "access-analyzer", "securityhub"]
REGIONS = ["us-east-1", "eu-west-1", "us-gov-west-1", "cn-north-1"]
# What a URL may hold in its path beside percent-encoded bytes (RFC 3986).
RAW_PATH = "-._~!$&'()*+,;=:@"


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def word(self):
        return self.random.choice(WORDS)

    def path(self, s3):
        segments = [self.word() for _ in range(self.random.randrange(6))]
        if s3:
            encoded = [quote(s, safe="~") for s in segments]
        else:
            encoded = [quote(s, safe=self.random.choice(["~", RAW_PATH])) for s in segments]
        path = "".join(f"/{s}" for s in encoded)
        # An empty path goes over the wire as "/", which botocore overlooks for S3.
        return (path or "/") if s3 else path + self.random.choice(["", "/"])

    def pair(self):
        key, value = (quote(self.word(), safe="-_.~") for _ in range(2))
        return self.random.choice([f"{key}={value}", f"{key}={value}", f"{key}=", key])

    def query(self):
        if self.random.random() < 0.3:
            return self.random.choice(["", "?"])
        return "?" + "&".join(self.pair() for _ in range(self.random.randrange(1, 9)))

    def url(self, s3):
        scheme = self.random.choice(["https", "https", "http"])
        host = self.random.choice(["iam.amazonaws.com", "my.bucket.s3.eu-west-1.amazonaws.com", "localhost", "127.0.0.1",
                                   "[::1]", "123456789012.s3-control.us-east-1.amazonaws.com"])
        port = self.random.choice(["", "", ":443", ":80", ":4566", ":8080"])
        path, query = self.path(s3), self.query()
        return f"{scheme}://{host}{port}{path}{query}"

    def headers(self):
        possible = [
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("content-type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", "TrentService.ListKeys"),
            ("Accept", "  a/b ,   c/d"),
            ("x-amz-expected-bucket-owner", "123456789012"),
            ("X-Amz-Meta-Text", "gr\u00fc\u00df\tdich   "),
            ("x-amz-meta-text", "again"),
            ("X-AMZ-META-TEXT", ""),
            ("x-amz-meta", "0"),
            ("X-Amz-Meta-Text-2", '"a  b"'),
            ("User-Agent", "assay"),
            ("Expect", "100-continue"),
            ("X-Amzn-Trace-Id", "Root=1"),
        ]
        return self.random.choices(possible, k=self.random.randrange(6))

    def body(self):
        return self.random.choice([b"", b"{}", b"Action=GetCallerIdentity&Version=2011-06-15", self.random.randbytes(200),
                                   self.random.randbytes(70000)])

    def request(self):
        key_id, secret, token = self.random.choice(KEYS)
        s3 = self.random.random() < 0.4
        return {
            "keyId": key_id, "secret": secret, "token": token, "s3": s3,
            "method": self.random.choice(["GET", "POST", "PUT", "DELETE", "HEAD"]),
            "url": self.url(s3), "headers": self.headers(),
            "body": base64.b64encode(self.body()).decode(),
            "region": self.random.choice(REGIONS),
            "service": "s3" if s3 else self.random.choice(SERVICES),
            "now": 1000 * (1440938160 + self.random.randrange(3) * DAY + self.random.randrange(9 * 3600)),
        }


def judge(request):
    """The headers that botocore adds to this request."""
    aws = AWSRequest(request["method"], request["url"], data=base64.b64decode(request["body"]))
    for name, value in request["headers"]:
        aws.headers[name] = value
    signer = botocore.auth.S3SigV4Auth if request["s3"] else botocore.auth.SigV4Auth
    credentials = Credentials(request["keyId"], request["secret"], request["token"])
    now = datetime.datetime.fromtimestamp(request["now"] / 1000, datetime.timezone.utc)
    with mock.patch("botocore.auth.datetime") as clock:
        clock.datetime.utcnow.return_value = now
        signer(credentials, request["service"], request["region"]).add_auth(aws)
    return {name.lower(): value for name, value in aws.headers.items() if name.lower() in OWN}


def sign(requests):
    """The headers that Assay adds to each of these requests."""
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    result = subprocess.run([PROBE], input=lines, text=True, capture_output=True, check=False)
    if result.returncode != 0:
        raise AssertionError(result.stderr)
    return [json.loads(line) for line in result.stdout.splitlines()]


class Signer(unittest.TestCase):
    maxDiff = None

    def test_headers_are_those_of_botocore(self):
        generator = Generator(SEED)
        requests = [generator.request() for _ in range(600)]
        answers = sign(requests)
        self.assertEqual(len(answers), len(requests))
        for request, answer in zip(requests, answers):
            with self.subTest(url=request["url"], headers=request["headers"]):
                self.assertEqual(answer, judge(request))

    def test_the_requests_are_as_varied_as_they_should_be(self):
        generator = Generator(SEED)
        requests = [generator.request() for _ in range(600)]
        urls = [r["url"] for r in requests]
        self.assertGreater(len(set(urls)), 500)
        for wanted in ("%25", "%C3%A9", "/../", "//", "&", "?", "[::1]", ":4566"):
            self.assertTrue(any(wanted in u.split("://")[1] for u in urls), wanted)
        for wanted in ({"s3": True}, {"s3": False}, {"body": ""}, {"token": None}):
            for name, value in wanted.items():
                self.assertGreater(sum(r[name] == value for r in requests), 50, wanted)
        self.assertGreater(sum(len({n.lower() for n, _ in r["headers"]}) < len(r["headers"]) for r in requests), 50)

    def test_the_vendor_s_own_example_comes_out_of_both(self):
        request = {
            "keyId": KEYS[0][0], "secret": KEYS[0][1], "token": None, "s3": False, "method": "GET", "body": "",
            "url": "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
            "headers": [["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"]],
            "region": "us-east-1", "service": "iam", "now": 1440938160000,
        }
        for headers in (judge(request), sign([request])[0]):
            self.assertTrue(headers["authorization"].endswith(
                "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"))


if __name__ == "__main__":
    unittest.main()
