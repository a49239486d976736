"""What only PostgreSQL would choke on: text columns there take no NUL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest

from service import config, wiring
from service.adapters.sql_ledger import SqlLedger
from service.stages.parts import Parts
from service.web.public import create_app
from tests.fakes.log import FakeLog
from tests.web.conftest import SLOTS, Backend, assert_problem, believing, new_backend


@pytest.fixture
def on_postgres(environ: dict[str, str], postgres_url: str) -> Iterator[Backend]:
    """A backend of a service whose ledger is PostgreSQL."""
    environ = environ | {"GREENROOM_DATABASE_URL": postgres_url}
    wiring.migrate(config.read_settings(environ))
    built: Parts = wiring.build(environ).parts
    parts = believing(replace(built, log=FakeLog()))
    yield new_backend(create_app(parts, SLOTS), parts)
    cast("SqlLedger", built.ledger)._database.engine.dispose()


def test_odd_text_is_no_outage(on_postgres: Backend) -> None:
    """NULs and other odd bytes in ids, names and types never look like a ledger that is away."""
    for path in ("/v1/uploads/%00", "/v1/uploads/up_%00/content"):
        assert_problem(on_postgres.get(path), 404, "not_found")
    assert_problem(on_postgres.call("DELETE", "/v1/uploads/%00"), 404, "not_found")
    assert_problem(on_postgres.get("/v1/uploads?meeting=%00"), 400, "bad_request")
    assert on_postgres.post(name="no\0tes.txt").get_json()["name"] == "notes.txt"
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a\x01.txt"\r\n'
        b"Content-Type: text/pl\x00ain\r\n\r\nminutes\r\n--b--\r\n"
    )
    answer = on_postgres.call(
        "POST", "/v1/uploads?meeting=m1", data=form, content_type="multipart/form-data; boundary=b"
    )
    assert answer.status_code in {201, 400}, answer.get_data(as_text=True)
