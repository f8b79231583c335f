//! Owns the answers that the gateway gives of its own: type, status, message and error type of each, before the
//! template changes any of it.

use crate::http::Refused;

/// The types of gateway responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ResponseType {
    AccessDenied,
    ApiConfigurationError,
    AuthorizerConfigurationError,
    AuthorizerFailure,
    BadRequestBody,
    BadRequestParameters,
    Default4xx,
    Default5xx,
    ExpiredToken,
    IntegrationFailure,
    IntegrationTimeout,
    InvalidApiKey,
    InvalidSignature,
    MissingAuthenticationToken,
    QuotaExceeded,
    RequestTooLarge,
    ResourceNotFound,
    Throttled,
    Unauthorized,
    UnsupportedMediaType,
    WafFiltered,
}

impl ResponseType {
    /// Every type, with its name in a template.
    // SPEC: Amazon API Gateway, "Gateway response types for API Gateway"
    const NAMES: [(Self, &'static str); 21] = [
        (Self::AccessDenied, "ACCESS_DENIED"),
        (Self::ApiConfigurationError, "API_CONFIGURATION_ERROR"),
        (Self::AuthorizerConfigurationError, "AUTHORIZER_CONFIGURATION_ERROR"),
        (Self::AuthorizerFailure, "AUTHORIZER_FAILURE"),
        (Self::BadRequestBody, "BAD_REQUEST_BODY"),
        (Self::BadRequestParameters, "BAD_REQUEST_PARAMETERS"),
        (Self::Default4xx, "DEFAULT_4XX"),
        (Self::Default5xx, "DEFAULT_5XX"),
        (Self::ExpiredToken, "EXPIRED_TOKEN"),
        (Self::IntegrationFailure, "INTEGRATION_FAILURE"),
        (Self::IntegrationTimeout, "INTEGRATION_TIMEOUT"),
        (Self::InvalidApiKey, "INVALID_API_KEY"),
        (Self::InvalidSignature, "INVALID_SIGNATURE"),
        (Self::MissingAuthenticationToken, "MISSING_AUTHENTICATION_TOKEN"),
        (Self::QuotaExceeded, "QUOTA_EXCEEDED"),
        (Self::RequestTooLarge, "REQUEST_TOO_LARGE"),
        (Self::ResourceNotFound, "RESOURCE_NOT_FOUND"),
        (Self::Throttled, "THROTTLED"),
        (Self::Unauthorized, "UNAUTHORIZED"),
        (Self::UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE"),
        (Self::WafFiltered, "WAF_FILTERED"),
    ];

    /// The type of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, n)| *n == name).map(|(kind, _)| *kind)
    }

    /// The name in a template.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// One answer that the gateway gives instead of a function's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: ResponseType,
    pub(super) status: u16,
    /// `None` is written as `null`, as API Gateway does for what goes wrong around an authorizer.
    pub(super) message: Option<&'static str>,
    /// The `x-amzn-ErrorType` header.
    pub(super) error_type: &'static str,
}

impl Refusal {
    pub(super) const MISSING_AUTHENTICATION_TOKEN: Self = Self::new(
        ResponseType::MissingAuthenticationToken,
        403,
        Some("Missing Authentication Token"),
        "MissingAuthenticationTokenException",
    );
    pub(super) const UNAUTHORIZED: Self =
        Self::new(ResponseType::Unauthorized, 401, Some("Unauthorized"), "UnauthorizedException");
    pub(super) const DENIED: Self = Self::new(
        ResponseType::AccessDenied,
        403,
        Some("User is not authorized to access this resource"),
        "AccessDeniedException",
    );
    pub(super) const EXPLICITLY_DENIED: Self = Self::new(
        ResponseType::AccessDenied,
        403,
        Some("User is not authorized to access this resource with an explicit deny"),
        "AccessDeniedException",
    );
    pub(super) const AUTHORIZER_FAILURE: Self =
        Self::new(ResponseType::AuthorizerFailure, 500, None, "AuthorizerFailureException");
    pub(super) const AUTHORIZER_CONFIGURATION: Self =
        Self::new(ResponseType::AuthorizerConfigurationError, 500, None, "AuthorizerConfigurationException");
    pub(super) const URI_TOO_LONG: Self =
        Self::new(ResponseType::Default4xx, 414, Some("Request URI Too Long"), "RequestUriTooLongException");
    pub(super) const REQUEST_TOO_LARGE: Self =
        Self::new(ResponseType::RequestTooLarge, 413, Some("Request Too Long"), "RequestTooLargeException");
    pub(super) const INVALID_API_KEY: Self =
        Self::new(ResponseType::InvalidApiKey, 403, Some("Forbidden"), "ForbiddenException");
    pub(super) const THROTTLED: Self =
        Self::new(ResponseType::Throttled, 429, Some("Too Many Requests"), "TooManyRequestsException");
    pub(super) const QUOTA_EXCEEDED: Self =
        Self::new(ResponseType::QuotaExceeded, 429, Some("Limit Exceeded"), "LimitExceededException");
    pub(super) const INTEGRATION_TIMEOUT: Self = Self::new(
        ResponseType::IntegrationTimeout,
        504,
        Some("Endpoint request timed out"),
        "InternalServerErrorException",
    );
    /// The function failed, or its answer is no proxy answer.
    pub(super) const BAD_GATEWAY: Self = Self::new(
        ResponseType::Default5xx,
        502,
        Some("Internal server error"),
        "InternalServerErrorException",
    );
    /// The function cannot be invoked at all, or what it calls base64 is none.
    pub(super) const API_CONFIGURATION: Self = Self::new(
        ResponseType::ApiConfigurationError,
        500,
        Some("Internal server error"),
        "InternalServerErrorException",
    );

    const fn new(
        kind: ResponseType,
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
    /// What went wrong, for whoever has to mend it.
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
        let bad = |status, message| {
            Self::new(ResponseType::Default4xx, status, Some(message), "BadRequestException")
        };
        match refused {
            Refused::Malformed => bad(400, "Bad Request"),
            Refused::HeadTooLarge => bad(431, "Request Header Fields Too Large"),
            Refused::BodyTooLarge => Self::REQUEST_TOO_LARGE,
            Refused::TooSlow => bad(408, "Request Timeout"),
            Refused::Expectation => bad(417, "Expectation Failed"),
            Refused::Version => Self::new(
                ResponseType::Default5xx,
                505,
                Some("HTTP Version Not Supported"),
                "BadRequestException",
            ),
        }
    }
}
