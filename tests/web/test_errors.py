"""Every error is a problem document with the right status, and none tells more than it should."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from flask import Flask

from service.core import errors
from service.stages.parts import Parts
from service.web.public import create_app
from tests.fakes.log import FakeLog
from tests.web.conftest import SLOTS, Backend, Without, assert_problem, new_backend

#: Error class -> status and code. What is missing here must be a 500 "internal_error".
EXPECTED: dict[type[errors.GreenroomError], tuple[int, str]] = {
    errors.BadRequest: (400, "bad_request"),
    errors.Unauthenticated: (401, "unauthenticated"),
    errors.GrantExpired: (401, "grant_expired"),
    errors.Forbidden: (403, "forbidden"),
    errors.QuotaExceeded: (403, "quota_exceeded"),
    errors.LinkInvalid: (403, "link_invalid"),
    errors.NotFound: (404, "not_found"),
    errors.Gone: (410, "erased"),
    errors.AccountRemoved: (410, "account_removed"),
    errors.AccountExists: (409, "account_exists"),
    errors.ExportNotReady: (409, "export_not_ready"),
    errors.RangeNotSatisfiable: (416, "range_not_satisfiable"),
    errors.UnderHold: (409, "under_hold"),
    errors.NotErasedYet: (409, "not_erased_yet"),
    errors.NotRemoved: (409, "not_removed"),
    errors.KeysUnavailable: (503, "keys_unavailable"),
    errors.GrantEnded: (410, "grant_ended"),
    errors.IdempotencyInProgress: (409, "idempotency_in_progress"),
    errors.IdempotencyMismatch: (422, "idempotency_mismatch"),
    errors.RateLimited: (429, "rate_limited"),
    errors.UploadEnded: (410, "upload_ended"),
    errors.ProtocolUnsupported: (412, "unsupported_version"),
    errors.WrongMediaType: (415, "wrong_media_type"),
    errors.WrongOffset: (409, "wrong_offset"),
    errors.Interrupted: (409, "interrupted"),
    errors.ChecksumMismatch: (460, "checksum_mismatch"),
    errors.NotReleased: (409, "not_released"),
    errors.EndpointDisabled: (409, "endpoint_disabled"),
    errors.TooManyEndpoints: (409, "too_many_endpoints"),
    errors.AddressNotAllowed: (422, "address_not_allowed"),
    errors.RangeNotAllowed: (422, "range_not_allowed"),
    errors.TooManyKeys: (409, "too_many_keys"),
    errors.Busy: (409, "busy"),
    errors.NotDecidable: (409, "not_decidable"),
    errors.AlreadyProposed: (409, "already_proposed"),
    errors.AlreadyAllowed: (409, "already_allowed"),
    errors.OwnProposal: (403, "own_proposal"),
    errors.DecisionClosed: (409, "decision_closed"),
    errors.ProposerGone: (409, "proposer_gone"),
    errors.Conflict: (409, "conflict"),
    errors.AllowanceEnded: (409, "allowance_ended"),
    errors.Overloaded: (503, "overloaded"),
    errors.TooLarge: (413, "too_large"),
    errors.TypeNotAllowed: (415, "type_not_allowed"),
    errors.Truncated: (400, "truncated"),
    errors.DigestMismatch: (400, "digest_mismatch"),
    errors.TooSlow: (408, "too_slow"),
    errors.PartUnavailable: (503, "unavailable"),
    errors.StoreUnavailable: (503, "store_unavailable"),
    errors.LedgerUnavailable: (503, "ledger_unavailable"),
    errors.ScannerUnavailable: (503, "scanner_unavailable"),
    errors.IdentityProviderUnavailable: (503, "identity_provider_unavailable"),
    errors.SinkUnavailable: (503, "sink_unavailable"),
    errors.WitnessUnavailable: (503, "witness_unavailable"),
    errors.KeysUnavailable: (503, "keys_unavailable"),
    errors.AccountRemoved: (410, "account_removed"),
    errors.AccountExists: (409, "account_exists"),
    errors.RangeNotSatisfiable: (416, "range_not_satisfiable"),
    errors.ExportNotReady: (409, "export_not_ready"),
    errors.UnderHold: (409, "under_hold"),
    errors.NoVerdict: (404, "no_verdict"),
    errors.NotSignedYet: (409, "not_signed_yet"),
}
#: Those that are made of more than a sentence.
MADE: dict[type[errors.GreenroomError], errors.GreenroomError] = {
    errors.NotSignedYet: errors.NotSignedYet("a sentence", 7),
    errors.NotErasedYet: errors.NotErasedYet("a sentence", 7),
    errors.ExportNotReady: errors.ExportNotReady("a sentence", 7),
    errors.RangeNotSatisfiable: errors.RangeNotSatisfiable(7),
}


def family(kind: type[errors.GreenroomError]) -> list[type[errors.GreenroomError]]:
    """`kind` and everything derived from it."""
    return [kind, *(member for child in kind.__subclasses__() for member in family(child))]


def raising(parts: Parts, error: Exception) -> Backend:
    """A backend whose question after an upload ends in `error`."""
    broken = replace(parts, ledger=cast("Any", Without(parts.ledger, error, "find")))
    return new_backend(create_app(broken, SLOTS), parts)


@pytest.mark.parametrize("kind", family(errors.GreenroomError))
def test_each_error_class_has_its_status(parts: Parts, kind: type[errors.GreenroomError]) -> None:
    """The whole tree: listed classes answer as listed, with their sentence; any other is a bare 500."""
    error = MADE[kind] if kind in MADE else kind("a sentence")
    answer = raising(parts, error).get(f"/v1/uploads/up_{0:032x}")
    status, code = EXPECTED.get(kind, (500, "internal_error"))
    document = assert_problem(answer, status, code)
    if kind in EXPECTED:
        assert document["detail"] == str(error)
        assert document["retryable"] is kind.retryable
    else:
        assert "a sentence" not in answer.get_data(as_text=True)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    soon = {"idempotency_in_progress", "not_signed_yet", "not_erased_yet", "export_not_ready"}
    later = status in {429, 503} or code in soon
    assert ("Retry-After" in answer.headers) == later


def test_unexpected_exception_tells_nothing(parts: Parts, log: FakeLog) -> None:
    """A bug is a 500 without a word of what happened; the log has it, with the request's id."""
    answer = raising(parts, RuntimeError("password=hunter2 in /etc/secret")).get(f"/v1/uploads/up_{0:032x}")
    document = assert_problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.get_data(as_text=True)
    assert "RuntimeError" not in answer.get_data(as_text=True)
    assert document["title"] == "Internal error"
    assert [(event, str(error)) for event, error in log.failures] == [
        ("internal_error", "password=hunter2 in /etc/secret")
    ]


PATHS = [
    "/",
    "/v1",
    "/v2/uploads",
    "/v1/upload",
    "/v1/uploads/x/y",
    "/v1/uploads/x/content/y",
    "/static/x",
    "/admin",
    "/.env",
    "/v1/policy/x",
    "/metrics",
    "//v1/uploads",
    "/v1//uploads",
    "/v1/uploads/../../healthz",
    "/v1/uploads/%2e%2e/content/..",
    "/%00",
    "/\u00e9",
]


@pytest.mark.parametrize("path", PATHS)
def test_unknown_route_is_a_problem(backend: Backend, path: str) -> None:
    """What is not there is a 404 problem: no page of the framework's, no redirect."""
    assert_problem(backend.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/uploads"),
        ("DELETE", "/v1/uploads"),
        ("PATCH", "/v1/uploads/x"),
        ("POST", "/v1/uploads/x"),
        ("POST", "/v1/uploads/x/content"),
        ("DELETE", "/v1/uploads/x/content"),
        ("POST", "/healthz"),
        ("POST", "/v1/policy"),
        ("TRACE", "/v1/uploads"),
        ("PROPFIND", "/v1/uploads"),
    ],
)
def test_wrong_method_is_a_problem(backend: Backend, method: str, path: str) -> None:
    """A method that a route lacks is a 405 problem which names those it has."""
    answer = backend.call(method, path)
    assert_problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_every_answer_is_hardened(app: Flask, backend: Backend) -> None:
    """Answers of every kind carry the request's id, nosniff and no-store."""
    for answer in (backend.get("/healthz"), backend.get("/nowhere"), app.test_client().get("/v1/uploads")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("req-12345678", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("short", False),
        ("with space 1234", False),
        ('"><script>alert(1)', False),
        ("caf\u00e9caf\u00e9", False),
        ("", False),
    ],
)
def test_request_id_is_taken_over_only_if_harmless(backend: Backend, given: str, kept: bool) -> None:  # noqa: FBT001
    """A caller's request id goes into logs and answers only if it is plain."""
    answer = backend.get("/healthz", headers={"X-Request-Id": given})
    assert (answer.headers["X-Request-Id"] == given) is kept


def test_request_ids_differ(backend: Backend) -> None:
    """Two requests without an id of their own get two."""
    first, second = backend.get("/healthz"), backend.get("/healthz")
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
