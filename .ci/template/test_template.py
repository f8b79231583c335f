"""Every rule holds of the template, and every rule fails of a template that breaks it."""

import copy
import re
import sys
from collections.abc import Callable

import pytest

import contract
import rules
from deployed import Deployed, source
from mutations import MUTATIONS

DEPLOYED = Deployed(source())


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_holds(rule: Callable[[Deployed], None]) -> None:
    rule(DEPLOYED)


@pytest.mark.parametrize(("rule", "what", "mutate"), MUTATIONS, ids=lambda it: it if isinstance(it, str) else None)
def test_goes_red(rule: Callable[[Deployed], None], what: str, mutate: Callable[[dict], None]) -> None:
    template = copy.deepcopy(source())
    mutate(template)
    assert template != source(), "the mutation changes nothing"
    with pytest.raises((AssertionError, KeyError, ValueError)):
        rule(Deployed(template))


def test_every_rule_has_a_mutation() -> None:
    proved = {rule.__name__ for rule, _, _ in MUTATIONS}
    assert proved == {rule.__name__ for rule in rules.RULES}


@pytest.mark.parametrize("seconds", ["0", "17", "3600"])
def test_the_cache_time_follows_its_parameter(seconds: str) -> None:
    rules.every_method_has_the_token_authorizer(Deployed(source(), AuthorizerCacheSeconds=seconds))


def test_the_route_table_is_read_whole() -> None:
    assert len(contract.routes()) == 12


def test_the_runbook_has_a_row_for_every_alarm() -> None:
    page = (contract.ROOT / "docs/operate.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `") and "Alarm`" in line]
    # `…FaultAlarm` stands for those of all functions.
    told = re.findall(r"`(…?\w+Alarm)`", " ".join(rows))
    heard = [name for name, it in source()["Resources"].items() if "AlarmActions" in it.get("Properties", {})]
    matched = [[one for one in told if one == name or one[0] == "…" and name.endswith(one[1:])] for name in heard]
    assert all(len(rows) == 1 for rows in matched), list(zip(heard, matched))
    assert {row for rows in matched for row in rows} == set(told)


def test_the_runbook_names_what_the_template_has() -> None:
    page = (contract.ROOT / "docs/operate.md").read_text()
    assert set(re.findall(r"\(output (\w+)\)", page)) <= set(source()["Outputs"])
    assert set(re.findall(r"\(resource (\w+)\)", page)) <= set(source()["Resources"])


def test_what_is_billed_at_rest_is_what_the_template_has() -> None:
    sys.path.insert(0, str(contract.ROOT / "docs/scale"))
    from inputs import IDLE

    def billed(*absent: str) -> dict[str, int]:
        there = [it for it in source()["Resources"].values() if it.get("Condition") not in ("HasCanary", *absent)]
        alarms = [it["Properties"] for it in there if it["Type"] == "AWS::CloudWatch::Alarm"]
        kinds = [it["Type"].split("::")[-1] for it in there]
        return {
            "secrets": kinds.count("Secret"),
            "metrics that alarms look at": sum(len([m for m in it.get("Metrics", []) if "MetricStat" in m]) or 1 for it in alarms),
            "composite alarms": kinds.count("CompositeAlarm"),
            "dashboards": kinds.count("Dashboard"),
        }

    told = {what: counts for what, *counts, _ in IDLE}
    for at, absent in enumerate((("IsBasic",), ("IsFull", "HasFaultAlarms"))):
        for what, count in billed(*absent).items():
            assert told[what][at] == count, (what, absent)
