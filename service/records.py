"""The operator's command for the record of processing: ``python -m service records``.

All of it is read from the settings, the policy and the accounts as they are, and none of it is a secret: of
an address that may hold one (a webhook's, a database's) only the host is told.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from service.config import Settings
from service.core import export, processing, reviewer, webhook
from service.core.account import Account
from service.core.processing import Section
from service.core.representation import rfc3339
from service.core.verdict import Protection
from service.key_config import MasterKeySettings
from service.observe_config import Plain, Syslog
from service.stages import accounts, grants, keyring, once
from service.stages.parts import Parts

#: What the periods of a plan are about, by their names in the policy.
_PERIODS: Final = {
    "removed": "everything in an account that was removed (it can be reactivated until then)",
    "released": "released files",
    "held": "files that could not be proved clean",
    "blocked": "infected files, in quarantine",
    "refused": "records of refused files",
    "abandoned": "records of files that were never sent to their end",
}


def add_arguments(
    parser: argparse.ArgumentParser, settings: Callable[[], Settings], build: Callable[[Settings], Parts]
) -> None:
    """Describe the command, which tells of what ``settings`` gives and of the parts built from it."""
    parser.add_argument("--json", action="store_true", help="as JSON, not as Markdown")

    def run(options: argparse.Namespace) -> int:
        found = settings()
        parts = build(found)
        made_at, sections = rfc3339(parts.clock.now()), record(found, parts)
        if options.json:
            print(json.dumps(processing.document(made_at, sections), ensure_ascii=False, indent=2))
        else:
            print(processing.markdown(made_at, sections), end="")
        return 0

    parser.set_defaults(run=run)


def record(settings: Settings, parts: Parts) -> Sequence[Section]:
    """Return the record's sections. Raises ``LedgerUnavailable``."""
    known = list(_accounts(parts))
    return (
        processing.TO_ADD,
        Section("accounts", "Accounts", ("region", "plan", "standing", "accounts"), _counted(known)),
        processing.DATA,
        Section("places", "Places", ("region", "what", "where"), list(_places(settings))),
        Section("periods", "Periods", ("data", "for", "period"), list(_periods(settings))),
        Section(
            "recipients",
            "Recipients and processors",
            ("who", "where", "gets"),
            list(_recipients(settings, parts, known)),
        ),
        Section("measures", "Security measures", ("measure",), list(_measures(settings))),
    )


def _accounts(parts: Parts) -> Iterator[Account]:
    after: str | None = ""
    while after is not None:
        found, after = accounts.page(parts, after, accounts.MOST_PER_PAGE)
        yield from found


def _counted(known: Sequence[Account]) -> list[Sequence[str]]:
    counts = Counter((one.region, one.plan.value, one.standing.value) for one in known)
    return [(*key, str(count)) for key, count in sorted(counts.items())]


def _places(settings: Settings) -> Iterator[Sequence[str]]:
    for region, store in settings.stores.items():
        at = f"{store.endpoint} ({store.s3_region})"
        for what, bucket in (("quarantine", store.quarantine_bucket), ("released", store.released_bucket)):
            yield region, f"sealed contents: {what}", f"{at}, bucket {bucket}"
        yield region, "master key", _master(settings.master_keys[region])
    yield "all", "records, the log, sealed account keys", _database(settings.database_url)
    yield "all", "contents while they are scanned", _clamd(settings.clamd)


def _master(key: MasterKeySettings) -> str:
    if key.keyset is not None:
        return "a file of this service"
    return key.uri or "not known to this process: ask with the worker's settings"


def _database(url: str) -> str:
    kind, _, rest = url.partition("://")
    if kind.startswith("sqlite"):
        return f"SQLite, {rest.partition('?')[0]}"
    return f"{kind.partition('+')[0]} at {_host(url)}"


def _clamd(clamd: str | tuple[str, int]) -> str:
    return f"clamd at {clamd}" if isinstance(clamd, str) else f"clamd at {clamd[0]}:{clamd[1]}"


def _host(url: str) -> str:
    # Whatever stands before an @ is who we are there; what comes after the host may be a secret.
    return urlsplit(url).netloc.rpartition("@")[2] or "this machine"


def _periods(settings: Settings) -> Iterator[Sequence[str]]:
    for plan, periods in settings.policy.published()["plans"].items():
        for name, days in periods.items():
            yield _PERIODS.get(name, name), f"plan {plan}", f"{days} days"
    unfinished = timedelta(seconds=settings.policy.unfinished_lifetime)
    fixed = (
        ("resumable uploads that nobody goes on with", unfinished),
        ("exports", export.KEPT),
        ("that an export was asked for, once it has expired", export.REMEMBERED),
        ("answers to repeated requests", once.KEPT),
        ("grants, once they have expired", grants.KEPT),
        ("events for webhooks", webhook.KEPT),
        ("sessions of reviewers", reviewer.LONGEST_SESSION),
        ("opened account keys, in memory", timedelta(seconds=keyring.KEPT)),
    )
    for data, period in fixed:
        yield data, "all", _told(period)
    if settings.witnesses.bucket is not None:
        yield "checkpoints of the log in their bucket", "all", _told(settings.witnesses.bucket.retention)
    yield "the log", "all", "no end: it is what proves the rest, and names people by pseudonyms"
    yield "accounts' ids, reviewers, legal holds", "all", "no end: they say who did what"


def _told(period: timedelta) -> str:
    for size, unit in ((timedelta(days=1), "days"), (timedelta(hours=1), "hours")):
        if period > size and not period % size:
            return f"{period // size} {unit}"
    return f"{period.total_seconds():g} seconds"


def _recipients(settings: Settings, parts: Parts, known: Sequence[Account]) -> Iterator[Sequence[str]]:
    for region, store in settings.stores.items():
        yield f"object store of {region}", store.endpoint, "sealed contents"
        key = settings.master_keys[region]
        if key.uri is not None:
            yield f"key service of {region}", key.uri, "sealed account keys, to open them"
    if not settings.database_url.startswith("sqlite"):
        yield "database", _host(settings.database_url), "records, the log, sealed account keys"
    if not isinstance(settings.clamd, str):
        yield "scanner", f"{settings.clamd[0]}:{settings.clamd[1]}", "contents, while they are scanned"
    yield from _told_of_the_log(settings)
    oidc = settings.console.oidc
    if oidc is not None:
        yield "OpenID provider", _host(oidc.issuer), "who signs in to the console, and when"
    if settings.observe.traces is not None:
        yield "collector of traces", _host(settings.observe.traces), "ids of uploads, durations"
    if settings.jitsi is not None:
        where = ", ".join(sorted(settings.jitsi.origins))
        yield (
            f"Jitsi Meet, for the account {settings.jitsi.issuer.account_id}",
            where,
            "files of its meetings",
        )
    yield from _webhooks(parts, known)


def _webhooks(parts: Parts, known: Sequence[Account]) -> Iterator[Sequence[str]]:
    hosts: dict[str, set[str]] = {}
    for account in known:
        for endpoint in parts.webhook_endpoints.of_account(account.id):
            hosts.setdefault(_host(endpoint.url), set()).add(account.id)
    for host, whose in sorted(hosts.items()):
        yield f"webhooks of {', '.join(sorted(whose))}", host, "names of files, verdicts, pseudonyms"


def _told_of_the_log(settings: Settings) -> Iterator[Sequence[str]]:
    gets = "the log's events, with pseudonyms"
    match settings.observe.events:
        case Syslog() as there:
            yield "SIEM", f"{there.host}:{there.port}", gets
        case Path() as path:
            yield "SIEM", f"whoever reads {path}", gets
        case Plain.STDOUT:
            yield "SIEM", "whoever reads the worker's output", gets
        case Plain.NONE:
            pass
    places, gets = settings.witnesses, "checkpoints of the log: sizes and digests, nothing of anybody"
    for url in places.urls:
        yield "witness", _host(url), gets
    for path in places.files:
        yield "witness", str(path), gets
    if places.bucket is not None:
        yield "witness", f"bucket {places.bucket.name}", gets


def _measures(settings: Settings) -> Iterator[Sequence[str]]:
    for measure in processing.MEASURES:
        yield (measure,)
    for region, store in settings.stores.items():
        way = (
            "by TLS" if store.secure else "WITHOUT TLS: it must be on this machine, or on a network of yours"
        )
        yield (f"The store of {region} is reached {way}",)
    official = settings.protection is Protection.OFFICIAL
    yield (
        "Signatures of ClamAV, not older than the policy says"
        if official
        else "DEMO SIGNATURES: NO PROTECTION",
    )
    kept = settings.witnesses
    places = len(kept.files) + len(kept.urls) + (kept.bucket is not None)
    if places:
        yield (f"Checkpoints of the log are kept in {places} places beside the database",)
    else:
        yield ("NO WITNESS: checkpoints of the log are kept in the database alone",)
    oidc = settings.console.oidc
    yield (f"Reviewers sign in {'at an OpenID provider, or ' if oidc else ''}with passwords (Argon2id)",)
