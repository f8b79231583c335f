//! Owns API keys and usage plans: whose calls are counted, and against which limits.

use std::collections::BTreeMap;

use super::{
    api::throttle,
    error::{Located, Problem},
    resource::{API_KEY, Resources, USAGE_PLAN, USAGE_PLAN_KEY},
    scope::{Scope, Trail},
    value::Field,
};
use crate::rest::api::{ApiKey, Quota, QuotaPeriod, UsagePlan};

/// Reads the keys and the plans, which have to be for this stage of this API.
pub(super) fn read(
    scope: &Scope<'_>,
    resources: &Resources,
    api_id: &str,
    stage: &str,
) -> Result<(Vec<ApiKey>, Vec<UsagePlan>), Located> {
    let identity = |logical_id: &str, field: &Field<'_>| {
        scope.identity(logical_id, &Trail::START).map_err(|problem| field.failure(problem))
    };
    let mut keys = BTreeMap::new();
    for resource in resources.of(API_KEY) {
        let field = resource.properties();
        keys.insert(identity(&resource.logical_id, &field)?, api_key(&field)?);
    }
    let mut plans = BTreeMap::new();
    for resource in resources.of(USAGE_PLAN) {
        let field = resource.properties();
        let plan = usage_plan(&resource.logical_id, &field, api_id, stage)?;
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
        let usage_plan = plans.get_mut(plan.text()?);
        let usage_plan = usage_plan.ok_or_else(|| unknown(&plan, "names no usage plan of this template"))?;
        usage_plan.api_keys.push(api_key.value.clone());
    }
    Ok((keys.into_values().collect(), plans.into_values().collect()))
}

fn api_key(field: &Field<'_>) -> Result<ApiKey, Located> {
    field.only(&[&[
        "Value",
        "Enabled",
        "Name",
        "Description",
        "Tags",
        "CustomerId",
        "GenerateDistinctId",
    ]])?;
    Ok(ApiKey {
        value: field.need("Value")?.text()?.to_owned(),
        // SPEC: Amazon API Gateway, API reference, CreateApiKey: a key is not enabled unless it says so
        enabled: field.get("Enabled")?.map_or(Ok(false), |field| field.flag())?,
    })
}

fn usage_plan(name: &str, field: &Field<'_>, api_id: &str, stage: &str) -> Result<UsagePlan, Located> {
    field.only(&[&["ApiStages", "Throttle", "Quota", "UsagePlanName", "Description", "Tags"]])?;
    // A plan of no stage would make its keys unknown here, and is more likely a mistake than a wish.
    let stages = field.need("ApiStages")?;
    let mut is_for_this_stage = false;
    for item in stages.items()? {
        item.only(&[&["ApiId", "Stage"]])?;
        for (key, wanted) in [("ApiId", api_id), ("Stage", stage)] {
            let field = item.need(key)?;
            if field.text()? != wanted {
                let reason = "names no API, or no stage of it, that is served";
                return Err(field.failure(Problem::NotHonoured(reason)));
            }
        }
        is_for_this_stage = true;
    }
    if !is_for_this_stage {
        return Err(stages.failure(Problem::Missing));
    }
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
