"""Talks to the API of `assay serve`, and holds every reply against the OpenAPI document that the server itself gives.

    with Service(assay) as service:
        api = Api(service.api, assay.token("owner"))
        api.get("/api/integrations").json["integrations"]
        api.post("/api/integrations/acme/sync", {}, status=202)

A reply whose status, media type or body is not what the document says fails the test that caused it.
"""

import http.client
import json
import re
import urllib.parse

import jsonschema
from sandbox_client import TIMEOUT


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:3000]}"


class Api:
    """trust: an ssl.SSLContext, for a server with TLS."""

    def __init__(self, url, token=None, description=None, trust=None):
        self.place = urllib.parse.urlsplit(url)
        self.token = token
        self.trust = trust
        self.connection = self.connect()
        self.description = description or Description(self.send("GET", "/api/openapi.json").json)

    def connect(self):
        place = (self.place.hostname, self.place.port)
        if self.trust is None:
            return http.client.HTTPConnection(*place, timeout=TIMEOUT)
        return http.client.HTTPSConnection(*place, timeout=TIMEOUT, context=self.trust)

    def as_(self, token):
        return Api(self.place.geturl(), token, self.description, self.trust)

    def send(self, method, path, body=None, headers=None):
        given = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            given["Content-Type"] = "application/json"
        self.connection.request(method, path, body=None if body is None else json.dumps(body),
                                headers={**given, **(headers or {})})
        return Answer(self.connection.getresponse())

    def ask(self, method, path, body=None, status=200, headers=None):
        answer = self.send(method, path, body, headers)
        assert answer.status == status, (method, path, answer)
        self.description.check(method, path, answer)
        return answer

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.ask("POST", path, body, **options)

    def patch(self, path, body, **options):
        return self.ask("PATCH", path, body, **options)

    def delete(self, path, **options):
        return self.ask("DELETE", path, **options)

    def events(self, path, last=None):
        """The events of a stream to its end: (event, id, data)."""
        headers = {"Authorization": f"Bearer {self.token}", **({"Last-Event-ID": last} if last else {})}
        connection = self.connect()
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        assert response.getheader("Content-Type") == "text/event-stream"
        for block in response.read().decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
            if "event" in lines:
                yield lines["event"], lines.get("id"), json.loads(lines["data"])
        connection.close()


class Description:
    """An OpenAPI 3.1 document; its schemas are JSON Schema 2020-12."""

    def __init__(self, document):
        assert document["openapi"].startswith("3.1")
        self.document = document
        self.patterns = [(path, re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) + "$"))
                         for path in sorted(document["paths"], key=lambda path: path.count("{"))]
        self.seen = set()  # (method, path, status)
        for name, schema in document["components"]["schemas"].items():
            jsonschema.Draft202012Validator.check_schema(schema)

    def operation(self, method, target):
        bare = target.split("?")[0]
        for path, pattern in self.patterns:
            if pattern.match(bare):
                operation = self.document["paths"][path].get(method.lower())
                if operation:
                    return path, operation
        return None, None

    def resolve(self, thing):
        while "$ref" in thing:
            place = self.document
            for part in thing["$ref"].removeprefix("#/").split("/"):
                place = place[part]
            thing = place
        return thing

    def check(self, method, target, answer):
        path, operation = self.operation(method, target)
        problem = answer.headers.get("content-type") == "application/problem+json"
        if operation is None:
            assert problem and answer.status in (404, 405), (method, target, answer)
            self.validate({"$ref": "#/components/schemas/Problem"}, answer.json, (method, target))
            return
        self.seen.add((method, path, answer.status))
        responses = operation["responses"]
        response = self.resolve(responses.get(str(answer.status), responses["default"]))
        assert problem == (answer.status >= 400), (method, target, answer)
        if "content" not in response:
            assert answer.body == b"", (method, target, answer)
            return
        (media, content), = response["content"].items()
        assert answer.headers["content-type"].split(";")[0] == media.split(";")[0], (method, target, answer)
        if media.endswith("json") and "schema" in content:
            self.validate(content["schema"], answer.json, (method, target))

    def validate(self, schema, value, what):
        # References are into the whole document, so it goes along.
        whole = {**schema, "components": self.document["components"]}
        errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
                  for error in jsonschema.Draft202012Validator(whole).iter_errors(value)]
        assert not errors, (what, errors[:10])
