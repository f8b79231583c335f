"""A book by its id, and covers: what was sent comes back, byte by byte."""

import base64
import json


def handler(event, context):
    if event["resource"] == "/covers":
        cover = base64.b64decode(event["body"], validate=True)
        headers = {"Content-Type": "image/png", "X-Bytes": len(cover)}
        return {"statusCode": 201, "headers": headers, "body": base64.b64encode(cover).decode(), "isBase64Encoded": True}
    caller = event["requestContext"]["authorizer"]
    seen = [event["path"], event["pathParameters"], caller["principalId"], caller["calls"], caller["trusted"]]
    return {"statusCode": 200, "body": json.dumps(seen)}
