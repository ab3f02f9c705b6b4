"""Secrets that are planted in a running installation, and the search for whatever is left of them.

    planted = Planted()
    word = planted.new("password at the setup")        # a text like a real one, never seen before
    planted.add("session cookie", cookie)              # one that somebody else has made
    folder = Catch("/tmp/x")                           # where replies, log lines, files are collected
    folder.keep("GET /api/jobs", reply)
    planted.expect_none(folder.path)

Sought are all pieces of PIECE bytes, as they are and in hexadecimal, base64, percent-encoding and as JSON writes them,
by grep, which looks for all of them in one pass.
"""

import base64
import json
import pathlib
import re
import secrets
import shutil
import string
import subprocess
import urllib.parse
import zlib

PIECE = 12
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
OWN = re.compile(r"assay_[a-z]+_")  # what all tickets of Assay begin with
FRAME = re.compile(r"-----[A-Z ]+-----|\s")  # of PEM
SHOWN = 12


def ticket(kind="api"):
    """A token such as Assay gives out, which it did not give out (src/vault/ticket.h)."""
    text = f"assay_{kind}_" + "".join(secrets.choice(ALPHABET) for _ in range(43))
    sum_, digits = zlib.crc32(text.encode()), ""
    for _ in range(6):
        sum_, digit = divmod(sum_, 62)
        digits = ALPHABET[digit] + digits
    return text + digits


def pem():
    body = base64.b64encode(secrets.token_bytes(96)).decode()
    lines = "\n".join(body[at:at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"


def odd():
    """With what percent-encoding and JSON write in another way, and digits throughout."""
    return "".join(f"{secrets.token_hex(2)}{mark}" for mark in ("/", "+", "Q=", "\"z", "%K", "&"))


def plain():
    return "".join(f"{secrets.choice(string.ascii_letters)}{secrets.token_hex(2)}" for _ in range(8))


def digits():
    return "".join(secrets.choice("123456789") for _ in range(18))


KINDS = (odd, plain, digits, pem)


def windows(text, size, step=1):
    return {text[at:at + size] for at in range(0, len(text) - size + 1, step)}


def core(text):
    """Without what is no secret of it: the prefix of our own tokens, the frame of PEM."""
    return FRAME.sub("", OWN.sub("", text))


def forms(text):
    """What a text may have become: {pattern: form}. Each pattern stands for at least PIECE bytes of it."""
    raw = core(text).encode()
    size = min(PIECE, len(raw))
    found = {}

    def take(patterns, form):
        for pattern in patterns:
            if pattern and not re.search(rb"[\n\0]", pattern):
                found.setdefault(pattern, form)

    take(windows(raw, size), "as it is")
    take(windows(raw.hex().encode(), 2 * size, 2), "in hexadecimal")
    take(windows(raw.hex().upper().encode(), 2 * size, 2), "in hexadecimal")
    for encode, form in ((base64.b64encode, "in base64"), (base64.urlsafe_b64encode, "in base64url")):
        for shift in range(3):
            # Cut to what the bytes before and behind have no part in.
            whole = encode(b"\0" * shift + raw).rstrip(b"=")
            inner = whole[(0, 2, 3)[shift]:(shift + len(raw)) * 8 // 6]
            take(windows(inner, size * 8 // 6 - 1), form)
    quoted = urllib.parse.quote(raw, safe="").encode()
    take((window for window in windows(quoted, size + 6) if b"%" in window), "percent-encoded")
    escaped = json.dumps(raw.decode())[1:-1].encode()
    take((window for window in windows(escaped, size + 1) if b"\\" in window), "escaped")
    return found


class Planted:
    def __init__(self):
        self.texts = {}  # text -> where it was planted

    def add(self, place, text):
        assert len(core(text)) >= PIECE, (place, "is too short to be found")
        self.texts[text] = place
        return text

    def new(self, place, kind=plain):
        return self.add(place, kind())

    def patterns(self):
        return {pattern: (place, form) for text, place in self.texts.items() for pattern, form in forms(text).items()}

    def search(self, folder, *others):
        """[(place, form, file)] of what is found in the files below these paths."""
        patterns = self.patterns()
        assert patterns and all(pathlib.Path(path).exists() for path in (folder, *others))
        listed = "\n".join(pattern.decode() for pattern in patterns).encode() + b"\n"
        done = subprocess.run(["grep", "-r", "-a", "-o", "-F", "-Z", "-f", "-", "--", str(folder), *map(str, others)],
                              input=listed, capture_output=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, check=False)
        # Databases of other tests on the same server come and go.
        errors = [line for line in done.stderr.splitlines() if not line.endswith(b": No such file or directory")]
        assert not errors and (done.returncode in (0, 1) or done.stderr), errors
        found = {}
        for line in done.stdout.split(b"\n"):
            if line:
                file, _, match = line.partition(b"\0")
                found[(*patterns[match], file.decode(errors="replace"))] = None
        return list(found)

    def expect_none(self, *folders):
        found = self.search(*folders)
        lines = [f"{place}, {form}: {pathlib.Path(file).name}" for place, form, file in found]
        assert not found, "found again: " + "; ".join(lines[:SHOWN]) + f" ({len(found)} in all)"


class Catch:
    """A folder in which everything is kept that came out of an installation."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir()
        self.count = 0
        self.bytes = 0

    def keep(self, what, content):
        raw = content if isinstance(content, bytes) else content.encode(errors="surrogateescape")
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", what)[:100]
        self.count += 1
        self.bytes += len(raw)
        (self.path / f"{self.count:06}_{name}").write_bytes(raw)

    def keep_file(self, what, path):
        try:
            self.keep(what, pathlib.Path(path).read_bytes())
        except (FileNotFoundError, ProcessLookupError):
            pass  # it was there a moment ago

    def remove(self):
        shutil.rmtree(self.path)
