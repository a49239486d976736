"""What only PostgreSQL would choke on: text columns there take no NUL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest
from joserfc.jwk import RSAKey

from service import config, wiring
from service.adapters.sql_jitsi_files import SqlJitsiFiles
from service.adapters.sql_ledger import SqlLedger
from service.stages.jitsi import Jitsi
from service.web.public import create_app
from tests.fakes.log import FakeLog
from tests.web.conftest import SLOTS, assert_problem, believing
from tests.web.jitsi.meeting import Meeting


@pytest.fixture
def on_postgres(
    environ: dict[str, str], postgres_url: str, jitsi: Jitsi, signing_key: RSAKey
) -> Iterator[Meeting]:
    """A meeting of a service whose ledger is PostgreSQL."""
    environ = environ | {"GREENROOM_DATABASE_URL": postgres_url}
    wiring.migrate(config.read_settings(environ))
    built = wiring.build(environ).parts
    engine = cast("SqlLedger", built.ledger)._database.engine
    parts = believing(replace(built, log=FakeLog()))
    there = replace(jitsi, files=SqlJitsiFiles(engine))
    yield Meeting(create_app(parts, SLOTS, there), parts, there, signing_key)
    engine.dispose()


def test_odd_text_is_no_outage(on_postgres: Meeting) -> None:
    """NULs in ids, names and tokens never look like a ledger that is away."""
    file_id = on_postgres.share(
        token=on_postgres.token({"user": {"id": "a\0b"}, "features": {"file-upload": True}})
    )
    assert on_postgres.document(file_id).get_json()["userId"] == "ab"
    assert_problem(on_postgres.call("GET", f"{on_postgres.files}/%00"), 404, "not_found")
    assert_problem(on_postgres.call("DELETE", f"{on_postgres.files}/a%00b"), 404, "not_found")
    assert_problem(on_postgres.call("GET", "/sessions/%00/files"), 403, "forbidden")
    query = "user-id=%00&customer-id=%00%ED%A0%80"
    assert on_postgres.call("DELETE", f"{on_postgres.files}?{query}").status_code == 204
    assert on_postgres.call("DELETE", f"{on_postgres.files}?user-id=a%00b&customer-id=c-1").status_code == 204
    assert_problem(on_postgres.document(file_id), 410, "erased")
