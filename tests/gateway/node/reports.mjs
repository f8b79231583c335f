// Reports of a tenant, and what functions can do wrong.

export const handler = async (event) => {
  if (event.resource === "/reports") {
    const caller = event.requestContext.authorizer;
    return { statusCode: 200, body: JSON.stringify([event.queryStringParameters, caller.calls]) };
  }
  switch (event.pathParameters.mode) {
    case "fine":
      return { statusCode: 200, body: JSON.stringify([event.httpMethod, event.requestContext.authorizer ?? null]) };
    case "crash":
      throw new RangeError("a secret of the function");
    case "malformed":
      return { body: "no status" };
    default:
      await new Promise((done) => setTimeout(done, 2000));
  }
};
