"""docs/widget.md names what the widget has: all of it, and nothing else."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "widget.md").read_text()
SOURCE = ROOT / "widget" / "src"
#: The tables that name things in their first column, by the heading of that column.
TABLE = re.compile(r"^\| (?P<heading>[a-z, ]+) \| .*\|\n\|---\|---\|\n(?P<rows>(?:\|.*\n)+)", re.MULTILINE)


def told(heading: str) -> set[str]:
    """The names in the first column of a table."""
    [rows] = [found["rows"] for found in TABLE.finditer(PAGE) if found["heading"] == heading]
    return {name for row in rows.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def source(name: str) -> str:
    """One file of the widget's source."""
    return (SOURCE / name).read_text()


def test_attributes() -> None:
    """Those that the element watches, and the one that its style sheet reads."""
    [watched] = re.findall(r"observedAttributes = \[(.*?)\]", source("element.ts"))
    assert told("attribute") == {*re.findall(r'"([^"]+)"', watched), "theme"}
    assert ':host([theme="dark"])' in source("styles.css")


def test_properties_and_methods() -> None:
    """What the class shows."""
    element = source("element.ts").partition("export class")[2]
    getters = set(re.findall(r"^  get ([a-z]\w*)\(", element, re.MULTILINE))
    methods = set(re.findall(r"^  ([a-z]\w*\([a-z]*)[^)]*\): void \{", element, re.MULTILINE))
    inherited = {"attributeChangedCallback(name", "connectedCallback(", "disconnectedCallback("}
    assert told("property, method") == getters | {f"{one})" for one in methods - inherited}


def test_events() -> None:
    """Those of the element, which are also those that the page for iframes passes on."""
    function = source("element.ts").rpartition("function eventFor")[2]
    names = {*re.findall(r'return "([\w-]+)"', function), *re.findall(r'\? "([\w-]+)" : null', function)}
    [passed_on] = re.findall(r"EVENTS = \[(.*?)\]", source("embed.ts"))
    assert told("event") == names == set(re.findall(r'"([^"]+)"', passed_on))


def test_a_snapshot() -> None:
    """Its members, and every state."""
    [members] = re.findall(r"interface Snapshot \{(.*?)\n\}", source("item.ts"), re.DOTALL)
    [states] = re.findall(r"type State =(.*?);", source("state.ts"), re.DOTALL)
    page = PAGE.partition("`detail` is a frozen snapshot")[2].partition("\n\nWhat")[0]
    named = {
        name for row in page.splitlines() for name in re.findall(r"`(\w+)`", "|".join(row.split("|")[:2]))
    }
    assert named == set(re.findall(r"readonly (\w+):", members))
    [row] = [line for line in page.splitlines() if line.startswith("| `state`")]
    assert set(re.findall(r"`(\w+)`", row)) - {"state"} == set(re.findall(r'"(\w+)"', states))


def test_custom_properties_and_parts() -> None:
    """What a host page may style."""
    assert told("custom property") == set(re.findall(r"var\((--greenroom-[\w-]+)", source("styles.css")))
    made = source("view.ts") + source("row.ts")
    parts = {part for value in re.findall(r'part: "([^"]+)"', made) for part in value.split()}
    actions = set(re.findall(r'"(\w+)"', re.findall(r"type Action = (.*?);", source("row.ts"))[0]))
    assert re.search(r"part: `button \$\{action\}`", made)
    assert re.search(r'"part", `item \$\{state\}`', made)
    assert told("part") == parts | actions | {"item", "button"}


def test_languages() -> None:
    """Every language by its tag."""
    [tags] = re.findall(r"LANGUAGES: .*? = \{(.*?)\}", source("messages/index.ts"))
    section = PAGE.partition("## Languages")[2].partition("##")[0]
    assert set(re.findall(r"\w+", tags)) == {"en", *re.findall(r"\(`(\w+)`", section)}
