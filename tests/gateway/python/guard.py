"""The two authorizers, as AWS's blueprints are written."""

calls = {"token": 0, "request": 0}


def policy(effect, resource, kind):
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {
        "principalId": "reader",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"calls": calls[kind], "trusted": True},
    }


def token(event, context):
    calls["token"] += 1
    stage = "/".join(event["methodArn"].split("/")[:2])
    match event["authorizationToken"].removeprefix("Bearer "):
        case "reader":
            return policy("Allow", f"{stage}/GET/books/*", "token")
        case "writer":
            return policy("Allow", f"{stage}/*", "token")
        case "banned":
            return policy("Deny", "*", "token")
        case "crash":
            raise ValueError("no such key")
        case "odd":
            return {"principalId": "reader"}
    raise Exception("Unauthorized")


def request(event, context):
    calls["request"] += 1
    allowed = event["headers"]["X-Key"] == event["queryStringParameters"]["tenant"]
    return policy("Allow" if allowed else "Deny", event["methodArn"], "request")
