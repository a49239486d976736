from pathlib import Path

import pytest

from service.config import read_settings
from service.core.errors import ConfigurationError
from service.core.siem import Form
from service.observe_config import Plain, Syslog
from tests.core.environment import LEAST


def test_as_shipped_the_log_is_told_to_standard_output() -> None:
    """In the flat form, and nothing is measured or traced."""
    observe = read_settings(LEAST).observe
    assert (observe.metrics_dir, observe.traces) == (None, None)
    assert (observe.events, observe.events_form) == (Plain.STDOUT, Form.FLAT)


@pytest.mark.parametrize(
    ("value", "events"),
    [
        ("none", Plain.NONE),
        ("stdout", Plain.STDOUT),
        ("file:/var/log/greenroom/events", Path("/var/log/greenroom/events")),
        ("syslog+tls://siem.example:10514", Syslog("siem.example", 10514, None, None)),
        ("syslog+tls://siem.example", Syslog("siem.example", 6514, None, None)),
        ("syslog+tls://[2001:db8::1]:514", Syslog("2001:db8::1", 514, None, None)),
    ],
)
def test_the_log_is_told_to_one_place(value: str, events: object) -> None:
    """Nowhere, standard output, a file or syslog over TLS, on its usual port where none is named."""
    assert read_settings(LEAST | {"GREENROOM_EVENTS": value}).observe.events == events


def test_a_receiver_is_trusted_by_what_is_named() -> None:
    """The authority's file and our own certificate."""
    certificates = {"GREENROOM_EVENTS_CA": "/etc/ca.pem", "GREENROOM_EVENTS_CERTIFICATE": "/etc/me.pem"}
    observe = read_settings(LEAST | certificates | {"GREENROOM_EVENTS": "syslog+tls://siem"}).observe
    assert observe.events == Syslog("siem", 6514, Path("/etc/ca.pem"), Path("/etc/me.pem"))


@pytest.mark.parametrize("url", ["http://collector:4318", "https://[::1]:4318", "https://otel.example/a/b"])
def test_traces_go_to_a_collector(url: str) -> None:
    """By the URL that its OTLP begins with."""
    assert read_settings(LEAST | {"GREENROOM_TRACES": url}).observe.traces == url


@pytest.mark.parametrize("form", Form)
def test_each_form_can_be_chosen(form: Form) -> None:
    """By its name."""
    assert read_settings(LEAST | {"GREENROOM_EVENTS_FORM": form.value}).observe.events_form is form


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GREENROOM_EVENTS", ""),
        ("GREENROOM_EVENTS", "file:events"),
        ("GREENROOM_EVENTS", "syslog://siem:514"),
        ("GREENROOM_EVENTS", "syslog+tls://siem:0"),
        ("GREENROOM_EVENTS", "syslog+tls://siem:65536"),
        ("GREENROOM_EVENTS", "syslog+tls://siem:6514/"),
        ("GREENROOM_EVENTS", "syslog+tls://me@siem"),
        ("GREENROOM_EVENTS_FORM", "OCSF"),
        ("GREENROOM_EVENTS_CA", "ca.pem"),
        ("GREENROOM_EVENTS_CERTIFICATE", ""),
        ("GREENROOM_METRICS_DIR", "metrics"),
        ("GREENROOM_TRACES", "collector:4318"),
        ("GREENROOM_TRACES", "http://collector:4318/"),
        ("GREENROOM_TRACES", "http://user@collector:4318"),
        ("GREENROOM_TRACES", ""),
    ],
)
def test_an_odd_value_is_no_start(name: str, value: str) -> None:
    """The error names the setting."""
    with pytest.raises(ConfigurationError, match=rf"\A{name} [^\n]+\Z"):
        read_settings(LEAST | {name: value})
