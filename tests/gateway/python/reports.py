"""Reports of a tenant, and what functions can do wrong."""

import json
import time


def handler(event, context):
    if event["resource"] == "/reports":
        caller = event["requestContext"]["authorizer"]
        return {"statusCode": 200, "body": json.dumps([event["queryStringParameters"], caller["calls"]])}
    match event["pathParameters"]["mode"]:
        case "fine":
            return {"statusCode": 200, "body": json.dumps([event["httpMethod"], event["requestContext"].get("authorizer")])}
        case "crash":
            raise RuntimeError("a secret of the function")
        case "malformed":
            return {"body": "no status"}
        case "slow":
            time.sleep(2)
