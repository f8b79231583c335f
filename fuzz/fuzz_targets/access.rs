//! Any text as a method ARN, as scopes, and as the context that a function is handed.
#![no_main]

use access::{Caller, MethodArn, Scope, ScopeSet, Table, arn};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let table = Table::from_json(fuzz::ROUTES).unwrap();
    if let Ok(parsed) = MethodArn::parse(text) {
        let whole = format!("{}{}/{}", parsed.stage_prefix(), parsed.verb(), parsed.path());
        assert_eq!(whole, text, "nothing is lost of an ARN");
        assert_eq!(parsed.stage_prefix().matches('/').count(), 2);
        assert!(!parsed.stage_prefix().contains(['*', '?']), "a wildcard in a stage would widen every resource");
        for route in table.routes() {
            let pattern = arn::pattern(route);
            let resource = parsed.resource(&pattern);
            let whole = format!("{}{pattern}", parsed.stage_prefix());
            assert_eq!(resource.as_deref(), (whole.chars().count() <= 512).then_some(whole.as_str()));
        }
    }
    if let Ok(scopes) = ScopeSet::parse(text) {
        let held: Vec<&str> = scopes.iter().collect();
        assert_eq!(held.join(" "), text);
        for scope in &held {
            // Scopes of others, such as `openid`, have another form than ours.
            assert!(Scope::parse(*scope).ok().is_none_or(|scope| scopes.holds(&scope)), "{scope:?}");
        }
        for route in table.routes() {
            let expected = route.scopes().iter().all(|scope| held.contains(&scope.as_str()));
            assert_eq!(route.is_covered_by(&scopes), expected, "{route}");
        }
    }
    if let Ok(Value::Object(context)) = serde_json::from_str(text)
        && let Ok(caller) = Caller::from_context(|member| context.get(member))
    {
        assert_eq!(context["client_id"], caller.client_id.as_str());
        assert_eq!(context["scope"], caller.scopes.as_str());
        // What was read is written as it was.
        let written = serde_json::to_value(&caller).unwrap();
        let again = Caller::from_context(|member| written.get(member)).unwrap();
        assert_eq!((again.expires_at, &again.jti), (caller.expires_at, &caller.jti));
    }
    if let Ok(table) = Table::from_json(text) {
        for route in table.routes() {
            assert_eq!(table.by_resource(route.method().as_str(), route.path()), Some(route));
        }
    }
    if let Some((method, resource)) = text.split_once(' ')
        && let Some(route) = table.by_resource(method, resource)
    {
        assert_eq!((route.method().as_str(), route.path()), (method, resource));
    }
});
