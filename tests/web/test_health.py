"""/healthz and /readyz: what is wrong is said, by name, for every dependency."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from flask.testing import FlaskClient

from service.adapters.master_key import KeyInHand, new_keyset
from service.adapters.tink_cipher import TinkCipher
from service.core.account import HOME, Account
from service.core.errors import LedgerUnavailable, ScannerUnavailable, StoreUnavailable
from service.core.journal import Entry
from service.core.outcome import Engine
from service.core.verdict import Protection
from service.stages.gate import Health
from service.stages.keyring import Keyring
from service.stages.parts import Parts
from service.web.public import create_app
from tests.web.conftest import SLOTS, Without, believing

NOTICE = "demo signatures: not protection"


def client(parts: Parts) -> FlaskClient:
    """A client without any key: health needs none."""
    return create_app(parts, SLOTS).test_client()


def test_ready_when_all_is_well(parts: Parts) -> None:
    """200, every check ok, and the demo signatures are called what they are."""
    answer = client(parts).get("/readyz")
    document = answer.get_json()
    assert (answer.status_code, document["ready"]) == (200, True)
    assert document["checks"] == {
        "ledger": "ok",
        "store": "ok",
        "keys": "ok",
        "scanner": "ok",
        "canary": "ok",
    }
    assert document["notice"] == NOTICE
    assert document["signatures"]["protection"] == "demo"


def _no_ledger(parts: Parts) -> Parts:
    error = LedgerUnavailable("the ledger is away")
    away = Without(parts.ledger, error, "ping", "find")
    return replace(
        parts, ledger=cast("Any", away), credentials=cast("Any", Without(parts.credentials, error, "key"))
    )


def _no_store(parts: Parts) -> Parts:
    away = Without(parts.stores[HOME], StoreUnavailable("the store is away"), "ping")
    return replace(parts, stores={HOME: cast("Any", away)})


def _no_scanner(parts: Parts) -> Parts:
    away = Without(parts.scanner, ScannerUnavailable("clamd is away"), "engine", "open")
    return replace(parts, scanner=cast("Any", away))


def _another_master_key(parts: Parts) -> Parts:
    parts.accounts.add(Account("acme-1", parts.clock.now()), Entry(parts.clock.now(), "account_created"))
    parts.keyring.of("acme-1")
    cipher = TinkCipher({HOME: KeyInHand(new_keyset())})
    return replace(parts, cipher=cipher, keyring=Keyring(parts.accounts, cipher, parts.clock))


def _no_master_key(parts: Parts) -> Parts:
    return replace(parts, keyring=Keyring(parts.accounts, TinkCipher({}), parts.clock))


def _failed_canary(parts: Parts) -> Parts:
    parts.gate.report(Health(parts.clock.now(), ("plain: not found",)))
    return parts


def _silent_canary(parts: Parts) -> Parts:
    parts.gate.report(Health(parts.clock.now() - timedelta(seconds=151), ()))
    return parts


class _Dated:
    """A scanner whose signatures have a given age."""

    def __init__(self, age: timedelta | None, parts: Parts) -> None:
        made_at = None if age is None else parts.clock.now() - age
        self._engine = Engine("1.4.6", 27826, made_at)

    def engine(self) -> Engine:
        """Who scans."""
        return self._engine


def _dated(parts: Parts, age: timedelta | None) -> Parts:
    scanner = cast("Any", _Dated(age, parts))
    return believing(replace(parts, scanner=scanner, protection=Protection.OFFICIAL))


@pytest.mark.parametrize(
    ("trouble", "check", "words"),
    [
        (_no_ledger, "ledger", "the ledger is away"),
        (_no_store, "store", "the store is away"),
        (_another_master_key, "keys", "the master key is not the one it was sealed with"),
        (_no_master_key, "keys", "no master key for the region 'home'"),
        (_no_scanner, "scanner", "clamd is away"),
        (_failed_canary, "canary", "canaries failed: plain: not found"),
        (_silent_canary, "canary", "within the last 150 s"),
        (lambda parts: _dated(parts, timedelta(hours=49)), "canary", "49 h old"),
        (lambda parts: _dated(parts, None), "canary", "does not say how old"),
    ],
    ids=[
        "ledger",
        "store",
        "another key",
        "no key",
        "scanner",
        "canary failed",
        "canary silent",
        "stale",
        "unknown age",
    ],
)
def test_each_trouble_is_named(parts: Parts, trouble: Any, check: str, words: str) -> None:
    """503 with the reason under the name of what is wrong, and the process itself still answers."""
    troubled = client(trouble(parts))
    answer = troubled.get("/readyz")
    document = answer.get_json()
    assert (answer.status_code, document["ready"]) == (503, False)
    assert words in document["checks"][check]
    wrong = {name for name, state in document["checks"].items() if state != "ok"}
    assert check in wrong
    assert wrong <= {check, "canary"}
    assert troubled.get("/healthz").get_json() == {"status": "ok"}


class _Silent:
    """A part that does not answer until it is let go."""

    def __init__(self) -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()

    def ping(self) -> None:
        """Wait."""
        self.asked.set()
        assert self.let_go.wait(30)


def test_silent_part_holds_one_thread_from_the_start(parts: Parts) -> None:
    """While the first question waits for a part, everybody else is told at once: not ready, starting."""
    silent = _Silent()
    app = create_app(replace(parts, stores={HOME: cast("Any", silent)}), SLOTS)
    with ThreadPoolExecutor(2) as pool:
        try:
            first = pool.submit(app.test_client().get, "/readyz")
            assert silent.asked.wait(30)
            second = pool.submit(app.test_client().get, "/readyz").result(30)
        finally:
            silent.let_go.set()
        assert (second.status_code, second.get_json()["ready"]) == (503, False)
        assert set(second.get_json()["checks"].values()) == {"starting"}
        assert first.result(30).status_code == 200


def test_signatures_of_a_day_are_warned_of_but_ready(parts: Parts) -> None:
    """Bar R9: after 24 h a warning, after 48 h no clean."""
    answer = client(_dated(parts, timedelta(hours=25))).get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json()["signatures"]["warning"] == "the signatures are more than a day old"
    assert "notice" not in answer.get_json()
    fresh = client(_dated(parts, timedelta(hours=23))).get("/readyz").get_json()
    assert fresh["signatures"]["warning"] is None


def test_ledger_that_is_away_is_a_problem_for_every_call(parts: Parts) -> None:
    """Without a ledger nobody is let in and nothing is a 500."""
    answer = client(_no_ledger(parts)).get(
        "/v1/uploads?meeting=m1", headers={"Authorization": "Bearer gr_000000000000." + "A" * 43}
    )
    assert answer.status_code == 503
    assert answer.get_json(force=True)["code"] == "ledger_unavailable"
