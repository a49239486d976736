"""What JSON schema has no words for, told to Schemathesis: see schemathesis.toml beside this file."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any, cast

import schemathesis
from hypothesis import strategies
from schemathesis import HookContext
from schemathesis.checks import CHECKS, CheckContext
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case

_KEYS = ("filename", "meeting")
_EXTENSIONS = (".txt", ".csv", ".pdf", ".exe", "")
#: Letters of which every name keeps some, and much else that a name may hold.
_NAMES = strategies.builds(
    lambda odd, stem, extension: f"{odd}{stem}{extension}",
    strategies.text(strategies.characters(exclude_categories=["Cs"]), max_size=20),
    strategies.text("abcXYZ019", min_size=1, max_size=20),
    strategies.sampled_from(_EXTENSIONS),
)
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
schemathesis.openapi.format("file-name", _NAMES)
schemathesis.openapi.format(
    "upload-metadata",
    strategies.builds(
        lambda *values: ",".join(
            f"{key} {b64encode(value.encode()).decode()}" for key, value in zip(_KEYS, values, strict=True)
        ),
        _NAMES,
        strategies.from_regex(r"[A-Za-z0-9]{1,20}", fullmatch=True),
    ),
)
schemathesis.openapi.format("accepted-extension", strategies.sampled_from(("txt", "csv", "pdf", "pptx")))

# To this machine, where nobody listens: requests must not leave it.
schemathesis.openapi.format("webhook-url", strategies.just("http://127.0.0.1:9/hook"))

_use_after_free = cast(
    "Callable[[CheckContext, Response, Case[Any]], bool | None]", CHECKS.get_one("use_after_free")
)


@CHECKS.register
def use_after_free(ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """What was deleted stays so. Of an upload and of a grant the record stays too, and says that it was."""
    try:
        document = json.loads(response.content)
        over = document.get("state") == "erased" or document.get("revoked_at") is not None
    except (AttributeError, ValueError):
        over = False
    return None if over else _use_after_free(ctx, response, case)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """A name may be left out only where a form names the file: the rule hangs on what else is sent."""
    form = case.media_type == "multipart/form-data" and isinstance(case.body, dict)
    if case.operation.label != "POST /v1/uploads" or form or case.query.get("name"):
        return
    if case.meta is not None and case.meta.generation.mode.is_positive:
        case.query = {**case.query, "name": "agenda.txt"}
