// A function behind the authorizer: who calls is in `requestContext.authorizer`, every value a string.
const answer = (statusCode, body) => ({ statusCode, body: JSON.stringify(body) });

export const handler = async (event) => {
  const { client_id: clientId, scope } = event.requestContext.authorizer;
  if (event.httpMethod === "PUT" && !scope.split(" ").includes("catalogue/write")) {
    return answer(403, { error: "insufficient_scope" });
  }
  return answer(200, { isbn: event.pathParameters?.isbn, caller: clientId });
};
