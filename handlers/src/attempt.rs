//! Making something once, however often it is asked for: the attempt is written down under its caller's key together
//! with what it is to become, then carried out, then ended. Whatever dies in between is finished by the next try of
//! that key, or by the sweep.
//!
//! An attempt ends once, as made or as refused, and from then on its key is answered from what was written down.

use std::future::Future;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    day::stamp,
    day_list::item_key,
    entry::Invocation,
    error::{ApiError, Refusal},
    id::Id,
    store::{
        Key, Place, StoreError, Table, Transaction,
        attempt::{Attempt, Phase, attempt_key},
    },
    text::AttemptName,
};

/// What an attempt becomes.
pub(crate) trait Made: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// What log lines call its id.
    const SUBJECT: &'static str;

    /// Its id.
    fn id(&self) -> Id;

    /// The same, made at this time.
    fn made_at(self, time: String) -> Self;

    /// Where it waits in the index once it is made, if it does.
    fn place(&self) -> Option<Place> {
        None
    }

    /// What no second attempt may have, and so is reserved for this one; and why another attempt is refused then.
    fn reserves(&self) -> Option<(Key, Refusal)> {
        None
    }
}

/// How a service makes what it is asked for.
pub(crate) trait Make: Send + Sync {
    /// What is asked for, to the letter.
    type Asked: Serialize + DeserializeOwned + PartialEq + Send + Sync;
    /// What it becomes.
    type Made: Made;

    /// Where attempts and what they become are kept.
    fn table(&self) -> &Table;

    /// What the attempt is to become, or why it is refused for good.
    ///
    /// # Errors
    /// Nothing is written down then.
    fn draft(
        &self,
        asked: &Self::Asked,
        name: &AttemptName,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Result<Self::Made, Refusal>, ApiError>> + Send;

    /// Does what it takes, once, however often this is called. Says why it is refused for good, if it is.
    ///
    /// # Errors
    /// Whether it is done is not known then.
    fn carry_out(
        &self,
        asked: &Self::Asked,
        draft: &Self::Made,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Option<Refusal>, ApiError>> + Send;
}

/// What is kept under a reserved key: whose it is.
#[derive(Serialize, Deserialize)]
struct Reservation {
    attempt: Key,
}

/// Makes what is asked for once; the answer is the same each time.
///
/// # Errors
/// 409 `idempotency_key_reused` where something else was asked for by this name.
pub(crate) async fn attempt<S: Make>(
    service: &S,
    name: &AttemptName,
    asked: S::Asked,
    invocation: &Invocation,
) -> Result<S::Made, ApiError> {
    let (table, key) = (service.table(), attempt_key(name));
    if let Some(earlier) = find(service, &key).await? {
        return resume(service, &key, &asked, earlier, invocation).await;
    }
    let drafted = match service.draft(&asked, name, invocation).await {
        Ok(drafted) => drafted,
        // It may be refused for what another try of this very name did a moment ago.
        Err(error) if error.status() == 409 => {
            return match find(service, &key).await? {
                Some(earlier) => resume(service, &key, &asked, earlier, invocation).await,
                None => Err(error),
            };
        }
        Err(error) => return Err(error),
    };
    let (id, reserved) = match &drafted {
        Ok(draft) => (draft.id(), draft.reserves()),
        Err(_) => (invocation.draw()?, None),
    };
    let reservation = Reservation { attempt: key.clone() };
    let reservation = reserved.as_ref().map(|(at, _)| table.put_new(at, None, &reservation)).transpose()?;
    let new = match drafted {
        Ok(draft) => Attempt::open(asked, draft),
        Err(refusal) => Attempt::refused(asked, refusal, invocation.now()),
    };
    match table.begin(&key, &new, id, reservation, invocation.now()).await? {
        Transaction::Done => go_on(service, &key, new, invocation).await,
        Transaction::Refused(0) => {
            let earlier = find(service, &key).await?.ok_or(StoreError::Item("phase"))?;
            resume(service, &key, &new.asked, earlier, invocation).await
        }
        Transaction::Refused(_) => match reserved {
            Some((reserved, taken)) => Err(yield_to(service, &reserved, taken, invocation).await?),
            None => Err(StoreError::Item("phase").into()),
        },
    }
}

/// Takes the attempt under this key to its end, if it exists. Returns the id of what it was to make.
pub(crate) async fn finish<S: Make>(
    service: &S,
    key: &Key,
    invocation: &Invocation,
) -> Result<Option<Id>, ApiError> {
    let Some(attempt) = find(service, key).await? else { return Ok(None) };
    let id = attempt.becomes.as_ref().map(Made::id);
    match go_on(service, key, attempt, invocation).await {
        Err(error) if error.is_fault() => Err(error),
        // A refusal is an end, too.
        Ok(_) | Err(_) => Ok(id),
    }
}

async fn find<S: Make>(service: &S, key: &Key) -> Result<Option<Attempt<S::Asked, S::Made>>, StoreError> {
    service.table().get(key).await
}

async fn resume<S: Make>(
    service: &S,
    key: &Key,
    asked: &S::Asked,
    earlier: Attempt<S::Asked, S::Made>,
    invocation: &Invocation,
) -> Result<S::Made, ApiError> {
    if earlier.asked != *asked {
        let message = "the key was used for another request before";
        return Err(ApiError::conflict("idempotency_key_reused", message).at("Idempotency-Key"));
    }
    go_on(service, key, earlier, invocation).await
}

/// Takes an attempt to its end.
async fn go_on<S: Make>(
    service: &S,
    key: &Key,
    attempt: Attempt<S::Asked, S::Made>,
    invocation: &Invocation,
) -> Result<S::Made, ApiError> {
    if let Some(made) = &attempt.becomes {
        invocation.about(S::Made::SUBJECT, made.id());
    }
    let ended = match &attempt {
        Attempt { phase: Phase::Open, becomes: Some(draft), asked, .. } => {
            let (table, id, now) = (service.table(), draft.id(), invocation.now());
            let refused = service.carry_out(asked, draft, invocation).await;
            match refused.map_err(|error| error.about(id))? {
                None => {
                    let made = draft.clone().made_at(stamp(now));
                    let item = table.put_new(&item_key(id), made.place().as_ref(), &made)?;
                    table.finish(key, &made, item, now).await?;
                }
                Some(refusal) => table.refuse(key, &refusal, now).await?,
            }
            // Somebody else may have ended it first, and otherwise.
            find(service, key).await?.ok_or(StoreError::Item("phase"))?
        }
        Attempt { .. } => attempt,
    };
    match ended {
        Attempt { phase: Phase::Done, becomes: Some(made), .. } => Ok(made),
        Attempt { phase: Phase::Refused, refusal: Some(refusal), .. } => Err(refusal.into()),
        Attempt { .. } => Err(StoreError::Item("phase").into()),
    }
}

/// Takes the attempt that has the reservation to its end first, and says why there is no other.
async fn yield_to<S: Make>(
    service: &S,
    reserved: &Key,
    taken: Refusal,
    invocation: &Invocation,
) -> Result<ApiError, ApiError> {
    let (table, taken) = (service.table(), ApiError::from(taken));
    let Some(Reservation { attempt: key }) = table.get(reserved).await? else { return Ok(taken) };
    let Some(other) = find(service, &key).await? else { return Ok(taken) };
    Ok(Box::pin(go_on(service, &key, other, invocation)).await.err().unwrap_or(taken))
}
