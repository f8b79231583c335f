//! Looks up who may make a call, without making it.

use super::{
    api::{Access, Api},
    error::GatewayError,
    refusal::Refusal,
    responses::Responses,
    router::Router,
};

/// The routes of an API.
#[derive(Debug)]
pub struct Routing {
    router: Router,
    unknown: u16,
}

impl Routing {
    /// Reads the routes of `api`.
    ///
    /// # Errors
    /// If `api` cannot be served.
    pub fn new(api: &Api) -> Result<Self, GatewayError> {
        let unknown = Responses::new(api)?.status(&Refusal::MISSING_AUTHENTICATION_TOKEN);
        Ok(Self { router: Router::new(api)?, unknown })
    }

    /// Returns who may call `path`, which is percent-encoded.
    ///
    /// # Errors
    /// The status of the answer if there is no such route.
    pub fn access(&self, verb: &str, path: &str) -> Result<Access, u16> {
        self.router.find(verb, path).map(|matched| matched.method.access).ok_or(self.unknown)
    }
}
