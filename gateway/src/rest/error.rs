//! Why an API cannot be served: what API Gateway would refuse to deploy, or what the gateway cannot honour. The ranges
//! of single values are the template reader's.

/// A reason not to start. Nothing that cannot be honoured is ever left out silently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// A verb that API Gateway does not know.
    #[error("`{0}` has a verb that API Gateway does not know")]
    Verb(String),
    /// A path that API Gateway does not take.
    #[error("`{0}` has a path that API Gateway does not take")]
    Path(String),
    /// A method that appears twice.
    #[error("`{0}` appears twice")]
    Twice(String),
    /// Parameters of different names in one place.
    #[error("`{0}` gives a path parameter another name than its sibling does")]
    Siblings(String),
    /// A method whose authorizer does not exist.
    #[error("`{method}` uses the authorizer `{authorizer}`, which the API does not have")]
    UnknownAuthorizer {
        /// The method.
        method: String,
        /// The name that it uses.
        authorizer: String,
    },
    /// A REQUEST authorizer whose answers are cached for nothing.
    #[error("the authorizer `{0}` caches answers and has no identity source")]
    IdentitySources(String),
    /// A gateway response of an unknown type.
    #[error("`{0}` is not a type of gateway response")]
    ResponseType(String),
    /// A header mapping that cannot be honoured: the name of no header, or an expression of another form.
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
    /// A usage plan with an unknown key.
    #[error("the usage plan `{0}` has an API key that the API does not have")]
    UnknownKey(String),
    /// A key in two plans of one stage.
    #[error("the usage plan `{0}` has an API key that another plan has too")]
    SharedKey(String),
}
