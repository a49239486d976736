"""What an operation answers, in OpenAPI's terms: successes with their models, problems with their codes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from service.core.errors import GreenroomError
from service.web.errors import PROBLEM_HEADERS, status_of, title_of
from service.web.public import documents
from service.web.public.conventions import EVERY_ANSWER, PROBLEM_ANSWERS, Brought
from service.web.public.operation import Answer, Operation, Sent
from service.web.public.schemas import Schemas

_PROBLEM: Final = "application/problem+json"
_INTERNAL: Final = {
    "description": "A fault of this service's own. Quote the request's id when you report it.",
    "properties": {"code": {"const": "internal_error"}, "retryable": {"const": True}},
}


def responses(operation: Operation, common: Brought, schemas: Schemas) -> dict[str, Any]:
    """Return what ``operation`` may answer, by status: its own answers, then its problems.

    Raises ``TypeError`` if a status is to be both.
    """
    answers = {str(status): _answer(answer, common, schemas) for status, answer in operation.answers.items()}
    problems: dict[int, list[type[GreenroomError]]] = {}
    for kind in dict.fromkeys((*common.problems, *operation.problems)):
        problems.setdefault(status_of(kind), []).append(kind)
    refusals = {str(status): _problems(status, kinds, schemas) for status, kinds in sorted(problems.items())}
    variants = [{"title": "internal_error", **_INTERNAL}]
    refusals["500"] = _problem(500, _INTERNAL["description"], variants, schemas)
    if both := answers.keys() & refusals.keys():
        raise TypeError(f"{operation.summary}: {min(both)} is both an answer and a problem")
    return answers | refusals


def _answer(answer: Answer, common: Brought, schemas: Schemas) -> dict[str, Any]:
    own = {
        name: header(sent if isinstance(sent, Sent) else Sent(sent)) for name, sent in answer.headers.items()
    }
    described: dict[str, Any] = {"description": answer.description, "headers": _shared(common.answers) | own}
    if answer.model is not None:
        described["content"] = {answer.media_type: {"schema": schemas.of(answer.model)}}
    elif answer.media_type != "application/json":
        described["content"] = {answer.media_type: {}}
    return described


def _problems(status: int, kinds: Sequence[type[GreenroomError]], schemas: Schemas) -> dict[str, Any]:
    variants = [
        {
            "title": kind.code,
            "description": f"{title_of(kind)}.",
            "properties": {"code": {"const": kind.code}, "retryable": {"const": kind.retryable}},
        }
        for kind in kinds
    ]
    return _problem(status, " ".join(f"{title_of(kind)}." for kind in kinds), variants, schemas)


def _problem(status: int, text: Any, variants: Sequence[Any], schemas: Schemas) -> dict[str, Any]:  # noqa: ANN401
    headers = {
        name: {"required": True, "schema": {"const": value}}
        for name, value in PROBLEM_HEADERS.get(status, {}).items()
    }
    schema = {
        "allOf": [
            schemas.of(documents.Problem),
            {"properties": {"status": {"const": status}}, "oneOf": list(variants)},
        ]
    }
    return {
        "description": text,
        "headers": _shared(EVERY_ANSWER) | _shared(PROBLEM_ANSWERS.get(status, {})) | headers,
        "content": {_PROBLEM: {"schema": schema}},
    }


def _shared(headers: Mapping[str, Sent]) -> dict[str, Any]:
    """Return ``headers`` as references where they are those of every answer."""
    return {
        name: {"$ref": f"#/components/headers/{name}"} if name in EVERY_ANSWER else header(sent)
        for name, sent in headers.items()
    }


def header(sent: Sent) -> dict[str, Any]:
    """Return the description of a header that is sent."""
    described: dict[str, Any] = {"description": sent.description} if sent.description else {}
    return described | {"required": sent.always, "schema": dict(sent.schema)}
