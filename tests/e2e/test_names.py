"""Bar R15: names that strangers choose never reach an object key or break out of a header."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, unquote_to_bytes

import httpx

from stack.store import Store
from tests.core.hostile_names import EMPTY, SHOWABLE
from tests.e2e.serving import Backend, stored_keys

NAMES = [f"{name}.txt" for name in SHOWABLE]
KEY = re.compile(r"up_[0-9a-f]{32}/[0-9a-f]{32}")
DISPOSITION = re.compile(r"attachment; filename=\"([ -!#-\[\]-~]+)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)")
#: gunicorn takes request lines of up to 4094 bytes, and a form's part may have headers of 4 KiB.
LONGEST = 4000
#: Every header that an answer of ours may have.
HEADERS = {
    "accept-ranges",
    "cache-control",
    "connection",
    "content-disposition",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-resource-policy",
    "date",
    "etag",
    "keep-alive",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "referrer-policy",
    "repr-digest",
    "server",
    "vary",
    "x-content-type-options",
    "x-request-id",
}


def escaped(name: str) -> str:
    """The name in a query, whatever it holds."""
    return quote(name.encode("utf-8", "surrogatepass"), safe="")


def in_query(backend: Backend, name: str) -> httpx.Response:
    """Upload under a name in the query."""
    path = f"/v1/uploads?meeting={backend.meeting}&name={escaped(name)}"
    return backend.client.post(path, content=b"minutes")


def in_form(backend: Backend, name: str) -> httpx.Response:
    """Upload under the name of a form's part, with what would end the header escaped as browsers do."""
    value = name.encode("utf-8", "surrogatepass")
    for byte, escape in ((b'"', b"%22"), (b"\r", b"%0D"), (b"\n", b"%0A")):
        value = value.replace(byte, escape)
    body = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="'
        + value
        + b'"\r\n\r\nminutes\r\n--b--\r\n'
    )
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    return backend.client.post(f"/v1/uploads?meeting={backend.meeting}", content=body, headers=kind)


def check_name(backend: Backend, name: str, answer: httpx.Response) -> None:
    """An answer is a refusal of the form, or an upload whose name travels safely through every header."""
    shown = ascii(name[:80])
    assert {header.lower() for header in answer.headers} <= HEADERS, shown
    too_long = len(escaped(name)) > LONGEST
    assert answer.status_code in ({201, 400, 414} if too_long else {201, 400, 415}), shown
    if answer.status_code != 201:
        return
    document = answer.json()
    assert document["state"] == "released", shown
    assert document["name"].isprintable(), shown
    assert len(document["name"].encode()) <= 255, shown
    download = backend.client.get(f"/v1/uploads/{document['id']}/content")
    assert download.content == b"minutes", shown
    assert {header.lower() for header in download.headers} <= HEADERS, shown
    match = DISPOSITION.fullmatch(download.headers["Content-Disposition"])
    assert match is not None, shown
    assert unquote_to_bytes(match[2]).decode() == document["name"], shown


def test_hostile_names(backend: Backend, store: Store) -> None:
    """At least 200 hostile names, in the query and in forms: no byte of theirs in a key, no header of theirs,
    and what is offered for saving is exactly the name that was shown.
    """
    assert len(NAMES) >= 200
    ways = [(in_query, in_form)[number % 2] for number in range(len(NAMES))]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda way, name: way(backend, name), ways, NAMES))
        list(pool.map(lambda name, answer: check_name(backend, name, answer), NAMES, answers))
    taken = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(taken) >= len(NAMES) - 10
    keys = [key for bucket in stored_keys(store, taken).values() for key in bucket]
    assert len(keys) >= len(taken)
    assert all(KEY.fullmatch(key) for key in keys)


def test_names_with_nothing_to_show(backend: Backend) -> None:
    """A name of which nothing is left is a 400, or has no type: it is never made up."""
    for name in EMPTY:
        assert in_query(backend, name).status_code in {400, 415}, repr(name)
    assert {upload["state"] for upload in backend.uploads()} == {"refused"}
