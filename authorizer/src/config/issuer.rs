//! The settings for the issuer: the user pools or another issuer, and the address of the keys.

use std::net::IpAddr;

use reqwest::Url;

use super::{IssuerConfig, Problems};

/// Reads `USER_POOL_ID`, `JWKS_URI` and `TOKEN_ISSUER`, and checks that `TOKEN_AUDIENCE` is set where it is required.
pub(super) fn read(vars: &impl Fn(&str) -> Option<String>, problems: &mut Problems) -> Vec<IssuerConfig> {
    let address = vars("JWKS_URI").map(|text| address(&text));
    let issuers = match (vars("USER_POOL_ID"), vars("TOKEN_ISSUER")) {
        (None, None) => {
            problems.add("USER_POOL_ID", "is required, unless TOKEN_ISSUER names another issuer");
            Vec::new()
        }
        (Some(_), Some(_)) => {
            problems.add("TOKEN_ISSUER", "excludes USER_POOL_ID: set one of the two");
            Vec::new()
        }
        (Some(pools), None) => self::pools(&pools, address.as_ref(), problems),
        (None, Some(issuer)) => {
            if issuer.chars().any(|c| c.is_whitespace() || c.is_control()) {
                problems.add("TOKEN_ISSUER", "must be the exact `iss` of the issuer, without white space");
            }
            if vars("TOKEN_AUDIENCE").is_none() {
                problems.add("TOKEN_AUDIENCE", "is required with TOKEN_ISSUER");
            }
            if address.is_none() {
                problems.add("JWKS_URI", "is required with TOKEN_ISSUER");
            }
            let jwks = address.clone().flatten();
            jwks.map(|jwks| IssuerConfig { names: vec![issuer], jwks }).into_iter().collect()
        }
    };
    if address == Some(None) {
        problems.add(
            "JWKS_URI",
            "must be an https address, or http on loopback, without user, password or fragment",
        );
    }
    issuers
}

fn pools(text: &str, address: Option<&Option<Url>>, problems: &mut Problems) -> Vec<IssuerConfig> {
    let ids: Vec<&str> = text.split(',').map(str::trim).collect();
    let issuers: Option<Vec<IssuerConfig>> = ids.iter().map(|id| pool(id)).collect();
    let Some(mut issuers) = issuers else {
        problems.add(
            "USER_POOL_ID",
            "must be pool ids such as `us-east-1_Ab12cd34E` with one comma between them",
        );
        return Vec::new();
    };
    if (1..ids.len()).any(|index| ids.iter().take(index).any(|id| ids.get(index) == Some(id))) {
        problems.add("USER_POOL_ID", "names a pool twice");
    }
    match (issuers.as_mut_slice(), address) {
        ([only], Some(Some(address))) => only.jwks = address.clone(),
        (_, Some(_)) if ids.len() > 1 => problems.add("JWKS_URI", "needs a single pool"),
        (_, _) => {}
    }
    issuers
}

/// A pool, from its id: `{region}_{letters and digits}`. Its issuer has two forms, its keys one address.
// SPEC: Amazon Cognito, "Verifying JSON web tokens"
fn pool(id: &str) -> Option<IssuerConfig> {
    let (region, name) = id.split_once('_')?;
    let is_name = (1..=55).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let suffix = is_region(region).then(|| suffix(region))?;
    let names =
        ["cognito-idp", "issuer-cognito-idp"].map(|host| format!("https://{host}.{region}.{suffix}/{id}"));
    let jwks = format!("https://cognito-idp.{region}.{suffix}/{id}/.well-known/jwks.json");
    let jwks = is_name.then(|| Url::parse(&jwks).ok())??;
    Some(IssuerConfig { names: names.into(), jwks })
}

/// `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`: letters, then more of them, then one digit.
fn is_region(region: &str) -> bool {
    let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
    let parts: Vec<&str> = region.split('-').collect();
    match parts.as_slice() {
        [first, middle @ .., last] => {
            (2..=4).contains(&first.len())
                && letters(first)
                && !middle.is_empty()
                && middle.iter().all(|part| (1..=16).contains(&part.len()) && letters(part))
                && last.len() == 1
                && last.bytes().all(|byte| byte.is_ascii_digit())
        }
        [] | [_] => false,
    }
}

/// The domain of a region's services.
// SPEC: `partitions.json` of the AWS SDKs: `regionRegex` and `dnsSuffix`
fn suffix(region: &str) -> &'static str {
    const SUFFIXES: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
    ];
    let other = SUFFIXES.iter().find(|(prefix, _)| region.starts_with(prefix));
    other.map_or("amazonaws.com", |(_, suffix)| suffix)
}

/// An address that keys may come from, since nobody can change them on the way.
fn address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_loopback = address.map_or(host == "localhost", |address| address.is_loopback());
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (is_safe && is_plain).then_some(url)
}
