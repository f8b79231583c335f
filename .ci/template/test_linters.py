"""Linters beside cfn-lint: cfn-lint-serverless, and AWS Control Tower's rules for cfn-guard, which an npm package carries.

They find what stands in `NOT_FOLLOWED`, no more and no less. The rules of AWS's Guard Rules Registry are in no package
registry; `rules.py` has what they say of secrets.
"""

import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from contract import ROOT
from deployed import Deployed, source

GUARD = ROOT / ".ci/node/node_modules/@cdklabs/cdk-validator-cfnguard"
# The services that the template uses, as the package names its folders.
SERVICES = ["apigateway", "cloudwatch", "dynamodb", "identityandaccessmanagement", "lambda", "sqs", "waf"]

PRIVATE = {"VpcEndpointIds": "vpce-01234567", "SubnetIds": "subnet-01234567", "SecurityGroupIds": "sg-01234567"}
HALVES = {f"{what}{speed}{window}" for what in ("Answers", "Decisions") for speed in ("Fast", "Slow") for window in ("Long", "Short")}
# Each rule that is not followed, where (everywhere: None), and why.
NOT_FOLLOWED: dict[str, tuple[set[str] | None, str]] = {
    "ES1007": ({"OrderFunction/Sweep", "PaymentFunction/Sweep", "CanaryPermission"}, "the next run makes up for one that failed"),
    "ES4000": ({"OrderFunction/Sweep", "PaymentFunction/Sweep", "CanaryRule"}, "the next run makes up for one that failed"),
    "ES6000": ({"DeadLetters"}, "it is a dead-letter queue itself"),
    "WS1000": ({"CanaryFunction"}, "the API traces the canary's requests as any client's"),
    "WS1002": ({"OrderFunction", "PaymentFunction", "ReportFunction"}, "the API calls them, and a schedule"),
    "WS1004": (None, "it knows only groups named by their function; ours are named in LoggingConfig, and rules.py looks at them"),
    "api_gw_v1_execution_logging_enabled_check": ({"ApiStage"}, "the access log and the functions' lines tell what is needed"),
    "cloudwatch_alarm_action_check": (HALVES, "a composite alarm has the action"),
    "cloudwatch_log_group_encrypted_check": (None, "CloudWatch encrypts every log; a key of our own would add its price to each line"),
    "cloudwatch_log_group_retention_period_check": (None, "LogRetentionDays decides; it is 365 in samconfig.toml's prod"),
    "dynamodb_table_pitr_enabled_check": ({"TokensTable"}, "nothing in it is worth restoring"),
    "lambda_inside_vpc_check": (None, "they use public endpoints of AWS; the callers of a private API are inside"),
    "sqs_dlq_check": ({"DeadLetters"}, "it is a dead-letter queue itself"),
}


def test_cfn_lint_serverless_finds_what_is_known() -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    command = [lint, "--append-rules", "cfn_lint_serverless.rules", "--format", "json", "template.yaml", "authorizer.yaml"]
    said = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=False).stdout)
    found: dict[str, set[str]] = {}
    for one in said:
        places = [place for place in re.findall(r"[\w/]+", one["Message"]) if place.split("/")[0] in source()["Resources"]]
        assert places, one["Message"]
        found.setdefault(one["Rule"]["Id"], set()).add(places[0])
    assert found == expected(found, "ES", "WS")


def test_cfn_lint_finds_nothing_in_a_private_api(tmp_path: Path) -> None:
    text = (ROOT / "template.yaml").read_text()
    # With these values the lists are not empty, and W1033 has nothing to say.
    private = text.replace(", W1033]", "]", 1)
    for name, value in PRIVATE.items():
        private = re.sub(rf'(  {name}:\n    Type: String\n    Default:) ""\n', rf"\1 {value}\n", private)
    assert len(re.findall("-01234567", private)) == len(PRIVATE)
    (tmp_path / "template.yaml").write_text(private)
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, "--non-zero-exit-code", "warning", tmp_path / "template.yaml"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_cfn_guard_finds_what_is_known(tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    it = Deployed(source())
    template.write_text(json.dumps(plain(it, it.result)))
    system = "macos" if sys.platform == "darwin" else "ubuntu"
    machine = "aarch64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    rules = [GUARD / "rules/control-tower/cfn-guard" / service for service in SERVICES]
    command = [GUARD / "bin" / system / machine / "cfn-guard", "validate", "--data", template, "--rules", *rules]
    command += ["--structured", "--output-format", "json", "--show-summary", "none"]
    (report,) = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    assert len(report["compliant"]) > 5, "it checked something"
    found = {rule["Rule"]["name"]: set(re.findall(r'"path": "/Resources/(\w+)', json.dumps(rule))) for rule in report["not_compliant"]}
    assert found == expected(found, "api", "cl", "dy", "la", "sq")


def expected(found: dict[str, set[str]], *prefixes: str) -> dict[str, set[str]]:
    rules = {rule: where for rule, (where, _) in NOT_FOLLOWED.items() if rule.startswith(prefixes)}
    return {rule: found.get(rule, {"nowhere"}) if where is None else where for rule, where in rules.items()}


def plain(it: Deployed, value: Any) -> Any:
    """What cfn-guard takes for values: everything switched on, references as texts."""
    if isinstance(value, list):
        return [plain(it, one) for one in value if one != {"Ref": "AWS::NoValue"}]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::If"}:
        return plain(it, value["Fn::If"][1])
    if set(value) <= {"Ref", "Fn::Sub", "Fn::GetAtt"} and value:
        return it.text(value)
    return {key: plain(it, one) for key, one in value.items()}
