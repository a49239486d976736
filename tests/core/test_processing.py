"""How the record of processing is written down."""

import json

from service.core.processing import Section, document, markdown

AT = "2026-11-22T12:00:00Z"
ODD = Section("odd", "Odd", ("a", "b"), (("one|two", "three\nfour"), ("back\\slash", "")))


def test_markdown_is_one_table_for_each_section() -> None:
    """A cell stays a cell, whatever is in it."""
    lines = markdown(AT, [ODD, ODD]).splitlines()
    assert lines[0] == "# Record of processing activities (Art. 30 GDPR)"
    assert AT in lines[2]
    assert lines[4:10] == [
        "## Odd",
        "",
        "| a | b |",
        "| --- | --- |",
        "| one\\|two | three four |",
        "| back\\\\slash |  |",
    ]


def test_json_has_the_same_by_name() -> None:
    """Each row is an object with the columns' names."""
    told = json.loads(json.dumps(document(AT, [ODD])))
    assert told == {
        "made_at": AT,
        "odd": [{"a": "one|two", "b": "three\nfour"}, {"a": "back\\slash", "b": ""}],
    }
