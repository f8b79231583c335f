//! Owns why an API cannot be served: what API Gateway would refuse to deploy, or what the gateway cannot honour.

/// A reason not to start. Nothing that cannot be honoured is ever left out silently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// A verb that API Gateway does not know.
    #[error("`{0}` has a verb that API Gateway does not know")]
    Verb(String),
    /// A path that is none.
    #[error("`{0}` has a path that API Gateway does not take")]
    Path(String),
    /// A method that is there twice.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// Parameters of different names in one place.
    #[error("`{0}` names a path parameter otherwise than its sibling")]
    Siblings(String),
    /// A method with an authorizer that there is not.
    #[error("`{method}` uses the authorizer `{authorizer}`, which the API does not have")]
    UnknownAuthorizer {
        /// The method.
        method: String,
        /// The name that it uses.
        authorizer: String,
    },
    /// An identity header that cannot be one.
    #[error("the authorizer `{0}` reads its token from a header that cannot be one")]
    IdentityHeader(String),
    /// An expression that cannot be matched against a whole value.
    #[error("the validation expression of the authorizer `{0}` cannot be used")]
    Validation(String),
    /// A cache time over an hour.
    #[error("the authorizer `{0}` keeps answers for more than 3600 seconds")]
    CacheTime(String),
    /// A REQUEST authorizer whose answers are cached for nothing.
    #[error("the authorizer `{0}` caches answers and has no identity source")]
    IdentitySources(String),
    /// A timeout that API Gateway does not take.
    #[error("`{0}` waits for more than 29 seconds, or not at all")]
    Timeout(String),
    /// A gateway response of a type that there is not.
    #[error("there is no gateway response of type `{0}`")]
    ResponseType(String),
    /// A status that no answer can have.
    #[error("the gateway response `{0}` has a status that no answer can have")]
    ResponseStatus(String),
    /// A header mapping that cannot be honoured: of a name that is none, or from an expression of another form.
    #[error("the gateway response `{response}` sets the header `{header}` in a way that cannot be honoured")]
    ResponseHeader {
        /// The response's type.
        response: String,
        /// The header's name.
        header: String,
    },
    /// A body template that cannot be honoured.
    #[error("the gateway response `{0}` has a template with more than `$context` variables")]
    ResponseTemplate(String),
    /// A limit that is no number of requests.
    #[error("`{0}` has a throttle that is no rate and burst")]
    Throttle(String),
    /// A usage plan with a key that there is not.
    #[error("the usage plan `{0}` has an API key that the API does not have")]
    UnknownKey(String),
    /// A key in two plans of one stage.
    #[error("the usage plan `{0}` has an API key that another plan has too")]
    SharedKey(String),
}
