"""What is in ops/: alert rules that fire when they must, and a dashboard that shows what there is."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from service.core.measures import COUNTED, READ, Measure, Sort

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "ops" / "prometheus" / "alerts.yml"
RULE_TESTS: Final = RULES.with_name("alerts_test.yml")
DASHBOARD: Final[dict[str, Any]] = json.loads((ROOT / "ops" / "grafana" / "greenroom.json").read_text())
DOCUMENT: Final = ROOT / "docs" / "observability.md"
ALERTS: Final[list[dict[str, Any]]] = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
MEASURES: Final = {measure.name: measure for measure in (*COUNTED, *READ)}

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (apt-get install prometheus)"
)


def _promtool(*arguments: str) -> None:
    result = subprocess.run(
        ["promtool", *arguments], cwd=RULES.parent, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@promtool
def test_the_rules_are_good() -> None:
    """Prometheus takes the rules as they are."""
    _promtool("check", "rules", RULES.name)


@promtool
def test_each_alert_fires_for_its_reason_and_else_is_quiet() -> None:
    """The unit tests beside the rules pass."""
    _promtool("test", "rules", RULE_TESTS.name)


def test_each_alert_has_a_unit_test_and_a_paragraph() -> None:
    """No alert that was never seen to fire, and none that its reader finds nothing about."""
    tried = set(re.findall(r"alertname: (\w+)", RULE_TESTS.read_text()))
    names = {alert["alert"] for alert in ALERTS}
    assert names == tried
    assert {name for name in names if f"`{name}`" not in DOCUMENT.read_text()} == set()
    assert all(alert["annotations"]["summary"] and alert["labels"]["severity"] for alert in ALERTS)


def _expressions() -> list[str]:
    shown = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [alert["expr"] for alert in ALERTS] + shown


@pytest.mark.parametrize("expression", _expressions())
def test_every_metric_that_is_named_exists(expression: str) -> None:
    """Rules and panels name metrics that the service has, with labels that those have."""
    named = re.findall(r"(greenroom_\w+)(?:{([^}]*)})?", expression)
    assert named
    for name, matchers in named:
        measure = MEASURES[re.sub(r"_(bucket|sum|count)$", "", name)]
        assert (measure.sort is Sort.HISTOGRAM) == (name != measure.name)
        assert set(re.findall(r"(\w+)=", matchers)) <= set(measure.labels)
        for labels in re.findall(r"by \(([^)]*)\)", expression):
            assert set(re.split(r",\s*", labels)) <= {*measure.labels, "le"}


def test_the_ages_of_signatures_are_those_of_the_policy() -> None:
    """The alerts warn when the shipped policy warns, and alarm when it makes no file clean any more."""
    policy = tomllib.loads((ROOT / "service" / "policy.toml").read_text())
    limits = {alert["alert"]: alert["expr"].rsplit("> ", 1)[-1] for alert in ALERTS}
    assert int(limits["GreenroomSignaturesOld"]) == policy["signatures_warn_age"]
    assert int(limits["GreenroomSignaturesStale"]) == policy["signatures_max_age"]


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda measure: str(measure.name))
def test_every_metric_is_told_of(measure: Measure) -> None:
    """The documentation lists each metric, and the dashboard leaves none out."""
    assert f"`{measure.name}`" in DOCUMENT.read_text()
    assert any(measure.name in expression for expression in _expressions())


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    """Each panel has a place of its own within Grafana's 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
