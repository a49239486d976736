"""What becomes of every column of the database when somebody's data is erased: one table.

``forgetting`` does what stands here, and a test compares it with the schema, so that nobody can add a
column without saying what is to happen to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Column, Table

from service.adapters.schema import accounts, api_keys, log, meetings, segments, uploads
from service.adapters.schema_answers import answers, creations
from service.adapters.schema_decisions import allowances, decisions
from service.adapters.schema_erasures import erasures
from service.adapters.schema_exports import export_uploads, exports
from service.adapters.schema_grants import grant_keys, grants, signing_keys
from service.adapters.schema_holds import holds
from service.adapters.schema_jitsi import jitsi_files
from service.adapters.schema_log import (
    log_checkpoints,
    log_cursors,
    log_keys,
    log_tiles,
    log_tree,
    pseudonym_keys,
)
from service.adapters.schema_rescans import rescan_files, rescans
from service.adapters.schema_reviewers import reviewers, sessions, sign_ins
from service.adapters.schema_webhooks import webhook_deliveries, webhook_endpoints, webhook_events
from service.core.erasure import Reach

#: Whose mark takes the place of the ids in these columns.
_PLACES: Final = MappingProxyType(
    {
        "account_id": frozenset({Reach.ACCOUNT}),
        "meeting_id": frozenset({Reach.MEETING, Reach.ACCOUNT}),
    }
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a table's rows.

    ``upload`` is the column with the upload that a row is about: with it the row goes, if
    ``goes_with_upload``, or the columns ``emptied`` get those values, and those of ``marked`` the mark of
    what is erased, if it is of one of the reaches; where there is no ``upload``, with the account. Rows of
    the table go with what ``goes`` names.
    ``otherwise`` says what is done to columns by code of its own, and ``stays`` names those that say nothing
    of anybody.
    """

    table: Table
    upload: Column[str] | None = None
    goes_with_upload: bool = False
    goes: frozenset[Reach] = frozenset()
    emptied: Mapping[str, Any] = field(default_factory=dict)
    marked: Mapping[str, frozenset[Reach]] = field(default_factory=dict)
    otherwise: Mapping[str, str] = field(default_factory=dict)
    stays: frozenset[str] = frozenset()


_WITH_ACCOUNT: Final = frozenset({Reach.ACCOUNT})
FATES: Final[tuple[Fate, ...]] = (
    Fate(
        uploads,
        uploads.c.id,
        emptied={
            "name": "",
            "name_folded": "",
            "person": None,
            "content_key": None,
            "declared_type": "",
            "traceparent": None,
        },
        marked=_PLACES,
        otherwise={
            "grant_id": "emptied, but for one upload, which still counts in its grant's quota",
            "erasure_id": "says by which erasure it was forgotten",
        },
        # The log says for good which content was judged how, so these say nothing that it does not.
        stays=frozenset(
            {
                *("id", "detected_type", "state", "created_at", "updated_at", "size", "sha256", "reason"),
                *("attempts", "due_at", "lease_until", "leftover", "version", "reserved", "expires_at"),
                *("waiting_since", "region", "verdict_kind", "verdict_code", "verdict_signature"),
                *("verdict_sha256", "verdict_size", "verdict_engine", "verdict_signature_version"),
                *("verdict_signatures_made_at", "verdict_protection", "verdict_policy", "verdict_duration"),
                *("verdict_at", "downloads", "rescanned_with"),
            }
        ),
    ),
    Fate(segments, segments.c.upload_id, goes_with_upload=True),
    Fate(jitsi_files, jitsi_files.c.upload_id, goes_with_upload=True, goes=_WITH_ACCOUNT),
    # What was answered before an upload was there (grants, endpoints) is sealed and goes after a day.
    Fate(answers, answers.c.upload_id, goes_with_upload=True, goes=_WITH_ACCOUNT),
    Fate(
        decisions,
        decisions.c.upload_id,
        emptied={"reason": ""},
        marked=_PLACES,
        stays=frozenset(
            {
                *("id", "upload_id", "choice", "days", "version", "sha256", "signature", "proposed_by"),
                *("proposed_at", "expires_at", "standing", "settled_by", "settled_at"),
            }
        ),
    ),
    Fate(
        holds,
        holds.c.upload_id,
        goes=_WITH_ACCOUNT,
        emptied={"reason": ""},
        marked=_PLACES,
        stays=frozenset({"id", "upload_id", "placed_by", "placed_at", "lifted_by", "lifted_at"}),
    ),
    Fate(
        exports,
        marked={"account_id": _WITH_ACCOUNT},
        otherwise=dict.fromkeys(
            ("person", "content_key", "segments", "size", "sha256"), "emptied when the export is dropped"
        ),
        stays=frozenset(
            {
                *("id", "asked_at", "asked_by", "due_at", "region", "phase", "attempts", "lease_until"),
                *("done", "total", "ready_at", "expires_at", "taken_at", "leftover", "sweep_at", "version"),
            }
        ),
    ),
    # By which an export that has something of an upload is found when that is erased.
    Fate(export_uploads, stays=frozenset({"export_id", "upload_id"})),
    Fate(
        webhook_events,
        webhook_events.c.upload_id,
        goes=_WITH_ACCOUNT,
        emptied={"traceparent": None},
        otherwise={"body": "emptied, but for the word that one upload was erased, which names nobody"},
        stays=frozenset({"id", "account_id", "upload_id", "type", "at"}),
    ),
    Fate(rescan_files, rescan_files.c.upload_id, goes_with_upload=True, goes=_WITH_ACCOUNT),
    Fate(
        rescans,
        marked={"account_id": _WITH_ACCOUNT},
        stays=frozenset(
            {
                *(
                    "id",
                    "signature_version",
                    "upload_id",
                    "asked_by",
                    "begun_at",
                    "total",
                    "done",
                    "recalled",
                ),
                *("held", "ended_at", "superseded"),
            }
        ),
    ),
    Fate(webhook_deliveries, goes=_WITH_ACCOUNT),
    Fate(webhook_endpoints, goes=_WITH_ACCOUNT),
    Fate(meetings, goes=frozenset({Reach.MEETING, Reach.ACCOUNT})),
    Fate(api_keys, goes=_WITH_ACCOUNT),
    Fate(grant_keys, goes=_WITH_ACCOUNT),
    Fate(
        grants,
        goes=_WITH_ACCOUNT,
        otherwise={
            "meeting_id": "the mark, when the meeting is erased",
            "person": "emptied, when the meeting or the person is",
            "revoked_at": "then, if it was not revoked before: its row stays until no token of it can live",
        },
        stays=frozenset(
            {
                *("account_id", "id", "kind", "upload_id", "max_files", "max_bytes", "types", "issued_at"),
                *("expires_at", "created_at"),
            }
        ),
    ),
    Fate(creations, goes=_WITH_ACCOUNT),
    Fate(
        log,
        log.c.upload_id,
        otherwise={
            **dict.fromkeys(("account_id", "meeting_id", "actor"), "emptied; the line has pseudonyms"),
            "detail": "what is not published of it is taken out",
        },
        # The published line, which every later one is proved with.
        stays=frozenset({"id", "upload_id", "at", "event", "before", "after", "position", "line"}),
    ),
    Fate(
        accounts,
        otherwise={"id": "the mark", "sealed_key": "destroyed"},
        stays=frozenset(
            {"created_at", "plan", "region", "removed_at", "erase_at", "erased_at", "version"},
        ),
    ),
    Fate(
        pseudonym_keys,
        otherwise={"account_id": "the mark", "sealed": "destroyed"},
        stays=frozenset({"created_at"}),
    ),
    Fate(
        erasures,
        marked={"account_id": _WITH_ACCOUNT},
        otherwise={"subject": "emptied when all else is"},
        stays=frozenset(
            {"id", "reach", "mark", "asked_by", "asked_at", "uploads", "size", "done_at", "line"},
        ),
    ),
    # A finding that is excused in a content, whoever has it.
    Fate(allowances, stays=frozenset(allowances.c.keys())),
)
#: The service's own: its keys, its log's tree and the people who work for it.
OURS: Final = frozenset(
    {
        *(signing_keys, log_tree, log_tiles, log_checkpoints, log_keys, log_cursors),
        *(reviewers, sessions, sign_ins),
    }
)
