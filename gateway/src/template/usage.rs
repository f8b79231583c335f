//! API keys and usage plans: whose calls are counted, and against which limits.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};

use super::{
    api::throttle,
    error::{Located, Notices, Problem},
    resource::{API_KEY, Resources, USAGE_PLAN, USAGE_PLAN_KEY},
    scope::{Scope, Trail},
    value::Field,
};
use crate::rest::api::{Api, ApiKey, Quota, QuotaPeriod, UsagePlan};

/// Adds the keys, and the plans for this stage of this API.
pub(super) fn read(
    scope: &Scope<'_>,
    resources: &Resources,
    notices: &Notices,
    api: &mut Api,
) -> Result<(), Located> {
    let identity = |logical_id: &str, field: &Field<'_>| {
        scope.identity(logical_id, &Trail::START).map_err(|problem| field.failure(problem))
    };
    let mut keys = BTreeMap::new();
    for resource in resources.of(API_KEY) {
        let field = resource.properties();
        keys.insert(identity(&resource.logical_id, &field)?, api_key(&resource.logical_id, &field, notices)?);
    }
    let mut plans = BTreeMap::new();
    for resource in resources.of(USAGE_PLAN) {
        let field = resource.properties();
        let Some(plan) = usage_plan(&resource.logical_id, &field, api, notices)? else { continue };
        plans.insert(identity(&resource.logical_id, &field)?, plan);
    }
    for resource in resources.of(USAGE_PLAN_KEY) {
        let field = resource.properties();
        field.only(&[&["KeyId", "KeyType", "UsagePlanId"]])?;
        let kind = field.need("KeyType")?;
        if kind.text()? != "API_KEY" {
            return Err(kind.failure(Problem::OneOf("API_KEY")));
        }
        let (key, plan) = (field.need("KeyId")?, field.need("UsagePlanId")?);
        let unknown = |field: &Field<'_>, what| field.failure(Problem::NotHonoured(what));
        let api_key = keys.get(key.text()?);
        let api_key = api_key.ok_or_else(|| unknown(&key, "names no API key of this template"))?;
        match plans.get_mut(plan.text()?) {
            Some(usage_plan) => usage_plan.api_keys.push(api_key.value.clone()),
            // It may be of another API.
            None if !notices.is_strict() => {}
            None => return Err(unknown(&plan, "names no usage plan of this template")),
        }
    }
    api.api_keys.extend(keys.into_values());
    api.usage_plans.extend(plans.into_values());
    Ok(())
}

/// Adds what `Auth.UsagePlan` of an API makes: a plan for its stage, and one key.
// SPEC: AWS SAM, "ApiUsagePlan"
pub(super) fn of_auth(
    logical_id: &str,
    auth: Option<&Field<'_>>,
    notices: &Notices,
    api: &mut Api,
) -> Result<(), Located> {
    let Some(field) = auth.map(|auth| auth.get("UsagePlan")).transpose()?.flatten() else { return Ok(()) };
    field.only(&[&["CreateUsagePlan", "Description", "Quota", "Tags", "Throttle", "UsagePlanName"]])?;
    let kind = field.need("CreateUsagePlan")?;
    match kind.text()? {
        "NONE" => return Ok(()),
        "PER_API" | "SHARED" => {}
        _ => return Err(kind.failure(Problem::OneOf("PER_API, SHARED, NONE"))),
    }
    let name = format!("{logical_id}ApiKey");
    let value = generated_key(&name, &field, notices)?;
    let mut plan = limits(&format!("{logical_id}UsagePlan"), &field)?;
    plan.api_keys.push(value.clone());
    api.api_keys.push(ApiKey { value, enabled: true });
    api.usage_plans.push(plan);
    Ok(())
}

/// A value for a key that AWS would draw one for, the same at every start.
fn generated_key(logical_id: &str, field: &Field<'_>, notices: &Notices) -> Result<String, Located> {
    let digest = digest(&SHA256, logical_id.as_bytes());
    let letters = digest.as_ref().iter().filter_map(|byte| char::from_digit(u32::from(byte % 36), 36));
    let value = format!("local{}", letters.collect::<String>());
    notices.add(field.failure(Problem::GeneratedKey(logical_id.to_owned(), value.clone())))?;
    Ok(value)
}

fn api_key(logical_id: &str, field: &Field<'_>, notices: &Notices) -> Result<ApiKey, Located> {
    field.only(&[&[
        "Value",
        "Enabled",
        "Name",
        "Description",
        "Tags",
        "CustomerId",
        "GenerateDistinctId",
        "StageKeys",
    ]])?;
    let value = match field.get("Value")? {
        Some(value) => value.text()?.to_owned(),
        None => generated_key(logical_id, field, notices)?,
    };
    Ok(ApiKey {
        value,
        // SPEC: Amazon API Gateway, API reference, CreateApiKey: a key is not enabled unless it says so
        enabled: field.get("Enabled")?.map_or(Ok(false), |field| field.flag())?,
    })
}

/// A plan, if it is for this stage.
fn usage_plan(
    name: &str,
    field: &Field<'_>,
    api: &Api,
    notices: &Notices,
) -> Result<Option<UsagePlan>, Located> {
    field.only(&[&["ApiStages", "Throttle", "Quota", "UsagePlanName", "Description", "Tags"]])?;
    // A plan of no stage would make its keys unknown here, and is more likely a mistake than a wish.
    let stages = field.need("ApiStages")?;
    let mut is_for_this_stage = false;
    for item in stages.items()? {
        item.only(&[&["ApiId", "Stage", "Throttle"]])?;
        item.tell(&["Throttle"], notices)?;
        let mut is_this_one = true;
        for (key, wanted) in [("ApiId", &api.api_id), ("Stage", &api.stage)] {
            let field = item.need(key)?;
            if field.text()? != wanted {
                if notices.is_strict() {
                    let reason = "names no API, or no stage of it, that is served";
                    return Err(field.failure(Problem::NotHonoured(reason)));
                }
                is_this_one = false;
            }
        }
        is_for_this_stage |= is_this_one;
    }
    if !is_for_this_stage {
        return if notices.is_strict() { Err(stages.failure(Problem::Missing)) } else { Ok(None) };
    }
    limits(name, field).map(Some)
}

fn limits(name: &str, field: &Field<'_>) -> Result<UsagePlan, Located> {
    let mut plan = UsagePlan { name: name.to_owned(), api_keys: Vec::new(), throttle: None, quota: None };
    if let Some(limits) = field.get("Throttle")? {
        limits.only(&[&["RateLimit", "BurstLimit"]])?;
        plan.throttle = throttle(&limits, "RateLimit", "BurstLimit")?;
    }
    if let Some(field) = field.get("Quota")? {
        plan.quota = Some(quota(&field)?);
    }
    Ok(plan)
}

fn quota(field: &Field<'_>) -> Result<Quota, Located> {
    field.only(&[&["Limit", "Offset", "Period"]])?;
    let limit = field.need("Limit")?.whole(1, u64::from(u32::MAX))?;
    let offset = field.get("Offset")?.map_or(Ok(0), |offset| offset.whole(0, limit))?;
    let period = field.need("Period")?;
    let period = match period.text()? {
        "DAY" => QuotaPeriod::Day,
        "WEEK" => QuotaPeriod::Week,
        "MONTH" => QuotaPeriod::Month,
        _ => return Err(period.failure(Problem::OneOf("DAY, WEEK, MONTH"))),
    };
    Ok(Quota { limit, offset, period })
}
