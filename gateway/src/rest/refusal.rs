//! The gateway's own answers: type, status, message and error type of each, before the template changes any of it.

use crate::http::Refused;

/// The types of gateway responses.
// SPEC: Amazon API Gateway, "Gateway response types for API Gateway"
pub(super) const TYPES: [&str; 21] = [
    ACCESS_DENIED,
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    DEFAULT_4XX,
    DEFAULT_5XX,
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
];
pub(super) const ACCESS_DENIED: &str = "ACCESS_DENIED";
pub(super) const DEFAULT_4XX: &str = "DEFAULT_4XX";
pub(super) const DEFAULT_5XX: &str = "DEFAULT_5XX";

/// One answer that the gateway gives instead of a function's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// One of [`TYPES`].
    pub(super) kind: &'static str,
    pub(super) status: u16,
    /// `None` is written as `null`, as API Gateway does for what goes wrong around an authorizer.
    pub(super) message: Option<&'static str>,
    /// The `x-amzn-ErrorType` header.
    pub(super) error_type: &'static str,
}

impl Refusal {
    pub(super) const MISSING_AUTHENTICATION_TOKEN: Self = Self::new(
        "MISSING_AUTHENTICATION_TOKEN",
        403,
        Some("Missing Authentication Token"),
        "MissingAuthenticationTokenException",
    );
    pub(super) const UNAUTHORIZED: Self =
        Self::new("UNAUTHORIZED", 401, Some("Unauthorized"), "UnauthorizedException");
    pub(super) const DENIED: Self = Self::new(
        ACCESS_DENIED,
        403,
        Some("User is not authorized to access this resource"),
        "AccessDeniedException",
    );
    pub(super) const EXPLICITLY_DENIED: Self = Self::new(
        ACCESS_DENIED,
        403,
        Some("User is not authorized to access this resource with an explicit deny"),
        "AccessDeniedException",
    );
    pub(super) const AUTHORIZER_FAILURE: Self =
        Self::new("AUTHORIZER_FAILURE", 500, None, "AuthorizerFailureException");
    pub(super) const AUTHORIZER_CONFIGURATION: Self =
        Self::new("AUTHORIZER_CONFIGURATION_ERROR", 500, None, "AuthorizerConfigurationException");
    pub(super) const URI_TOO_LONG: Self =
        Self::new(DEFAULT_4XX, 414, Some("Request URI Too Long"), "RequestUriTooLongException");
    pub(super) const REQUEST_TOO_LARGE: Self =
        Self::new("REQUEST_TOO_LARGE", 413, Some("Request Too Long"), "RequestTooLargeException");
    pub(super) const INVALID_API_KEY: Self =
        Self::new("INVALID_API_KEY", 403, Some("Forbidden"), "ForbiddenException");
    pub(super) const THROTTLED: Self =
        Self::new("THROTTLED", 429, Some("Too Many Requests"), "TooManyRequestsException");
    pub(super) const QUOTA_EXCEEDED: Self =
        Self::new("QUOTA_EXCEEDED", 429, Some("Limit Exceeded"), "LimitExceededException");
    pub(super) const INTEGRATION_TIMEOUT: Self = Self::new(
        "INTEGRATION_TIMEOUT",
        504,
        Some("Endpoint request timed out"),
        "InternalServerErrorException",
    );
    /// The function failed, or its answer is malformed.
    pub(super) const BAD_GATEWAY: Self =
        Self::new(DEFAULT_5XX, 502, Some("Internal server error"), "InternalServerErrorException");
    /// The function cannot be invoked at all, or its body is not base64.
    pub(super) const API_CONFIGURATION: Self = Self::new(
        "API_CONFIGURATION_ERROR",
        500,
        Some("Internal server error"),
        "InternalServerErrorException",
    );

    const fn new(
        kind: &'static str,
        status: u16,
        message: Option<&'static str>,
        error_type: &'static str,
    ) -> Self {
        Self { kind, status, message, error_type }
    }
}

/// A refusal, and what the log says of it. None of that reaches a caller.
#[derive(Debug)]
pub(super) struct Rejection {
    pub(super) refusal: Refusal,
    /// The error type that the authorizer failed with, where it is a short label.
    pub(super) reason: Option<String>,
    /// What went wrong, for the log.
    pub(super) detail: Option<String>,
}

impl Refusal {
    /// The refusal, with what went wrong.
    pub(super) fn because(self, detail: impl Into<String>) -> Rejection {
        Rejection { refusal: self, reason: None, detail: Some(detail.into()) }
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, reason: None, detail: None }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let bad = |status, message| Self::new(DEFAULT_4XX, status, Some(message), "BadRequestException");
        match refused {
            Refused::Malformed => bad(400, "Bad Request"),
            Refused::HeadTooLarge => bad(431, "Request Header Fields Too Large"),
            Refused::BodyTooLarge => Self::REQUEST_TOO_LARGE,
            Refused::TooSlow => bad(408, "Request Timeout"),
            Refused::Expectation => bad(417, "Expectation Failed"),
            Refused::Version => {
                Self::new(DEFAULT_5XX, 505, Some("HTTP Version Not Supported"), "BadRequestException")
            }
        }
    }
}
