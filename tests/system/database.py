"""The database of a test, as sqlite3 shows it, on either engine.

    with contextlib.closing(open_database(url)) as database:
        row = database.execute("select * from job where id = ?", (job,)).fetchone()

With ASSAY_TEST_DATABASE=postgres in the environment every installation has a database of its own on
the server beside the tests (scripts/with-postgres); it is read and changed as the server's superuser,
by libpq itself. Statements are written for SQLite, with "?" or ":name", and must be read alike by both.
"""

import ctypes
import ctypes.util
import itertools
import os
import re
import sqlite3
import urllib.parse

TIMEOUT = 300
INTEGERS, REALS, BYTES = (20, 21, 23), (700, 701, 1700), 17  # of pg_type.dat
DONE, ROWS = 1, 2
_numbers = itertools.count(1)


def is_postgres():
    return os.environ.get("ASSAY_TEST_DATABASE") == "postgres"


def server_url(name):
    quoted = {key: urllib.parse.quote(os.environ[key], safe="") for key in ("PGUSER", "PGPASSWORD", "PGHOST", "PGPORT")}
    return (f"postgresql://{quoted['PGUSER']}:{quoted['PGPASSWORD']}@/{name}"
            f"?host={quoted['PGHOST']}&port={quoted['PGPORT']}")


def make_database():
    """A new empty database of the server: its URL."""
    name = f"system_{os.getpid()}_{next(_numbers)}"
    server = Postgres(server_url("postgres"))
    server.execute(f"create database {name}")
    server.close()
    return server_url(name)


def drop_database(url):
    server = Postgres(server_url("postgres"))
    server.execute(f"drop database {urllib.parse.urlsplit(url).path[1:]} with (force)")
    server.close()


def open_database(url):
    if not url.startswith("sqlite:"):
        return Postgres(url)
    connection = sqlite3.connect(url.removeprefix("sqlite:"), timeout=TIMEOUT, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def library():
    found = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
    for name, result, *arguments in (
            ("PQconnectdb", ctypes.c_void_p, ctypes.c_char_p), ("PQstatus", ctypes.c_int, ctypes.c_void_p),
            ("PQerrorMessage", ctypes.c_char_p, ctypes.c_void_p), ("PQfinish", None, ctypes.c_void_p),
            ("PQexecParams", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int,
             *[ctypes.c_void_p] * 4, ctypes.c_int),
            ("PQresultStatus", ctypes.c_int, ctypes.c_void_p), ("PQclear", None, ctypes.c_void_p),
            ("PQntuples", ctypes.c_int, ctypes.c_void_p), ("PQnfields", ctypes.c_int, ctypes.c_void_p),
            ("PQfname", ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int),
            ("PQftype", ctypes.c_uint, ctypes.c_void_p, ctypes.c_int),
            ("PQgetvalue", ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int),
            ("PQgetisnull", ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int)):
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    return found


_pq = library() if is_postgres() else None


class Row(dict):
    """By name, or by index."""

    def __getitem__(self, key):
        return list(self.values())[key] if isinstance(key, int) else super().__getitem__(key)

    def __iter__(self):
        return iter(self.values())

    def keys(self):
        return super().keys()


class Rows(list):
    def fetchone(self):
        return self[0] if self else None

    def fetchall(self):
        return list(self)


class Postgres:
    def __init__(self, url):
        self.connection = _pq.PQconnectdb(url.encode())
        if _pq.PQstatus(self.connection) != 0:
            raise sqlite3.OperationalError(_pq.PQerrorMessage(self.connection).decode())

    def close(self):
        _pq.PQfinish(self.connection)

    def execute(self, statement, values=()):
        numbered, given = number(statement, values)
        texts = [None if value is None else text_of(value) for value in given]
        pointers = (ctypes.c_char_p * max(len(given), 1))(*texts)
        types = (ctypes.c_uint * max(len(given), 1))(*map(type_of, given))
        result = _pq.PQexecParams(self.connection, numbered.encode(), len(given), types, pointers, None, None, 0)
        try:
            if _pq.PQresultStatus(result) not in (DONE, ROWS):
                raise sqlite3.OperationalError(_pq.PQerrorMessage(self.connection).decode())
            return read(result)
        finally:
            _pq.PQclear(result)

    def executemany(self, statement, rows):
        for values in rows:
            self.execute(statement, values)


def number(statement, values):
    """The statement with $1, $2 ..., and the values in that order."""
    given = []

    def replaced(match):
        if match.group().startswith("'"):
            return match.group()
        given.append(values[match.group()[1:]] if match.group() != "?" else values[len(given)])
        return f"${len(given)}"

    text = re.sub(r"'(?:[^']|'')*'|\?|(?<!:):[a-z_0-9]+", replaced, statement)
    return text.replace("begin immediate", "begin"), given


def type_of(value):
    return {int: 20, bool: 20, float: 701, bytes: 17}.get(type(value), 25)


def text_of(value):
    return b"\\x" + value.hex().encode() if isinstance(value, bytes) else str(value).encode()


def read(result):
    names = [_pq.PQfname(result, column).decode() for column in range(_pq.PQnfields(result))]
    types = [_pq.PQftype(result, column) for column in range(len(names))]
    return Rows(Row((name, value_at(result, row, column, types[column])) for column, name in enumerate(names))
                for row in range(_pq.PQntuples(result)))


def value_at(result, row, column, kind):
    if _pq.PQgetisnull(result, row, column):
        return None
    text = _pq.PQgetvalue(result, row, column).decode()
    if kind in INTEGERS:
        return int(text)
    if kind in REALS:
        return float(text) if "." in text or kind != 1700 else int(text)
    if kind == 16:
        return int(text == "t")
    return bytes.fromhex(text[2:]) if kind == BYTES else text
