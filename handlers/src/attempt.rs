//! Makes something once, however often it is asked for. The attempt is stored under its caller's key together with what
//! it is to become, then carried out, then ended. If the process dies in between, the next request with the key finishes
//! it, or the sweep does.
//!
//! An attempt ends once, as done or as refused. From then on its key is answered from the stored record.

use std::future::Future;

use access::ClientId;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    day::stamp,
    day_list::item_key,
    entry::{Answer, Invocation, Request},
    error::{ApiError, Refusal},
    id::Id,
    store::{
        Key, Place, StoreError, Table, Transaction,
        attempt::{Attempt, Phase, UNFINISHED, attempt_key, expiry},
    },
};

/// What an attempt makes.
pub(crate) trait Made: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// The name of its id in log lines.
    const SUBJECT: &'static str;

    fn id(&self) -> Id;

    /// The same, made at this time.
    fn made_at(self, time: String) -> Self;

    /// Its place in the index once it is made, if it has one.
    fn place(&self) -> Option<Place> {
        None
    }

    /// The key that no second attempt may reserve, if there is one, and why another attempt is refused then.
    fn reserves(&self) -> Option<(Key, Refusal)> {
        None
    }
}

/// How a service makes what it is asked for.
pub(crate) trait Make: Send + Sync {
    type Asked: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync;
    type Made: Made;

    fn table(&self) -> &Table;

    /// What the attempt is to become, or why it is refused for good.
    ///
    /// # Errors
    /// Nothing has been stored.
    fn draft(
        &self,
        asked: &Self::Asked,
        client_id: &ClientId<'_>,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Result<Self::Made, Refusal>, ApiError>> + Send;

    /// Carries it out; to repeat this changes nothing. Returns the refusal if it is refused for good.
    ///
    /// # Errors
    /// It may have been carried out.
    fn carry_out(
        &self,
        asked: &Self::Asked,
        draft: &Self::Made,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Option<Refusal>, ApiError>> + Send;
}

type AttemptOf<S> = Attempt<<S as Make>::Asked, <S as Make>::Made>;

/// The record under a reserved key: the attempt that holds it.
#[derive(Serialize, Deserialize)]
struct Reservation {
    attempt: Key,
}

/// Makes what a request asks for, once; the answer is the same each time.
///
/// # Errors
/// 409 `idempotency_key_reused` if the key was used for another request.
pub(crate) async fn attempt<S: Make>(service: &S, request: &Request<'_>) -> Result<Answer, ApiError> {
    let (client_id, invocation) = (&request.caller.client_id, request.invocation);
    let key = attempt_key(client_id, &request.idempotency_key()?);
    let asked = request.body::<S::Asked>()?;
    let attempt = match service.table().get::<AttemptOf<S>>(&key).await? {
        Some(earlier) => earlier,
        None => begin(service, &key, &asked, client_id, invocation).await?,
    };
    if attempt.asked != asked {
        let message = "the key was used for another request before";
        return Err(ApiError::conflict("idempotency_key_reused", message).at("Idempotency-Key"));
    }
    let made = go_on(service, &key, attempt, invocation).await?;
    Answer::created(format!("{}/{}", request.route().path(), made.id()), &made)
}

/// Finishes the attempt under this key if it is open. Returns the id of what it makes.
pub(crate) async fn finish<S: Make>(
    service: &S,
    key: &Key,
    invocation: &Invocation,
) -> Result<Option<Id>, ApiError> {
    let Some(attempt) = service.table().get::<AttemptOf<S>>(key).await? else { return Ok(None) };
    let Phase::Open { becomes } = &attempt.phase else { return Ok(None) };
    let id = becomes.id();
    match go_on(service, key, attempt, invocation).await {
        Err(error) if error.is_fault() => Err(error),
        // A refusal is an end, too.
        Ok(_) | Err(_) => Ok(Some(id)),
    }
}

/// Stores a new attempt, unless another request with its key was faster, and returns the stored one.
async fn begin<S: Make>(
    service: &S,
    key: &Key,
    asked: &S::Asked,
    client_id: &ClientId<'_>,
    invocation: &Invocation,
) -> Result<AttemptOf<S>, ApiError> {
    let (table, now) = (service.table(), invocation.now());
    let (phase, place, reservation, expires_at) = match service.draft(asked, client_id, invocation).await? {
        Ok(draft) => {
            let (place, reservation) = (Place::waiting(UNFINISHED, draft.id(), now), draft.reserves());
            (Phase::Open { becomes: draft }, Some(place), reservation, None)
        }
        Err(refusal) => (Phase::Refused { refusal }, None, None, Some(expiry(now))),
    };
    let attempt = Attempt { asked: asked.clone(), phase, expires_at };
    let mut writes = vec![table.put_new(key, place.as_ref(), &attempt)?];
    if let Some((reserved, _)) = &reservation {
        writes.push(table.put_new(reserved, None, &Reservation { attempt: key.clone() })?);
    }
    match (table.transact(writes).await?, reservation) {
        (Transaction::Done, _) => Ok(attempt),
        (Transaction::Refused(1), Some((reserved, taken))) => {
            Err(yield_to(service, &reserved, taken, invocation).await?)
        }
        (Transaction::Refused(_), _) => Ok(table.get(key).await?.ok_or(StoreError::Item("phase"))?),
    }
}

/// Finishes an attempt.
async fn go_on<S: Make>(
    service: &S,
    key: &Key,
    attempt: AttemptOf<S>,
    invocation: &Invocation,
) -> Result<S::Made, ApiError> {
    let Attempt { asked, mut phase, .. } = attempt;
    if let Phase::Open { becomes: draft } = phase {
        let (table, id, now) = (service.table(), draft.id(), invocation.now());
        invocation.about(S::Made::SUBJECT, id);
        let refused = service.carry_out(&asked, &draft, invocation).await;
        let (end, item) = if let Some(refusal) = refused.map_err(|error| error.about(id))? {
            (Phase::Refused { refusal }, None)
        } else {
            let made = draft.made_at(stamp(now));
            let item = table.put_new(&item_key(id), made.place().as_ref(), &made)?;
            (Phase::Done { becomes: made }, Some(item))
        };
        phase = match table.end(key, &end, item, now).await? {
            Transaction::Done => end,
            // Another request ended it first, perhaps differently.
            Transaction::Refused(_) => {
                table.get::<AttemptOf<S>>(key).await?.ok_or(StoreError::Item("phase"))?.phase
            }
        };
    }
    match phase {
        Phase::Done { becomes } => {
            invocation.about(S::Made::SUBJECT, becomes.id());
            Ok(becomes)
        }
        Phase::Refused { refusal } => Err(refusal.into()),
        Phase::Open { .. } => Err(StoreError::Item("phase").into()),
    }
}

/// Finishes the attempt that holds the reservation, and returns why there cannot be another.
async fn yield_to<S: Make>(
    service: &S,
    reserved: &Key,
    taken: Refusal,
    invocation: &Invocation,
) -> Result<ApiError, ApiError> {
    let (table, taken) = (service.table(), ApiError::from(taken));
    let Some(Reservation { attempt: key }) = table.get(reserved).await? else { return Ok(taken) };
    let Some(other) = table.get::<AttemptOf<S>>(&key).await? else { return Ok(taken) };
    Ok(Box::pin(go_on(service, &key, other, invocation)).await.err().unwrap_or(taken))
}
