"""``GET /healthz`` and ``GET /readyz``."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from flask import Blueprint, Response, jsonify

from service.core.errors import PartUnavailable, SecretsUnreadable
from service.core.outcome import Engine
from service.core.trust import signature_age
from service.stages.parts import Parts
from service.web.public import documents
from service.web.public.door import Door
from service.web.public.operation import Answer, Operation

ALIVE: Final = Operation(
    "See whether the process answers", "health", {200: Answer("It does.", documents.Alive)}
)
READY: Final = Operation(
    "See whether uploads can be taken and scanned",
    "health",
    {
        200: Answer("Everything that the service stands on is well.", documents.Readiness),
        503: Answer("Something is wrong; `checks` says what.", documents.Readiness),
    },
)


def blueprint(parts: Parts, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("health", __name__)
    newest = _Newest(parts)

    @routes.get("/healthz")
    @door.operation(ALIVE)
    def healthz() -> Response:
        return jsonify({"status": "ok"})

    @routes.get("/readyz")
    @door.operation(READY)
    def readyz() -> Response:
        report = newest.report()
        answer = jsonify(report)
        answer.status_code = 200 if report["ready"] else 503
        return answer

    return routes


class _Newest:
    """The newest readiness, asked for anew at most once a second however many want to know."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        starting = dict.fromkeys(("ledger", "store", "keys", "scanner", "canary"), "starting")
        regions = dict.fromkeys(parts.stores, "starting")
        self._report: dict[str, Any] = {"ready": False, "checks": starting, "regions": regions}
        self._good_until: float | None = None

    def report(self) -> dict[str, Any]:
        """Return the report. Raises nothing: what is wrong stands in it."""
        # Whoever comes while another asks gets the word before: a silent part holds one thread, not all.
        if self._lock.acquire(blocking=False):
            try:
                if self._good_until is None or self._parts.clock.monotonic() >= self._good_until:
                    self._report = readiness(self._parts)
                    self._good_until = self._parts.clock.monotonic() + 1.0
            finally:
                self._lock.release()
        return self._report


def readiness(parts: Parts) -> dict[str, Any]:
    """Ask every dependency and return what is wrong with which, ``ready`` only if nothing is."""
    regions = {region: _ask(store.ping) for region, store in parts.stores.items()}
    keys = {region: _ask(partial(parts.keyring.check, region)) for region in parts.stores}
    checks = {"ledger": _ask(parts.ledger.ping), "store": _named(regions), "keys": _named(keys)}
    report: dict[str, Any] = {"ready": False, "checks": checks, "regions": regions}
    try:
        engine = parts.scanner.engine()
    except PartUnavailable as error:
        checks["scanner"] = str(error)
    else:
        checks["scanner"] = "ok"
        doubt = parts.gate.doubt(engine)
        checks["canary"] = doubt[1] if doubt else "ok"
        report["signatures"] = signatures(engine, parts)
    report["ready"] = all(state == "ok" for state in checks.values())
    if parts.protection.notice:
        report["notice"] = parts.protection.notice
    return report


def _named(regions: Mapping[str, str]) -> str:
    """Return what is wrong in the regions, with the region's name where there are several."""
    away = {region: state for region, state in regions.items() if state != "ok"}
    if len(regions) == 1:
        return next(iter(regions.values()))
    return "; ".join(f"{region}: {state}" for region, state in away.items()) or "ok"


def signatures(engine: Engine, parts: Parts) -> dict[str, Any]:
    """Return what is known of the signatures in use; ages in seconds."""
    age = signature_age(engine, parts.clock.now())
    made_at = engine.signatures_made_at
    old = age is not None and age > parts.policy.signatures_warn_age
    return {
        "engine": engine.version,
        "version": engine.signature_version,
        "made_at": made_at.isoformat() if made_at else None,
        "age_seconds": None if age is None else round(age),
        "warning": "the signatures are more than a day old" if old else None,
        "protection": parts.protection.value,
    }


def _ask(ping: Callable[[], None]) -> str:
    try:
        ping()
    except (PartUnavailable, SecretsUnreadable) as error:
        return str(error)
    return "ok"
