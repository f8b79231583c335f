"""A function behind the authorizer: who calls is in `requestContext.authorizer`, every value a string."""

import json

BOOKS = {"9780131103627": "The C Programming Language"}


def handler(event, context):
    caller = event["requestContext"]["authorizer"]
    print(json.dumps({"client_id": caller["client_id"], "scope": caller["scope"], "route": event["resource"]}))
    isbn = (event["pathParameters"] or {}).get("isbn")
    if event["httpMethod"] == "PUT":
        # The policy has let the call through; whoever wants a second lock checks the scope again.
        if "catalogue/write" not in caller["scope"].split():
            return answer(403, {"error": "insufficient_scope"})
        return answer(200, {"isbn": isbn, "changed_by": caller["client_id"]})
    if isbn is None:
        return answer(200, {"books": BOOKS})
    return answer(200, {"title": BOOKS[isbn]}) if isbn in BOOKS else answer(404, {"error": "not_found"})


def answer(status, body):
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
