"""The emulator that stands in for AWS: ministack, with what this template needs and ministack lacks.

    python tests/deploy/emulator.py 4566

It binds loopback, runs the functions' own binaries, and keeps its state in a folder that goes when it stops. The
template is deployed as it is; what ministack cannot do is added here, and named here, so that nothing passes by accident:

- resource types without a data plane in the emulator are accepted and do nothing (`INERT`), alarms on metric math too;
- loops (`Fn::ForEach`) are written out by cfn-lint before ministack sees a template: it lacks AWS::LanguageExtensions;
- what the variables of an `Fn::Sub` refer to is created first;
- an OpenAPI body's `security` takes effect: ministack imports every method as an open one;
- the user pool's id is `us-east-1_Emulator1`, so that the address of its keys can be a parameter of the first deployment:
  ministack loses a function's alias when it updates the function;
- a nested stack's template goes through the SAM transform, as its parent's does;
- an authorizer without `JWKS_URI` finds its pool's keys at the emulator: AWS's host names lead nowhere here;
- what functions write appears in the emulator's own output, as JSON: ministack throws it away;
- a function's layers are its /opt, in a mount namespace of its own where the machine permits one, and are else at the path
  in `ROUTES_FILE`: ministack gives layers to Python and Node alone;
- a client-credentials token carries the scopes that the client may have and asked for: ministack's carry none of ours.

Usage plans, API keys, gateway responses and IAM stay without effect.
"""

import contextvars
import functools
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import types
import zipfile
from pathlib import Path
from urllib.parse import parse_qs

INERT = (
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::IAM::RolePolicy",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::WAFv2::WebACLAssociation",
)


def main() -> None:
    """Runs in the foreground until it is ended."""
    port = sys.argv[1] if len(sys.argv) > 1 else "4566"
    with tempfile.TemporaryDirectory(prefix="emulator-") as state:
        os.environ.update(
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
            BIND_HOST="127.0.0.1",
            GATEWAY_PORT=port,
            # These two would listen on every address.
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
            LAMBDA_EXECUTOR="local",
            S3_DATA_DIR=f"{state}/s3",
            STATE_DIR=f"{state}/state",
        )
        # Read at import.
        from ministack import app

        accept_inert_types()
        order_by_variables()
        name_the_pool()
        honour_security()
        honour_scopes()
        write_out_loops()
        transform_nested_stacks()
        mount_layers()
        show_output()
        sys.argv = ["ministack"]
        app.main()


def accept_inert_types() -> None:
    from ministack.services.cloudformation import provisioners

    def create(logical_id, props, stack_name):
        return f"{stack_name}-{logical_id}", {}

    for kind in INERT:
        if kind in provisioners._RESOURCE_HANDLERS:
            raise SystemExit(f"{kind}: ministack knows it by now; take it off the list")
        provisioners._RESOURCE_HANDLERS[kind] = {"create": create, "delete": lambda physical_id, props: None}

    alarm = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    create_alarm = alarm["create"]
    alarm["create"] = lambda logical_id, props, stack_name: (create if "Metrics" in props else create_alarm)(
        logical_id, props, stack_name
    )


def order_by_variables() -> None:
    from ministack.services.cloudformation import engine

    extract = engine._extract_deps

    def variables(value):
        if isinstance(value, list):
            return [found for item in value for found in variables(item)]
        if isinstance(value, dict):
            own = [value["Fn::Sub"][1]] if isinstance(value.get("Fn::Sub"), list) else []
            return own + [found for item in value.values() for found in variables(item)]
        return []

    def extract_all(definition, names):
        return extract(definition, names) | extract({"Properties": variables(definition.get("Properties"))}, names)

    engine._extract_deps = extract_all


def name_the_pool() -> None:
    from ministack.services import cognito

    cognito._pool_id = lambda: "us-east-1_Emulator1"


def honour_security() -> None:
    from ministack.services import apigateway_v1 as gateway

    import_api = gateway._import_rest_api

    def import_with_security(spec, base_data=None):
        api_id = import_api(spec, base_data)
        authorizers = {}
        schemes = spec.get("components", {}).get("securitySchemes") or spec.get("securityDefinitions", {})
        for name, scheme in schemes.items():
            authorizer = scheme.get("x-amazon-apigateway-authorizer")
            if authorizer:
                gateway._create_authorizer(
                    api_id,
                    {
                        **authorizer,
                        "name": name,
                        "type": authorizer["type"].upper(),
                        "identitySource": f"method.request.header.{scheme['name']}",
                    },
                )
                ids = gateway._authorizers_v1[api_id]
                authorizers[name] = next(key for key, value in ids.items() if value["name"] == name)
        for resource in gateway._resources[api_id].values():
            for verb, method in resource["resourceMethods"].items():
                operation = spec["paths"][resource["path"]][verb.lower()]
                for name in (name for requirement in operation.get("security", []) for name in requirement):
                    if name in authorizers:
                        method.update(authorizationType="CUSTOM", authorizerId=authorizers[name])
                    elif name == "api_key":
                        method.update(apiKeyRequired=True)
                    else:
                        raise ValueError(f"unknown security scheme {name}")
        return api_id

    gateway._import_rest_api = import_with_security


def honour_scopes() -> None:
    from ministack.services import cognito

    granted: contextvars.ContextVar[str] = contextvars.ContextVar("granted")
    issue, trigger = cognito._oauth2_token, cognito._apply_pretoken_trigger

    def issue_with_scopes(data, query_params, raw_body=None, headers=None):
        form = {key: values[0] for key, values in parse_qs((raw_body or b"").decode()).items()}
        if form.get("grant_type") == "client_credentials":
            client_id, _ = cognito._authenticate_client(headers or {}, form)
            _, _, client = cognito._find_pool_by_client_id(client_id)
            allowed = (client or {}).get("AllowedOAuthScopes", [])
            asked = form.get("scope", "").split() or allowed
            if client and not set(asked) <= set(allowed):
                return cognito._oauth2_error("invalid_scope", "not a scope of the client")
            granted.set(" ".join(asked))
        return issue(data, query_params, raw_body, headers)

    def trigger_with_scopes(**arguments):
        if arguments.get("trigger_source") == "TokenGeneration_ClientCredentials":
            arguments["claims"] = {**arguments["claims"], "scope": granted.get()}
        return trigger(**arguments)

    cognito._oauth2_token = issue_with_scopes
    cognito._apply_pretoken_trigger = trigger_with_scopes


def write_out_loops() -> None:
    from cfnlint.template import Template
    from cfnlint.template.transforms._language_extensions import language_extension
    from ministack.services.cloudformation import changesets, engine, handlers

    def parse(body, parse=engine._parse_template):
        template = parse(body)
        if "AWS::LanguageExtensions" not in template.get("Transform", []):
            return template
        faults, expanded = language_extension(Template("template", template, [os.environ["AWS_DEFAULT_REGION"]]))
        if faults:
            raise ValueError(str(faults))
        # A plain copy: cfn-lint's strings and mappings know their place in the file.
        return json.loads(json.dumps(expanded))

    for module in (engine, changesets, handlers):
        module._parse_template = parse


def transform_nested_stacks() -> None:
    from ministack.services.cloudformation import engine

    # A nested stack looks this up when it is created; its parent has the function that the module began with.
    parse = engine._parse_template
    engine._parse_template = lambda body: engine._apply_sam_transform_if_applicable(parse(body))


# The layers of the function that this thread is about to start.
LAYERS: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("layers", default=())


def mount_layers() -> None:
    from ministack.services import lambda_svc

    execute = lambda_svc._execute_function_provided

    def execute_with_layers(func, event):
        layers = (func.get("config") or func).get("Layers") or []
        token = LAYERS.set(tuple(layer["Arn"] if isinstance(layer, dict) else layer for layer in layers))
        try:
            return execute(func, event)
        finally:
            LAYERS.reset(token)

    lambda_svc._execute_function_provided = execute_with_layers


@functools.cache
def unpacked(layers: tuple[str, ...]) -> str:
    """A folder with the content of these layers."""
    from ministack.services import lambda_svc

    folder = Path(os.environ["STATE_DIR"]).parent / "layers" / hashlib.sha256(",".join(layers).encode()).hexdigest()
    for layer in layers:
        zipfile.ZipFile(io.BytesIO(lambda_svc._resolve_layer_zip(layer))).extractall(folder)
    return str(folder)


@functools.cache
def may_mount() -> bool:
    """Whether a process may have a mount namespace of its own."""
    probe = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /opt', tempfile.gettempdir()]
    try:
        return subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except FileNotFoundError:
        return False


def with_layers(arguments: list[str], environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """The command and the environment that show a function its layers."""
    if not LAYERS.get():
        return arguments, environment
    folder = unpacked(LAYERS.get())
    if not may_mount():
        print("layers are not at /opt: this machine permits no mount namespace", flush=True)
        return arguments, {**environment, "ROUTES_FILE": f"{folder}/routes.json"}
    mount = 'mount --bind "$0" /opt && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, folder, *arguments], environment


def show_output() -> None:
    from ministack.services import lambda_svc

    def popen(arguments, **options):
        if str(arguments[0]).endswith("/bootstrap"):
            # What Lambda does for a function whose log format is JSON.
            arguments, environment = with_layers(arguments, {**options["env"], "AWS_LAMBDA_LOG_FORMAT": "JSON"})
            if environment.get("USER_POOL_ID") and not environment.get("JWKS_URI"):
                pool = environment["USER_POOL_ID"]
                environment["JWKS_URI"] = f"{os.environ['AWS_ENDPOINT_URL']}/{pool}/.well-known/jwks.json"
            options.update(stdout=None, env=environment)
        return subprocess.Popen(arguments, **options)

    lambda_svc.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": popen})


if __name__ == "__main__":
    main()
