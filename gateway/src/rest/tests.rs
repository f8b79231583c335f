//! Every row of what API Gateway does, seen from outside: a request in, an answer out, functions played by a fake.

mod authorizer;
mod limits;
mod request_authorizer;
mod routes;
mod start;
pub(super) mod support;
mod wire;
