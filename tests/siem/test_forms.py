import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings

from service.core.journal import Act
from service.core.siem import Form, rendered
from service.core.siem.meaning import MEANINGS
from service.core.upload import Event
from tests.siem import cef, ecs, ocsf
from tests.siem.lines import EVENTS, ODD_LINES, SHA256, line

COMPLAINTS: dict[Form, Callable[[str], list[str]]] = {
    Form.OCSF: lambda text: ocsf.complaints(json.loads(text)),
    Form.ECS: lambda text: ecs.complaints(json.loads(text)),
    Form.CEF: cef.complaints,
    Form.FLAT: lambda text: _not_flat(json.loads(text)),
}


def _not_flat(document: Mapping[str, Any]) -> list[str]:
    return [name for name, value in document.items() if isinstance(value, list | dict)]


def _document(form: Form, event: str, **fields: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(rendered(form, line(event, **fields), 7))
    return document


def test_every_event_has_its_meaning() -> None:
    """Nothing is logged that a security team is told as something unknown."""
    assert set(MEANINGS) == set(EVENTS)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("event", EVENTS)
def test_every_event_is_valid_in_every_form(form: Form, event: str) -> None:
    """What the service logs is valid by the published schema of each form, with and without an actor."""
    for whole in (line(event), line(event, actor=None)):
        assert COMPLAINTS[form](rendered(form, whole, 7)) == []


@pytest.mark.parametrize("form", Form)
@settings(max_examples=100, deadline=None)
@given(whole=ODD_LINES)
def test_whatever_a_line_holds_its_form_is_valid(form: Form, whole: Mapping[str, Any]) -> None:
    """No content of a line, and no event of a newer writer, makes an invalid event or a second line."""
    text = rendered(form, whole, 2**31 - 1)
    assert COMPLAINTS[form](text) == []
    assert text.splitlines() == [text]


def test_malware_is_a_detection_finding_with_its_scan() -> None:
    """Malware is OCSF's Detection Finding: what, in which file, by which scan, and that it was blocked."""
    found = _document(Form.OCSF, Event.FOUND_INFECTED)
    assert (found["class_uid"], found["activity_id"], found["severity_id"]) == (2004, 1, 4)
    assert found["malware"][0]["name"] == "Win.Trojan.Agent-1234-0"
    assert found["malware"][0]["classification_ids"] == [18]
    assert found["malware_scan_info"]["num_infected"] == 1
    assert found["malware_scan_info"]["end_time"] - found["malware_scan_info"]["start_time"] == 123
    assert found["evidences"][0]["file"]["hashes"][0]["value"] == SHA256
    assert found["disposition"] == "Blocked"


def test_a_held_file_is_quarantined_not_infected() -> None:
    """A file that could not be looked into is told as held: no malware is claimed."""
    held = _document(Form.OCSF, Event.NOT_SCANNABLE)
    assert (held["class_uid"], held["disposition"], held["severity"]) == (2004, "Quarantined", "Low")
    assert held["malware_scan_info"]["num_infected"] == 0
    assert "malware" not in held


def test_one_finding_keeps_its_id() -> None:
    """All that becomes of an upload's finding bears one id, so that the reader sees it closed."""
    events = (Event.NOT_SCANNABLE, Act.DECISION_PROPOSED, Event.REVIEWER_CLEARED)
    told = [_document(Form.OCSF, event) for event in events]
    assert len({document["finding_info"]["uid"] for document in told}) == 1
    assert [document["status"] for document in told] == ["New", "In Progress", "Resolved"]


def test_the_classes_of_files_and_scans() -> None:
    """Files are File Hosting Activity and scans Scan Activity, as the documentation says."""
    classes = {
        event: _document(Form.OCSF, event)["type_uid"]
        for event in (Event.STORED, Act.DOWNLOADED, Event.DELETED, Event.SCAN_BEGUN, Event.FOUND_CLEAN)
    }
    assert list(classes.values()) == [600601, 600602, 600604, 600701, 600702]


def test_failed_canaries_are_an_alarm() -> None:
    """A scanner that does not find what it must is a failure of high severity in every form."""
    blind = {"detail": {"failures": "plain: not so that EICAR is found"}}
    assert _document(Form.OCSF, Act.CANARIES, **blind)["severity"] == "High"
    assert _document(Form.ECS, Act.CANARIES, **blind)["event"]["outcome"] == "failure"
    assert _document(Form.FLAT, Act.CANARIES, **blind)["severity"] == "high"
    assert cef.read(rendered(Form.CEF, line(Act.CANARIES, **blind), 7))[0][6] == "8"


def test_cef_gives_back_what_it_was_given() -> None:
    """Signs that CEF gives a meaning to are escaped so that its reader gets the value as it was."""
    odd = "a=b|c\\d suid=root"
    header, values = cef.read(
        rendered(Form.CEF, line(Event.FOUND_INFECTED, detail={"signature": odd, "code": "x\ny"}), 7)
    )
    assert header[:5] == ["CEF:0", "Greenroom", "Greenroom", "1", "found_infected"]
    assert (values["cs1"], values["cs1Label"]) == (odd, "signature")
    assert (values["suid"], values["reason"]) == ("reviewer:rv_ab12", "x y")


@pytest.mark.parametrize("form", [Form.OCSF, Form.ECS, Form.FLAT])
@pytest.mark.parametrize("event", EVENTS)
def test_nothing_of_a_line_is_left_out(form: Form, event: str) -> None:
    """Every value of a line is found again in the event, wherever the form puts it."""
    whole = line(event)
    values = {str(value) for value in _leaves(json.loads(rendered(form, whole, 7)))}
    wanted = {str(value) for value in _leaves(whole) if value not in {1, whole["at"]}}
    assert wanted <= values


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


def test_the_checkers_find_what_is_wrong() -> None:
    """A check that finds nothing wrong would prove nothing: each kind of fault is found."""
    good = _document(Form.OCSF, Event.FOUND_INFECTED)
    assert ocsf.complaints(good) == []
    wrong: list[dict[str, Any]] = [
        {"severity_id": 42},
        {"severity": "Low"},
        {"time": "now"},
        {"made_up": 1},
        {"type_uid": 1},
        {"finding_info": {}},
        {"malware": {}},
        {"metadata": {"version": "1.7.0"}},
    ]
    for fault in wrong:
        assert ocsf.complaints(good | fault), fault
    assert ocsf.complaints({name: value for name, value in good.items() if name != "time"})
    document = _document(Form.ECS, Event.FOUND_INFECTED)
    wrong = [{"kind": "odd"}, {"category": ["odd"]}, {"type": ["access"]}, {"duration": "1"}, {"odd": 1}]
    for fault in wrong:
        assert ecs.complaints(document | {"event": document["event"] | fault}), fault
    assert cef.complaints("CEF:0|a|b|1|c|d|11|odd=1")
