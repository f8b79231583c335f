// A book by its id, and covers: what was sent comes back, byte by byte.

export const handler = async (event) => {
  if (event.resource === "/covers") {
    const cover = Buffer.from(event.body, "base64");
    const headers = { "Content-Type": "image/png", "X-Bytes": cover.length };
    return { statusCode: 201, headers, body: cover.toString("base64"), isBase64Encoded: true };
  }
  const caller = event.requestContext.authorizer;
  const seen = [event.path, event.pathParameters, caller.principalId, caller.calls, caller.trusted];
  return { statusCode: 200, body: JSON.stringify(seen) };
};
