"""EICAR in hiding and files behind a password, through the whole service: never released (bar R6, R7)."""

from __future__ import annotations

import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest

from stack.samples import EICAR
from stack.store import Store
from stack.store_policy import RELEASED
from tests.e2e import samples
from tests.e2e.serving import Backend, Service, Web, stored_keys
from tests.e2e.variant import LIMIT, write_policy

IN_DOCX = samples.docx(EICAR)
HIDDEN = {
    "plain": ("eicar.txt", EICAR),
    "with newlines": ("eicar.txt", EICAR + b"\r\n\r\n"),
    "as csv": ("eicar.csv", EICAR),
    "in docx": ("a.docx", IN_DOCX),
    "in pptx": ("a.pptx", samples.pptx(EICAR)),
    "in odt": ("a.odt", samples.odt(EICAR)),
    "in a zip in docx": ("a.docx", samples.docx(samples.zipped(EICAR))),
    "in a zip in a zip in odt": ("a.odt", samples.odt(samples.zipped(samples.zipped(EICAR)))),
    "in docx in docx": ("a.docx", samples.docx(IN_DOCX)),
    "in a zip, five deep, in pptx": (
        "a.pptx",
        samples.pptx(samples.zipped(samples.zipped(samples.zipped(samples.zipped(samples.zipped(EICAR)))))),
    ),
    "in a PDF's attachment": ("a.pdf", samples.pdf_attaching(EICAR)),
    "in a PDF's stream": ("a.pdf", samples.pdf_with_stream(EICAR, packed=False)),
    "in a PDF's packed stream": ("a.pdf", samples.pdf_with_stream(EICAR, packed=True)),
    "in docx in a PDF": ("a.pdf", samples.pdf_attaching(IN_DOCX)),
    "in a PDF in docx": ("a.docx", samples.docx(samples.pdf_attaching(EICAR))),
}
LOCKED = {
    "PDF, RC4": ("a.pdf", samples.locked_pdf("RC4-128")),
    "PDF, AES-128": ("a.pdf", samples.locked_pdf("AES-128")),
    "PDF, AES-256": ("a.pdf", samples.locked_pdf("AES-256")),
    "pptx": ("a.pptx", samples.locked_ooxml()),
    "docx": ("a.docx", samples.locked_ooxml(IN_DOCX)),
    "large docx": ("a.docx", samples.locked_ooxml(samples.docx(secrets.token_bytes(700_000)))),
    "zip in docx": ("a.docx", samples.docx(samples.locked_zip())),
    "zip in a PDF": ("a.pdf", samples.pdf_attaching(samples.locked_zip())),
    "PDF in docx": ("a.docx", samples.docx(samples.locked_pdf("AES-256"))),
}
REFUSED = {
    "7z": ("a.7z", samples.seven_zip()),
    "7z as txt": ("a.txt", samples.seven_zip()),
    "7z as docx": ("a.docx", samples.seven_zip()),
    "RAR": ("a.rar", samples.rar(EICAR)),
    "RAR as docx": ("a.docx", samples.rar(EICAR)),
    "zip": ("a.zip", samples.zipped(EICAR)),
    "zip as docx": ("a.docx", samples.zipped(EICAR)),
    "locked zip": ("a.zip", samples.locked_zip()),
    "docx as odt": ("a.odt", IN_DOCX),
}
#: clamd 1.4 says OK to these, and so does the service for now.
NOT_LOOKED_INTO = {
    "EICAR behind ZIP64 numbers": ("a.docx", samples.wide_docx(EICAR)),
    "RAR in docx": ("a.docx", samples.docx(samples.rar(EICAR))),
    "locked docx as doc": ("a.doc", samples.locked_ooxml()),
    "locked pptx as ppt": ("a.ppt", samples.locked_ooxml()),
    "locked xlsx as xls": ("a.xls", samples.locked_ooxml()),
}
#: clamd 1.4 says OK to these as well, one level further down; our own signatures for it do not.
NESTED = {
    "RAR in a PDF": ("a.pdf", samples.pdf_attaching(samples.rar(EICAR)), "limits_exceeded"),
    "RAR in a zip in docx": ("a.docx", samples.docx(samples.zipped(samples.rar(EICAR))), "limits_exceeded"),
    "7z in a PDF": ("a.pdf", samples.pdf_attaching(samples.seven_zip()), "limits_exceeded"),
    "LZMA in a zip in docx": (
        "a.docx",
        samples.docx(samples.zipped(EICAR, method=zipfile.ZIP_LZMA)),
        "limits_exceeded",
    ),
    "LZMA in docx in a PDF": (
        "a.pdf",
        samples.pdf_attaching(samples.zipped(EICAR, method=zipfile.ZIP_LZMA)),
        "limits_exceeded",
    ),
    ".lzma in docx": ("a.docx", samples.docx(samples.lzma_alone(EICAR, sized=False)), "limits_exceeded"),
    ".lzma in a PDF": (
        "a.pdf",
        samples.pdf_attaching(samples.lzma_alone(EICAR, sized=True)),
        "limits_exceeded",
    ),
    "ZIP64 in docx": ("a.docx", samples.docx(samples.wide_docx(EICAR)), "limits_exceeded"),
    "ZIP64 in a PDF": ("a.pdf", samples.pdf_attaching(samples.wide_docx(EICAR)), "limits_exceeded"),
    "locked docx in docx": ("a.docx", samples.docx(samples.locked_ooxml()), "encrypted"),
    "locked docx in a PDF": ("a.pdf", samples.pdf_attaching(samples.locked_ooxml()), "encrypted"),
}


def check_never_released(backend: Backend, store: Store, upload_id: str) -> None:
    """Neither the API nor the released bucket has the file."""
    assert backend.client.get(f"/v1/uploads/{upload_id}/content").status_code == 409
    assert stored_keys(store, {upload_id})[RELEASED] == []


@pytest.mark.parametrize("sample", HIDDEN)
def test_hidden_eicar_is_blocked(backend: Backend, store: Store, sample: str) -> None:
    """EICAR is found wherever a document can carry it."""
    name, content = HIDDEN[sample]
    upload = backend.upload(content, name)
    assert (upload["state"], upload["verdict"]["kind"]) == ("blocked", "infected")
    check_never_released(backend, store, upload["id"])


@pytest.mark.parametrize("sample", LOCKED)
def test_locked_file_is_held(backend: Backend, store: Store, sample: str) -> None:
    """A file behind a password is unscannable: held, and its sender is told what to do about it."""
    name, content = LOCKED[sample]
    upload = backend.upload(content, name)
    assert (upload["state"], upload["verdict"]["kind"], upload["verdict"]["code"]) == (
        "held",
        "unscannable",
        "encrypted",
    )
    assert "remove the password" in upload["advice"]
    check_never_released(backend, store, upload["id"])


@pytest.mark.parametrize("sample", REFUSED)
def test_archive_is_refused_by_its_type(backend: Backend, sample: str) -> None:
    """Archives are not on the allow-list, whatever they call themselves, and nothing of them is kept."""
    name, content = REFUSED[sample]
    answer = backend.post(content, name)
    assert (answer.status_code, answer.json()["code"]) == (415, "type_not_allowed")
    assert all(upload["state"] == "refused" for upload in backend.uploads())


@pytest.mark.parametrize("sample", NOT_LOOKED_INTO)
def test_what_clamd_does_not_look_into_is_held(backend: Backend, store: Store, sample: str) -> None:
    """R6, R7: clamd says OK to a RAR in a document and to a locked one under an old extension; not we."""
    name, content = NOT_LOOKED_INTO[sample]
    upload = backend.upload(content, name)
    assert (upload["state"], upload["verdict"]["kind"]) == ("held", "unscannable")
    check_never_released(backend, store, upload["id"])


@pytest.mark.parametrize("sample", NESTED)
def test_what_is_nested_is_held(backend: Backend, store: Store, sample: str) -> None:
    """R6, R7: what nobody looked into within another document is not clean, and its sender is told why."""
    name, content, reason = NESTED[sample]
    upload = backend.upload(content, name)
    verdict = upload["verdict"]
    assert (upload["state"], verdict["kind"], verdict["code"]) == ("held", "unscannable", reason)
    check_never_released(backend, store, upload["id"])


def test_malware_beside_what_is_unscannable_is_still_malware(backend: Backend, store: Store) -> None:
    """That something could not be looked into takes nothing from what was found elsewhere in the file."""
    both = samples.docx(samples.rar(b"x")), samples.docx(EICAR)
    for first, second in (both, both[::-1]):
        upload = backend.upload(samples.pdf_attaching(first, second), "a.pdf")
        assert (upload["state"], upload["verdict"]["kind"]) == ("blocked", "infected")
        check_never_released(backend, store, upload["id"])


@pytest.fixture(scope="module")
def variant(web: Web, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend of a service that takes zips."""
    policy = write_policy(tmp_path_factory.mktemp("policy") / "policy.toml", LIMIT, zip_enabled=True)
    other = replace(service, environ={**service.environ, "GREENROOM_POLICY_FILE": str(policy)}, children=[])
    folder = tmp_path_factory.mktemp("variant")
    other = replace(other, folder=folder)
    backend = other.web("--workers", "1").backend()
    yield backend
    backend.close()
    for child in other.children:
        child.stop()


def test_zips_where_they_are_allowed(variant: Backend, store: Store) -> None:
    """With zip switched on: a clean one is released, EICAR in one is blocked, a locked one is held."""
    clean = variant.upload(samples.zipped(b"minutes", "notes.txt"), "a.zip")
    assert clean["state"] == "released"
    for content, state in (
        (samples.zipped(EICAR), "blocked"),
        (samples.zipped(samples.zipped(EICAR)), "blocked"),
        (samples.locked_zip(), "held"),
        (samples.zipped(samples.locked_zip()), "held"),
    ):
        upload = variant.upload(content, "a.zip")
        assert upload["state"] == state
        check_never_released(variant, store, upload["id"])
