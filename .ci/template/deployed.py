"""What a deployment would create: template.yaml, read and transformed without AWS."""

import copy
import json
import logging
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from cfnlint.template import Template
from cfnlint.template.transforms._language_extensions import language_extension
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION, STACK = "123456789012", "eu-central-1", "scopegate"

logging.getLogger("samtranslator").setLevel(logging.ERROR)


@cache
def source() -> dict[str, Any]:
    """The template with its loops written out, as CloudFormation does before anything else."""
    faults, expanded = language_extension(Template("template.yaml", yaml_parse((ROOT / "template.yaml").read_text()), [REGION]))
    assert not faults, faults
    return json.loads(json.dumps(expanded))


class Deployed:
    """The template before (`source`) and after (`resources`) the SAM transform."""

    def __init__(self, template: dict[str, Any], **parameters: str):
        self.source = template
        packaged = copy.deepcopy(template)
        # What `sam package` does.
        packaged["Globals"]["Function"].pop("CodeUri", None)
        for resource in packaged["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = "s3://bucket/key"
            if resource["Type"] == "AWS::Serverless::LayerVersion":
                resource["Properties"]["ContentUri"] = "s3://bucket/key"
        translator = Translator(None, Parser(), boto_session=boto3.Session(region_name=REGION))
        self.result = translator.translate(packaged, parameter_values=parameters)
        self.resources: dict[str, Any] = self.result["Resources"]
        self.parameters = {
            name: parameters.get(name, str(declared["Default"])) for name, declared in template["Parameters"].items()
        }

    def of_type(self, kind: str) -> dict[str, Any]:
        """The properties of each resource of a type, by logical id."""
        return {name: it.get("Properties", {}) for name, it in self.resources.items() if it["Type"] == kind}

    def lambdas(self) -> dict[str, Any]:
        """The functions that are built from this repository, as Lambda sees them."""
        functions = self.of_type("AWS::Lambda::Function")
        return {name: it for name, it in functions.items() if name in self.source["Resources"] and "ZipFile" not in it["Code"]}

    def body(self) -> dict[str, Any]:
        """The API's OpenAPI document."""
        return self.resources["Api"]["Properties"]["Body"]

    def methods(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Verb, path and operation of each method."""
        for path, operations in self.body()["paths"].items():
            for verb, operation in operations.items():
                yield verb.upper(), path, operation

    def functions(self) -> dict[str, Any]:
        """The functions as they are written, with what `Globals` says beneath them."""
        shared = self.source["Globals"]["Function"]
        return {
            name: {**shared, **it["Properties"], "Metadata": it.get("Metadata", {})}
            for name, it in self.source["Resources"].items()
            if it["Type"] == "AWS::Serverless::Function"
        }

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each Allow statement of each role of ours, with the role's logical id."""
        for name, role in self.of_type("AWS::IAM::Role").items():
            for policy in role.get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    # What a condition adds counts.
                    statement = statement.get("Fn::If", (None, statement))[1]
                    if statement["Effect"] == "Allow":
                        yield name, statement
        for policy in self.of_type("AWS::IAM::RolePolicy").values():
            for statement in policy["PolicyDocument"]["Statement"]:
                yield policy["RoleName"]["Ref"], statement

    def text(self, value: Any) -> str:
        """What `Ref` and `Fn::Sub` give, as far as parameters and pseudo parameters go; else the logical id."""
        if isinstance(value, dict) and set(value) == {"Ref"}:
            return self._named(value["Ref"])
        if isinstance(value, dict) and set(value) == {"Fn::Sub"}:
            sub = value["Fn::Sub"]
            text, own = (sub, {}) if isinstance(sub, str) else sub
            named = {name: self.text(one) for name, one in own.items()}
            text = re.sub(r"\$\{([^!}]+)\}", lambda found: named.get(found[1]) or self._named(found[1]), text)
            return text.replace("${!", "${")
        if isinstance(value, dict) and set(value) == {"Fn::GetAtt"}:
            return ".".join(value["Fn::GetAtt"])
        if isinstance(value, dict) and set(value) == {"Fn::FindInMap"}:
            # The transform writes out what a mapping has, and leaves the default to CloudFormation.
            return self.text(value["Fn::FindInMap"][3]["DefaultValue"])
        assert isinstance(value, (str, int, float)), f"not a text: {value}"
        return str(value)

    def _named(self, name: str) -> str:
        pseudo = {"AccountId": ACCOUNT, "Region": REGION, "StackName": STACK, "Partition": "aws", "URLSuffix": "amazonaws.com"}
        if name.startswith("AWS::"):
            return pseudo[name.removeprefix("AWS::")]
        return self.parameters.get(name, name)

    def needs(self) -> dict[str, set[str]]:
        """Which resources each resource waits for."""
        return {name: self._references(it) | self._waits(it) for name, it in self.resources.items()}

    def _waits(self, resource: dict[str, Any]) -> set[str]:
        on = resource.get("DependsOn", [])
        return set([on] if isinstance(on, str) else on)

    def _references(self, value: Any) -> set[str]:
        if isinstance(value, list):
            return {name for item in value for name in self._references(item)}
        if not isinstance(value, dict):
            return set()
        found = {name for item in value.values() for name in self._references(item)}
        if "Ref" in value:
            found.add(str(value["Ref"]))
        if "Fn::GetAtt" in value:
            at = value["Fn::GetAtt"]
            found.add(at[0] if isinstance(at, list) else at.split(".")[0])
        if "Fn::Sub" in value:
            sub = value["Fn::Sub"]
            texts = sub if isinstance(sub, str) else sub[0]
            found |= {name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", texts)}
        return found & set(self.resources)


def strings(value: Any) -> Iterator[str]:
    """Every text inside a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
