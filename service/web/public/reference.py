"""The reference page's content, arranged from the OpenAPI document and from nothing else."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import render_template
from markupsafe import Markup, escape

#: The page has a style of its own and nothing else: no script, no image, no form, no frame around it.
SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PROBLEM: Final = "application/problem+json"
_METHODS: Final = ("options", "post", "head", "get", "put", "patch", "delete")
_CURL: Final = {"GET": "curl", "HEAD": "curl --head"}
#: Texts that no schema makes up.
_BY_FORMAT: Final = {
    "webhook-url": "https://hooks.example.com/greenroom",
    "accepted-extension": "pdf",
    "file-name": "deck.pptx",
    "date-time": "2026-11-22T12:00:00Z",
}
_INTERNAL: Final = "500"
_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """One code that an operation may answer with."""

    status: int
    code: str
    retryable: bool
    description: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation or webhook as the page shows it."""

    id: str
    method: str
    path: str
    described: _Json
    permits: tuple[str, ...]
    scope: str
    answers: tuple[tuple[str, str, _Json], ...]
    problems: tuple[Problem, ...]
    curl: str


def page(document: _Json) -> str:
    """Return ``document`` as an HTML page."""
    entries = [
        _entry(method.upper(), path, item[method], document)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    events = [
        _entry("POST", name, item["post"], document) for name, item in document.get("webhooks", {}).items()
    ]
    groups = [
        (tag, [entry for entry in entries if tag["name"] in entry.described["tags"]])
        for tag in document["tags"]
    ]
    return render_template(
        "reference.html",
        document=document,
        groups=groups,
        events=events,
        schemas=document["components"]["schemas"],
        prose=prose,
        words=words,
    )


def prose(text: str) -> Markup:
    """Return a description's paragraphs and code as HTML, everything else as it is."""
    return Markup("").join(
        Markup("<p>{}</p>").format(words(one)) for one in text.strip().split("\n\n") if one
    )


def words(text: str) -> Markup:
    """Return one paragraph as HTML."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def _entry(method: str, path: str, described: _Json, document: _Json) -> Entry:
    responses: _Json = described["responses"]
    security = described.get("security", [])
    permits = tuple(name for one in security for name in one)
    return Entry(
        id=described["operationId"],
        method=method,
        path=path,
        described=described,
        permits=permits,
        scope=next((scope for one in security for scopes in one.values() for scope in scopes), ""),
        answers=tuple(
            (status, _phrase(status), answer)
            for status, answer in responses.items()
            if _PROBLEM not in answer.get("content", {})
        ),
        problems=tuple(_problems(responses)),
        curl=_curl(method, path, described, document) if path.startswith("/") else "",
    )


def _phrase(status: str) -> str:
    return HTTPStatus(int(status)).phrase if status.isdigit() else "Success"


def _problems(responses: _Json) -> Iterator[Problem]:
    for status, answer in responses.items():
        # The one problem that every operation has is told of once, at the top of the page.
        if status == _INTERNAL:
            continue
        schema = answer.get("content", {}).get(_PROBLEM, {}).get("schema", {})
        for part in schema.get("allOf", ()):
            for variant in part.get("oneOf", ()):
                said = variant["properties"]
                description = variant["description"]
                yield Problem(int(status), said["code"]["const"], said["retryable"]["const"], description)


def _curl(method: str, path: str, described: _Json, document: _Json) -> str:
    query = {}
    for parameter in described.get("parameters", ()):
        value = sample(parameter["schema"], document)
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(value), safe=""))
        elif parameter["in"] == "query" and (parameter["required"] or "examples" in parameter["schema"]):
            query[parameter["name"]] = value
    url = f"$API_URL{path}" + (f"?{urlencode(query)}" if query else "")
    lines = [f'{_CURL.get(method, f"curl --request {method}")} "{url}"']
    if described.get("security"):
        lines.append('--header "Authorization: Bearer $API_KEY"')
    lines += [
        f'--header "{parameter["name"]}: {sample(parameter["schema"], document)}"'
        for parameter in described.get("parameters", ())
        if parameter["in"] == "header" and parameter.get("required")
    ]
    content = described.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = sample(content["application/json"]["schema"], document)
        lines.append("--json " + shlex.quote(json.dumps(body, ensure_ascii=False)))
    elif content:
        lines.append(f'--header "Content-Type: {next(iter(content))}"')
        lines.append(f"--data-binary @{query.get('name', 'file')}")
    if "*/*" in _media_types(described["responses"]):
        lines.append("--remote-name --remote-header-name")
    return " \\\n  ".join(lines)


def _media_types(responses: _Json) -> Iterator[str]:
    for status, answer in responses.items():
        if status.startswith("2"):
            yield from answer.get("content", {})


def sample(schema: _Json, document: _Json) -> Any:  # noqa: ANN401 - JSON
    """Return a value that a JSON ``schema`` of ``document`` allows, for an example."""
    if "$ref" in schema:
        return sample(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        return sample(choice, document)
    return _plain(schema, document)


def _plain(schema: _Json, document: _Json) -> Any:  # noqa: ANN401 - JSON
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: sample(properties[name], document) for name in schema.get("required", ())}
        case "array":
            return [sample(schema["items"], document)] if "items" in schema else []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _BY_FORMAT.get(schema.get("format", ""), "text")
