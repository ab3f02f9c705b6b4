"""The service models that AWS publishes, as one: what either of two editions has, is there.

    service = Service("iam", "2010-05-08")
    operation = service.operation("ListUsers")
    operation.output(lists, maps)        # a Shape, for expression_reads

Editions are botocore's of Debian (older, with enumerations, bounds, errors and documentation) and
npm's aws-sdk 2 (newer, without those). A Shape is a schema on the wire: its members have the names
that they have there, as Assay's XML reader and envelopes give them; in XML every scalar is text.
"""

import gzip
import json
import pathlib
import re

from expression_reads import ANY, Schemas

BOTOCORE = pathlib.Path("/usr/lib/python3/dist-packages/botocore/data")
SDK = pathlib.Path(__file__).resolve().parent / "node_modules/aws-sdk/apis"
ALWAYS_LISTS = {"member", "item", "entry"}
XML_PROTOCOLS = {"query", "ec2", "rest-xml"}


def load(path):
    """A JSON file, or the same compressed."""
    packed = path.with_name(path.name + ".gz")
    if packed.exists():
        return json.loads(gzip.decompress(packed.read_bytes()))
    assert path.exists(), f"{path} is missing; run scripts/install-packages and scripts/install-node-modules"
    return json.loads(path.read_text(encoding="utf-8"))


class Part:
    """A shape of one edition, with the traits of the member that refers to it."""

    def __init__(self, model, reference):
        self.model = model
        self.target = model["shapes"][reference["shape"]] if "shape" in reference else reference
        self.traits = {**self.target, **{key: value for key, value in reference.items() if key != "shape"}}
        self.type = self.traits.get("type", "string")

    def child(self, reference):
        return Part(self.model, reference)


class Shape:
    """What both editions say of one value."""

    def __init__(self, parts, context, name=None, parent=None, flat=False):
        self.parts, self.context = parts, context
        self.name, self.parent = name, parent  # of the element that it is, and of the one around it
        self.flat = flat or bool(self.trait("flattened"))  # a list without an element around its items
        self.type = parts[0].type

    def trait(self, name, fallback=None):
        for part in self.parts:
            if part.traits.get(name) is not None:
                return part.traits[name]
        return fallback

    def members(self):
        """{name in the model: Shape}, with those of either edition."""
        found = {}
        for part in self.parts:
            for name, reference in part.traits.get("members", {}).items():
                found.setdefault(name, []).append(part.child(reference))
        return {name: Shape(parts, self.context) for name, parts in found.items()}

    def child(self, key, name=None, parent=None):
        """The member of a list, the key or the value of a map."""
        parts = [part.child(part.traits[key]) for part in self.parts if key in part.traits]
        return Shape(parts, self.context, name, parent)

    def item_name(self):
        return self.child("member").trait("locationName", "member")

    def wire_name(self, name):
        """What a message calls this member."""
        own = self.trait("locationName", name)
        if self.context.xml and self.type == "list" and self.flat:
            own = self.child("member").trait("locationName", own)
        return "@type" if own == "xsi:type" else own

    def body(self):
        """Members of an answer that stand in its body, by their names there."""
        found = {}
        for name, one in self.members().items():
            if one.trait("location") not in ("header", "headers", "statusCode"):
                wire = one.wire_name(name)
                found[wire] = Shape(one.parts, self.context, wire, self.name)
        return found

    # --- as a schema -------------------------------------------------------------------------------

    def alternative(self):
        make = getattr(self, f"schema_{self.type}", self.schema_scalar)
        return {"properties": None, "items": None, "enum": None, **make()}

    def schema_scalar(self):
        if self.context.xml:
            return {"type": "string", "enum": ["true", "false"] if self.type == "boolean" else self.trait("enum")}
        numbers = {"integer", "long", "float", "double"}
        if self.type in numbers or self.type == "timestamp" and self.context.protocol == "json":
            return {"type": "number"}
        return {"type": "boolean" if self.type == "boolean" else "string", "enum": self.trait("enum")}

    def schema_structure(self):
        return {"type": "object", "properties": self.body()}

    def schema_list(self):
        if not self.context.xml:
            return {"type": "array", "items": self.child("member")}
        if not self.flat:
            name = self.item_name()
            return {"type": "object", "properties": {name: Shape(self.parts, self.context, name, self.name, True)}}
        member = self.child("member", self.name, self.parent)
        if self.context.lists.isdisjoint({self.name, f"{self.parent}.{self.name}"}):
            return member.alternative()  # one is an object, two are an array: nothing to rely on
        return {"type": "array", "items": member}

    def schema_map(self):
        keys, value = self.child("key").trait("enum"), self.child("value")
        if not self.context.xml or self.name in self.context.maps:
            return {"type": "object", "properties": {key: value for key in keys}} if keys else ANY
        entry = {"type": "object", "properties": {"key": self.child("key"), "value": value}}
        return {"type": "object", "properties": {"entry": {"type": "array", "items": entry}}}

    def element_names(self, seen):
        """Names, and names with those of the element around, of what may come several times."""
        place = (self.name, self.parent, self.flat, *(id(part.target) for part in self.parts))
        if place in seen:
            return set()
        seen.add(place)
        if self.type == "list" and not self.flat:
            return Shape(self.parts, self.context, self.item_name(), self.name, True).element_names(seen)
        if self.type == "list":
            inner = self.child("member", self.name, self.parent).element_names(seen)
            return {self.name, f"{self.parent}.{self.name}"} | inner
        if self.type == "map":
            return {self.name}
        inner = self.body().values() if self.type == "structure" else []
        return {name for one in inner for name in one.element_names(seen)}


class Context:
    """How an answer is written: its protocol, and what the definition says of its XML."""

    def __init__(self, protocol, lists=(), maps=()):
        self.protocol, self.xml = protocol, protocol in XML_PROTOCOLS
        self.lists, self.maps = ALWAYS_LISTS.union(lists), frozenset(maps)


class ShapeSchemas(Schemas):
    """Schemas in which shapes may stand for JSON schemas."""

    def alternatives(self, schema):
        if isinstance(schema, Shape):
            found = schema.alternative()
            return [ANY if "x-any" in found else found]
        return super().alternatives(schema)


class Operation:
    def __init__(self, service, name):
        self.service, self.name = service, name
        self.parts = [(model, model["operations"][name]) for model in service.models if name in model["operations"]]

    def trait(self, name, fallback=None):
        for _, operation in self.parts:
            if operation.get(name) is not None:
                return operation[name]
        return fallback

    def shape(self, key, lists=(), maps=()):
        parts = [Part(model, operation[key]) for model, operation in self.parts if key in operation]
        return Shape(parts, Context(self.service.protocol, lists, maps)) if parts else None

    def input(self):
        return self.shape("input")

    def output(self, lists=(), maps=()):
        """What is in the envelope: the payload of an answer that is one."""
        shape = self.shape("output", lists, maps)
        payload = shape and shape.trait("payload")
        return shape.members()[payload] if payload else shape

    def errors(self):
        found = set()
        for model, operation in self.parts:
            for error in operation.get("errors", []):
                shape = model["shapes"][error["shape"]]
                found.add(shape.get("error", {}).get("code", error["shape"]))
        return found

    def paging(self):
        """{input_token, output_token, more_results, limit_key, result_key}, or None."""
        for paginators in self.service.paginators:
            if "input_token" in paginators.get(self.name, {}):
                return paginators[self.name]
        return None


class Service:
    def __init__(self, name, version=None):
        folder = BOTOCORE / name
        assert folder.is_dir(), f"{name}: there is no such service"
        version = version or max(one.name for one in folder.iterdir() if one.is_dir())
        assert (folder / version).is_dir(), f"{name}: there is no version {version}"
        self.name, self.version = name, version
        self.models = [load(folder / version / "service-2.json"), load(SDK / f"{name}-{version}.min.json")]
        self.paginators = [load(folder / version / "paginators-1.json")["pagination"],
                           load(SDK / f"{name}-{version}.paginators.json")["pagination"]]
        self.protocol = self.metadata("protocol")

    def metadata(self, name):
        (*values,) = {model["metadata"][name] for model in self.models if name in model["metadata"]}
        assert len(values) <= 1, f"{self.name}: {name} is one of {values}"
        return values[0] if values else None

    def has(self, operation):
        return any(operation in model["operations"] for model in self.models)

    def operation(self, name):
        return Operation(self, name)

    def errors(self):
        names = {name for model in self.models for name in model["operations"]}
        return {code for name in names for code in self.operation(name).errors()}

    def signing_name(self):
        return self.metadata("signingName") or self.metadata("endpointPrefix")


class Endpoints:
    """Hosts by partition and region (botocore's endpoints.json)."""

    def __init__(self):
        self.partitions = {one["partition"]: one for one in load(BOTOCORE / "endpoints.json")["partitions"]}

    def regions(self, partition):
        return sorted(self.partitions[partition]["regions"])

    def suffix(self, partition):
        return self.partitions[partition]["dnsSuffix"]

    def global_endpoint(self, partition, prefix):
        """(host, signing region) of a service that has one endpoint, else None."""
        service = self.partitions[partition]["services"].get(prefix, {})
        if service.get("isRegionalized", True):
            return None
        endpoint = service["endpoints"][service["partitionEndpoint"]]
        return endpoint["hostname"], endpoint["credentialScope"]["region"]

    def host(self, partition, prefix, region):
        rules = self.partitions[partition]
        service = rules["services"].get(prefix, {})
        endpoint = {**rules["defaults"], **service.get("defaults", {}), **service.get("endpoints", {}).get(region, {})}
        return endpoint["hostname"].format(service=prefix, region=region, dnsSuffix=rules["dnsSuffix"])


def wire_parameter(operation, path):
    """The shape of a form parameter such as Filter.1.Name; AssertionError when there is none."""
    shape, protocol, where = operation.input(), operation.service.protocol, operation.name
    steps = path.split(".")
    while steps:
        step = steps.pop(0)
        if shape is not None and shape.type == "structure":
            named = {form_name(one, name, protocol): one for name, one in shape.members().items()}
            assert step in named, f"{where}: there is no parameter {path}"
            shape, where = named[step], f"{where}.{step}"
        else:
            assert shape is not None and shape.type == "list", f"{where}: there is no parameter {path}"
            if protocol == "query" and not shape.flat:
                assert step == shape.item_name(), f"{where}: there is no parameter {path}"
                step = steps.pop(0) if steps else ""
            assert re.fullmatch("[1-9][0-9]*", step), f"{where}: {path} numbers no item"
            shape = shape.child("member")
    return shape


def form_name(shape, name, protocol):
    if protocol == "ec2":
        location = shape.trait("locationName", name)
        return shape.trait("queryName", location[0].upper() + location[1:])
    return shape.wire_name(name)


def check_constant(shape, value, where):
    """A value that a definition always sends, against enumeration and bounds."""
    enum, low, high = (shape.trait(name) for name in ("enum", "min", "max"))
    if enum:
        assert value in enum, f"{where}: {value} is none of {enum}"
    if shape.type in ("integer", "long") and low is not None:
        assert low <= int(value) <= (int(value) if high is None else high), f"{where}: {value} is out of bounds"
