"""JSON schemas (2020-12, as OpenAPI 3.1 has them) of the types that operations declare."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

_COMPONENTS: Final = "#/components/schemas/"


class _Generator(GenerateJsonSchema):
    """Without the titles that repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's signature
        return False


class Schemas:
    """The schemas of some types. Models among them and within them are components of their own."""

    def __init__(self, types: Iterable[Any]) -> None:
        """Describe ``types``: models, or whatever else pydantic can describe."""
        # Two types with one name get longer ones, so all are named in one go.
        kinds = list(dict.fromkeys(types))
        found, definitions = TypeAdapter.json_schemas(
            [(number, "validation", TypeAdapter(kind)) for number, kind in enumerate(kinds)],
            ref_template=f"{_COMPONENTS}{{model}}",
            schema_generator=_Generator,
        )
        self._schemas = {kind: found[number, "validation"] for number, kind in enumerate(kinds)}
        self._definitions: dict[str, Any] = definitions.get("$defs", {})
        self._queries: set[str] = set()

    @property
    def components(self) -> dict[str, Any]:
        """All that is referred to, by name, but for what became parameters."""
        return {
            name: schema for name, schema in sorted(self._definitions.items()) if name not in self._queries
        }

    def of(self, kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type
        """Return the schema of one of the types: a reference for a model."""
        return dict(self._schemas[kind])

    def parameters(self, query: type[BaseModel]) -> Iterator[dict[str, Any]]:
        """Return the fields of a model as OpenAPI's query parameters."""
        name = self.of(query)["$ref"].removeprefix(_COMPONENTS)
        self._queries.add(name)
        model = self._definitions[name]
        for field, described in model["properties"].items():
            schema = _without_null(described)
            parameter = {"name": field, "in": "query", "required": field in model.get("required", ())}
            if "description" in schema:
                parameter["description"] = schema.pop("description")
            yield parameter | {"schema": schema}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a field's schema as a query can say it: left out, but never null or empty by default."""
    others = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    merged = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(others) == 1:
        merged |= others[0]
    elif others:
        merged["anyOf"] = others
    return {key: value for key, value in merged.items() if key != "default" or value not in {None, ""}}
