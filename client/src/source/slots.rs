//! What a [`TokenSource`](super::TokenSource) holds for each set of scopes, and what it does next for a caller.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use tokio::sync::watch;

use crate::{error::TokenError, token::AccessToken};

/// The outcome of a token request.
pub(super) type Outcome = Result<AccessToken, TokenError>;

/// The pause after a renewal without a better token, and between two replacements of a refused token. Meanwhile the
/// old token is used. Without the pause each call would make another request in vain.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// Nobody waits for a request older than this. Only a suspension of the process makes one so old, and then its
/// connection is dead.
const MAX_AGE: Duration = Duration::from_secs(10);

/// A token request in its own task.
#[derive(Clone)]
pub(super) struct Flight {
    /// When it began, by the wall clock: a monotonic clock may stand still during a suspension.
    pub(super) began: SystemTime,
    receiver: watch::Receiver<Option<Outcome>>,
}

impl Flight {
    /// The outcome, once it is known.
    pub(super) async fn outcome(mut self) -> Outcome {
        // An error means that the task ended without an outcome: it panicked, or its runtime was shut down.
        let outcome = self.receiver.wait_for(Option::is_some).await.map_err(|_| TokenError::Interrupted)?;
        outcome.clone().unwrap_or(Err(TokenError::Interrupted))
    }

    /// Whether its task still runs and may succeed.
    fn is_under_way(&self, now: SystemTime) -> bool {
        let age = now.duration_since(self.began).unwrap_or_default();
        self.receiver.has_changed().is_ok() && age < MAX_AGE
    }
}

/// What to do for a caller.
pub(super) enum Next {
    /// Use this token.
    Held(AccessToken),
    /// Use this token and renew it in the background.
    Renew(AccessToken, watch::Sender<Option<Outcome>>),
    /// Wait for this request.
    Join(Flight),
    /// Make this request and wait for it.
    Begin(Flight, watch::Sender<Option<Outcome>>),
}

/// A slot for each set of scopes, no more than `capacity` of them, unless more requests than that run.
pub(super) struct Slots {
    slots: HashMap<String, Slot>,
    capacity: usize,
}

/// What is held for one set of scopes.
#[derive(Default)]
struct Slot {
    token: Option<AccessToken>,
    flight: Option<Flight>,
    /// Until then no renewal begins while the token is valid.
    renewal_paused_until: Option<SystemTime>,
    /// Until then no token is replaced because an API refused it.
    replacement_paused_until: Option<SystemTime>,
}

impl Slots {
    pub(super) fn new(capacity: usize) -> Self {
        Self { slots: HashMap::new(), capacity: capacity.max(1) }
    }

    /// What to do for a caller that wants a token of `scopes`, and not `refused`. The caller makes the request that
    /// comes with a sender.
    pub(super) fn next(&mut self, scopes: &str, refused: Option<&AccessToken>, now: SystemTime) -> Next {
        if !self.slots.contains_key(scopes) {
            self.make_room(now);
        }
        let slot = self.slots.entry(scopes.to_owned()).or_default();
        let is_refused = |token: &AccessToken| refused.is_some_and(|refused| refused.is(token));
        let flight = slot.flight.clone().filter(|flight| flight.is_under_way(now));
        match (slot.token.clone().filter(|token| token.is_alive(now)), flight) {
            (Some(token), None) if !is_refused(&token) => {
                if token.is_due(now) && !is_paused(slot.renewal_paused_until, now) {
                    let (_, sender) = slot.begin(now);
                    Next::Renew(token, sender)
                } else {
                    Next::Held(token)
                }
            }
            (Some(token), Some(_)) if !is_refused(&token) => Next::Held(token),
            (Some(token), None) if is_paused(slot.replacement_paused_until, now) => Next::Held(token),
            (held, flight) => {
                if held.is_some() {
                    slot.replacement_paused_until = Some(now + PAUSE);
                }
                flight.map_or_else(
                    || {
                        let (flight, sender) = slot.begin(now);
                        Next::Begin(flight, sender)
                    },
                    Next::Join,
                )
            }
        }
    }

    /// Makes room for one more slot: drops those without anything useful and then, if there are still too many, the one
    /// whose token expires first.
    fn make_room(&mut self, now: SystemTime) {
        if self.slots.len() < self.capacity {
            return;
        }
        self.slots.retain(|_, slot| slot.is_under_way(now) || slot.expires(now).is_some());
        while self.slots.len() >= self.capacity {
            let idle = self.slots.iter().filter(|(_, slot)| !slot.is_under_way(now));
            let first = idle.min_by_key(|(_, slot)| slot.expires(now)).map(|(scopes, _)| scopes.clone());
            let Some(first) = first else { return };
            self.slots.remove(&first);
        }
    }

    /// Keeps the token of a request that has ended, and pauses renewals if it brought none, or none that is valid
    /// for longer. Failures are not kept. Returns the result for all waiters.
    pub(super) fn settle(
        &mut self,
        scopes: &str,
        sender: &watch::Sender<Option<Outcome>>,
        outcome: Outcome,
        now: SystemTime,
    ) -> Outcome {
        let slot = self.slots.entry(scopes.to_owned()).or_default();
        // A later request may have replaced one that was interrupted by a suspension.
        slot.flight.take_if(|flight| sender.subscribe().same_channel(&flight.receiver));
        let was_refused = is_paused(slot.replacement_paused_until, now);
        // INVARIANT: a token is only ever replaced by one that is valid for as long, unless an API refused it. A
        // caching proxy may answer with a token that is older than ours.
        let better = |held: &AccessToken| held.is_alive(now) && !was_refused;
        let held = slot.token.clone().filter(better);
        let outcome = outcome.map(|new| match &held {
            Some(held) if held.expires_at() > new.expires_at() => held.clone(),
            _ => new,
        });
        if let Err(error) = &outcome
            && let Some(held) = slot.token.as_ref().filter(|held| held.is_alive(now))
        {
            let expires_in = held.expires_at().duration_since(now).unwrap_or_default().as_secs();
            tracing::warn!(
                scopes,
                reason = error.label(),
                expires_in_seconds = expires_in,
                error = error as &(dyn std::error::Error + 'static),
                "token not renewed"
            );
        }
        if let Ok(token) = &outcome {
            slot.token = Some(token.clone());
        }
        let has_fresh = outcome.as_ref().is_ok_and(|token| !token.is_due(now));
        slot.renewal_paused_until = (!has_fresh).then(|| now + PAUSE);
        if !slot.is_under_way(now) && slot.expires(now).is_none() {
            self.slots.remove(scopes);
        }
        outcome
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.slots.values().all(|slot| slot.flight.is_none())
    }
}

impl Slot {
    fn begin(&mut self, now: SystemTime) -> (Flight, watch::Sender<Option<Outcome>>) {
        let (sender, receiver) = watch::channel(None);
        let flight = Flight { began: now, receiver };
        self.flight = Some(flight.clone());
        (flight, sender)
    }

    fn is_under_way(&self, now: SystemTime) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.is_under_way(now))
    }

    /// When the token expires; `None` if there is no valid token.
    fn expires(&self, now: SystemTime) -> Option<SystemTime> {
        self.token.as_ref().filter(|token| token.is_alive(now)).map(AccessToken::expires_at)
    }
}

/// Whether a pause that ends at `until` runs. If more is left of it than pauses last, the clock was set back.
fn is_paused(until: Option<SystemTime>, now: SystemTime) -> bool {
    let left = until.and_then(|until| until.duration_since(now).ok());
    left.is_some_and(|left| !left.is_zero() && left <= PAUSE)
}
