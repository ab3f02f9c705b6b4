"""What an expression of a definition reads, held against the JSON schemas of a vendor.

    schema = Schemas(description)                  # an OpenAPI document
    follow('.repo.owner.login', schema, {"type": "object", "properties": {"repo": {"$ref": "..."}}}, reads, problems)

The expression is followed over schemas in place of values: a member that no alternative of a schema
has is a problem, and so is a comparison with a word that is not in its enumeration, or with another
type of value. `.type == "x" and ...` and select(.type == "x") leave the alternatives whose type may
be x. null and empty give nothing to follow. Syntax that cannot be followed raises: nothing is passed
over.
"""

import re

ANY = {"x-any": True}  # a value of which the vendor says nothing: settings, results of functions
TOKEN = re.compile(r"""\s*(?:
      (?P<number>\d+(?:\.\d+)?)
    | (?P<variable>\$\w+)
    | (?P<field>\.[A-Za-z_]\w*)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<quote>")
    | (?P<sign>//|==|!=|<=|>=|[|,<>+\-*/%()\[\]{}:;?.])
    )""", re.VERBOSE)
CLOSED = {"type", "properties", "items", "allOf", "oneOf", "anyOf", "$ref", "enum"}
SAME = {"unique", "sort", "reverse", "strings", "arrays", "objects"}  # functions that keep the schema
TEXT = {"split", "join", "explode", "implode"}  # functions that take text apart and put it together
LEVELS = [("or",), ("and",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%")]


def tokens_of(text):
    tokens, position = [], 0
    while text[position:].strip():
        match = TOKEN.match(text, position)
        if not match:
            raise SyntaxError(f"cannot follow {text[position:]!r}")
        position = match.end()
        if match["quote"]:
            parts, position = string_parts(text, position)
            tokens.append(("string", parts))
        else:
            tokens.append((match.lastgroup, match[match.lastgroup]))
    return tokens


def string_parts(text, position, end='"'):
    """The parts of a string, text and ("expression", tree), and where it ends."""
    parts, plain = [], ""
    while position < len(text) and text[position] != end:
        if text.startswith("\\(", position):
            stop = closing(text, position + 2)
            parts += [plain, ("expression", parse(text[position + 2:stop]))]
            plain, position = "", stop + 1
        else:
            step = 2 if text[position] == "\\" else 1
            plain += text[position + step - 1]
            position += step
    return parts + [plain], position + 1


def closing(text, position):
    depth, quoted = 1, False
    while depth:
        character = text[position]
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
        position += 2 if character == "\\" else 1
    return position - 1


class Parser:
    def __init__(self, tokens):
        self.tokens, self.at = tokens, 0

    def peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def kind(self):
        return self.tokens[self.at][0] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        if self.at >= len(self.tokens) or wanted is not None and self.peek() != wanted:
            raise SyntaxError(f"expected {wanted}, found {self.peek()}")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def accept(self, *wanted):
        if self.kind() in ("sign", "word") and self.peek() in wanted:
            return self.take()
        return None

    def pipe(self):
        left = self.comma()
        if self.accept("as"):
            name = self.take()
            self.take("|")
            return ("bind", left, name, self.pipe())
        return ("pipe", left, self.pipe()) if self.accept("|") else left

    def comma(self):
        left = self.otherwise()
        while self.accept(","):
            left = ("comma", left, self.otherwise())
        return left

    def otherwise(self):
        left = self.binary(0)
        return ("comma", left, self.otherwise()) if self.accept("//") else left

    def binary(self, level):
        if level == len(LEVELS):
            return self.postfix()
        left = self.binary(level + 1)
        while sign := self.accept(*LEVELS[level]):
            left = ("operator", sign, left, self.binary(level + 1))
        return left

    def postfix(self):
        tree = self.term()
        while True:
            if self.kind() == "field":
                tree = ("member", tree, self.take()[1:])
            elif self.accept("["):
                tree = self.subscript(tree)
            elif not self.accept("?"):
                return tree

    def subscript(self, tree):
        if self.accept("]"):
            return ("each", tree)
        index = ("number", "0") if self.peek() == ":" else self.pipe()
        if self.accept(":"):
            return self.slice(tree, index)
        self.take("]")
        name = literal(index)
        return ("member", tree, name) if isinstance(name, str) else ("element", tree, index)

    def slice(self, tree, start):
        stop = ("number", "0") if self.peek() == "]" else self.pipe()
        self.take("]")
        return ("slice", tree, start, stop)

    def term(self):
        kind, token = self.kind(), self.take()
        if kind == "field":
            return ("member", ("self",), token[1:])
        if kind in ("number", "variable", "string"):
            return (kind, token)
        if kind == "word":
            return self.condition() if token == "if" else self.call(token)
        if token == "(":
            tree = self.pipe()
            self.take(")")
            return tree
        if token == "[":
            tree = ("array", None) if self.peek() == "]" else ("array", self.pipe())
            self.take("]")
            return tree
        if token == "{":
            return self.object()
        if token == ".":
            return ("self",)
        raise SyntaxError(f"cannot follow {token}")

    def condition(self):
        test = self.pipe()
        self.take("then")
        then = self.pipe()
        if self.accept("elif"):
            return ("if", test, then, self.condition())
        self.take("else")
        otherwise = self.pipe()
        self.take("end")
        return ("if", test, then, otherwise)

    def call(self, name):
        if name in ("def", "reduce", "foreach", "try", "label", "as", "import", "include"):
            raise SyntaxError(f"cannot follow {name}")
        arguments = []
        if self.accept("("):
            arguments.append(self.pipe())
            while self.accept(";"):
                arguments.append(self.pipe())
            self.take(")")
        return ("call", name, arguments)

    def object(self):
        members = []
        while not self.accept("}"):
            name = self.take()
            self.take(":")
            members.append((name if isinstance(name, str) else "".join(map(str, name)), self.otherwise()))
            self.accept(",")
        return ("object", members)


def parse(text):
    parser = Parser(tokens_of(text))
    tree = parser.pipe()
    if parser.peek() is not None:
        raise SyntaxError(f"cannot follow {text!r} from {parser.peek()!r}")
    return tree


class Schemas:
    """The schemas of one OpenAPI document, flattened into alternatives."""

    def __init__(self, document, texts=None):
        self.document = document
        self.texts = texts or {}  # schemas of texts that hold JSON, by the member they stand in

    def resolve(self, schema):
        while "$ref" in schema:
            target = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            schema = target
        return schema

    def alternatives(self, schema):
        """[{properties, items, enum, type}], or with ANY in it when anything may be there."""
        if isinstance(schema, Alternatives):
            return schema
        schema = self.resolve(schema)
        if not CLOSED.intersection(schema):
            return [ANY]
        found = [{key: schema.get(key) for key in ("properties", "items", "enum", "type")}]
        for choice in ("oneOf", "anyOf"):
            if choice in schema:
                branches = [one for branch in schema[choice] for one in self.alternatives(branch)]
                found = [merged(one, branch) for one in found for branch in branches]
        for part in schema.get("allOf", []):
            found = [merged(one, branch) for one in found for branch in self.alternatives(part)]
        return found


def merged(left, right):
    if ANY in (left, right):
        return left if right is ANY else right
    both = {key: left[key] if right[key] is None else right[key] for key in left}
    if left["properties"] and right["properties"]:
        both["properties"] = {**left["properties"], **right["properties"]}
    return both


class Follower:
    """A value is (alternatives, path); an expression gives a list of them."""

    def __init__(self, schemas, reads, problems):
        self.schemas, self.reads, self.problems = schemas, reads, problems

    def follow(self, tree, value, names):
        return getattr(self, "on_" + tree[0])(tree, value, names)

    def on_self(self, _tree, value, _names):
        return [value]

    def on_number(self, _tree, _value, _names):
        return [([ANY], "number")]

    def on_variable(self, tree, _value, names):
        return names.get(tree[1], [([ANY], tree[1])])

    def on_string(self, tree, value, names):
        for part in tree[1]:
            if isinstance(part, tuple):
                self.follow(part[1], value, names)
        return [([ANY], "string")]

    def on_pipe(self, tree, value, names):
        return [result for one in self.follow(tree[1], value, names) for result in self.follow(tree[2], one, names)]

    def on_comma(self, tree, value, names):
        return self.follow(tree[1], value, names) + self.follow(tree[2], value, names)

    def on_bind(self, tree, value, names):
        return self.follow(tree[3], value, {**names, tree[2]: self.follow(tree[1], value, names)})

    def on_if(self, tree, value, names):
        self.follow(tree[1], value, names)
        found = []
        for branch, holds in ((tree[2], True), (tree[3], False)):
            here = self.typed(tree[1], value, holds)
            found += self.follow(branch, here, names) if here[0] or not value[0] else []
        return found

    def typed(self, test, value, holds):
        """The value with the alternatives for which `type == "x"` may hold, or may not."""
        if test[:3] != ("operator", "==", ("call", "type", [])) or ANY in value[0]:
            return value
        word = literal(test[3])
        return [one for one in value[0] if one["type"] is None or (one["type"] == word) == holds], value[1]

    def on_array(self, tree, value, names):
        results = self.follow(tree[1], value, names) if tree[1] else []
        return [made("array", items=alternatives, path=path) for alternatives, path in results] or \
            [made("array", items=[], path="[]")]

    def on_object(self, tree, value, names):
        members = {}
        for name, one in tree[1]:
            alternatives = [each for result in self.follow(one, value, names) for each in result[0]]
            members[name] = Alternatives(alternatives or [ANY])
        return [made("object", properties=members, path="")]

    def on_member(self, tree, value, names):
        return [self.member(one, tree[2]) for one in self.follow(tree[1], value, names)]

    def member(self, value, name):
        alternatives, path = value
        where = f"{path}.{name}"
        if ANY in alternatives:
            return [ANY], where
        self.reads.add(where)
        schemas = [one["properties"][name] for one in alternatives if name in (one["properties"] or {})]
        if not schemas:
            self.problems.append(f"{where}: there is no such member")
            return [ANY], where
        return [one for schema in schemas for one in self.schemas.alternatives(schema)], where

    def on_each(self, tree, value, names):
        found = [self.items(one) for one in self.follow(tree[1], value, names)]
        return [one for one in found if one[0]]  # an array that is empty has no items

    def on_element(self, tree, value, names):
        self.follow(tree[2], value, names)
        return self.on_each(tree, value, names)

    def on_slice(self, tree, value, names):
        for bound in tree[2:]:
            self.follow(bound, value, names)
        return self.follow(tree[1], value, names)

    def items(self, value):
        alternatives, path = value
        if ANY in alternatives:
            return [ANY], path
        lists = [one["items"] for one in alternatives if one["items"] is not None]
        if not lists:
            self.problems.append(f"{path}[]: it is no list")
            return [ANY], f"{path}[]"
        found = [one for items in lists
                 for one in (items if isinstance(items, list) else self.schemas.alternatives(items))]
        return found, f"{path}[]"

    def on_operator(self, tree, value, names):
        _, sign, left, right = tree
        results = self.follow(left, value, names)
        self.follow(right, self.narrowed(left, value) if sign == "and" else value, names)
        if sign in LEVELS[2]:
            for one in results:
                self.compare(one, right)
        return [([ANY], results[0][1] if results and sign == "+" else sign)]

    def compare(self, value, right):
        alternatives, path = value
        word = literal(right)
        if word is None or ANY in alternatives:
            return
        kind = {bool: "boolean", str: "string"}.get(type(word), "number")
        fitting = [one for one in alternatives if one["type"] in (kind, None) or
                   (one["type"], kind) == ("integer", "number")]
        if not fitting:
            self.problems.append(f"{path}: is compared with {word!r}, and is no {kind}")
        elif all(one["enum"] and word not in one["enum"] for one in fitting):
            self.problems.append(f"{path}: is never {word!r}")

    def on_call(self, tree, value, names):
        _, name, arguments = tree
        if name in ("null", "empty"):
            return []
        if name in SAME and not arguments:
            return [value]
        if name == "fromjson":
            return [self.parsed(value)]
        if name == "select":
            self.follow(arguments[0], value, names)
            return [self.narrowed(arguments[0], value)]
        if name == "map":
            items = self.items(value)
            return self.on_array(("array", arguments[0]), items, names) if items[0] else [value]
        if name in ("any", "all") and len(arguments) == 2:
            for one in self.follow(arguments[0], value, names):
                self.follow(arguments[1], one, names)
        elif name in ("any", "all") and arguments:
            items = self.items(value)
            if items[0]:
                self.follow(arguments[0], items, names)
        else:
            for argument in arguments:
                self.follow(argument, value, names)
        return [([ANY], value[1] if name in TEXT else name)]

    def parsed(self, value):
        """What a text holds that is JSON itself, by the member that it stands in."""
        name = value[1].rstrip("[]").rpartition(".")[2]
        return self.schemas.alternatives(self.schemas.texts.get(name, ANY)), f"{value[1]}(json)"

    def narrowed(self, test, value):
        """The value with the alternatives for which the test may hold."""
        if test[:2] == ("operator", "and"):
            return self.narrowed(test[3], self.narrowed(test[2], value))
        word = literal(test[3]) if test[:2] == ("operator", "==") else None
        if word is None or test[2][0] != "member" or test[2][1] != ("self",) or ANY in value[0]:
            return value
        kept = [one for one in value[0] if self.may_be((one["properties"] or {}).get(test[2][2]), word)]
        return kept or value[0], f"{value[1]}({word})"

    def may_be(self, schema, word):
        return schema is not None and any(not one.get("enum") or word in one["enum"]
                                          for one in self.schemas.alternatives(schema))


class Alternatives(list):
    """A schema that is its alternatives already."""


def made(kind, path, properties=None, items=None):
    """A value that an expression makes itself."""
    return [{"properties": properties, "items": items, "enum": None, "type": kind}], path


def literal(tree):
    if tree[0] == "string" and len(tree[1]) == 1:
        return tree[1][0]
    if tree[0] == "number":
        return float(tree[1])
    return {"true": True, "false": False}.get(tree[1]) if tree[0] == "call" else None


def follow(text, schemas, root, reads, problems):
    """What the expression gives: [(alternatives, path)]."""
    return Follower(schemas, reads, problems).follow(parse(text), (schemas.alternatives(root), ""), {})


def follow_template(text, schemas, root, reads, problems):
    """Follows the expressions in a path or text with \\(...)."""
    parts, _ = string_parts(text, 0, end=None)
    Follower(schemas, reads, problems).on_string(("string", parts), (schemas.alternatives(root), ""), {})
    return "".join("{}" if isinstance(part, tuple) else part for part in parts)
