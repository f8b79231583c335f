"""What the page says to set for other issuers is accepted by the parameters of authorizer.yaml."""

import re

import yaml
from conftest import ROOT

PLACES = {"TENANT": "acme", "HOST": "id.example.com", "REALM": "shop", "DOMAIN": "acme.okta.com", "SERVER": "aus1b2c3d4e5f6g7h8i9"}


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, whose values do not matter here."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def test_issuers_and_key_addresses_are_accepted() -> None:
    parameters = yaml.load((ROOT / "authorizer.yaml").read_text(), Loader)["Parameters"]
    _, table = (ROOT / "docs/adopt.md").read_text().split("| Issuer | ")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.split("\n\n")[0].splitlines()[2:]]
    assert [row[0] for row in rows] == ["Auth0", "Keycloak", "Okta", "Entra ID"]
    for name, issuer, keys, *_ in rows:
        for parameter, cell in (("TokenIssuer", issuer), ("JwksUri", keys)):
            value = re.match(r"`([^`]+)`", cell)[1]
            for place, filled in PLACES.items():
                value = value.replace(place, filled)
            assert re.search(parameters[parameter]["AllowedPattern"], value), f"{name}: {parameter} {value}"
