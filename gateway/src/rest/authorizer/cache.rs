//! The cached answers of one authorizer, each for its token.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest::{SHA256, digest};

use super::super::{answer::Answer, served::CachedAnswer};

/// More tokens than a laptop's callers have; the oldest answer goes first.
const CAPACITY: usize = 1024;

/// The SHA-256 of a token, so that none is held.
type Key = Vec<u8>;

#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: HashMap<Key, Entry>,
    /// Keys in the order in which they were kept, which is that in which they expire.
    order: VecDeque<(u64, Key)>,
    last: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    answer: Arc<Answer>,
    kept: SystemTime,
    time: Duration,
}

impl Cache {
    /// The answer for `token`, if it is still good. A clock that was set back makes none good.
    pub(super) fn find(&self, token: &str, now: SystemTime) -> Option<Arc<Answer>> {
        let entry = self.entries.get(&key(token))?;
        let age = now.duration_since(entry.kept).ok()?;
        (age < entry.time).then(|| Arc::clone(&entry.answer))
    }

    /// Every answer that is still good, the latest first.
    pub(super) fn all(&self, now: SystemTime) -> Vec<CachedAnswer> {
        let entries = self.order.iter().rev().filter_map(|(number, key)| {
            let entry = self.entries.get(key).filter(|entry| entry.number == *number)?;
            let left = entry.time.checked_sub(now.duration_since(entry.kept).ok()?)?;
            let principal_id = entry.answer.principal_id.clone();
            (!left.is_zero()).then_some(CachedAnswer { principal_id, left })
        });
        entries.collect()
    }

    /// Keeps an answer for `time` from `now` on.
    pub(super) fn keep(&mut self, token: &str, answer: Arc<Answer>, now: SystemTime, time: Duration) {
        let key = key(token);
        self.last += 1;
        self.entries.insert(key.clone(), Entry { number: self.last, answer, kept: now, time });
        self.order.push_back((self.last, key));
        // INVARIANT: neither holds more than CAPACITY. A key that was kept again has a later place too, and the
        // earlier one then removes nothing.
        while self.order.len() > CAPACITY {
            if let Some((number, key)) = self.order.pop_front()
                && self.entries.get(&key).is_some_and(|entry| entry.number == number)
            {
                self.entries.remove(&key);
            }
        }
    }
}

fn key(token: &str) -> Key {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::json;

    use super::*;

    const TIME: Duration = Duration::from_mins(5);

    fn answer(principal: &str) -> Arc<Answer> {
        let policy = json!({"Version": "2012-10-17", "Statement": []});
        let answer = json!({"principalId": principal, "policyDocument": policy}).to_string();
        Arc::new(Answer::parse(answer.as_bytes()).unwrap())
    }

    fn found(cache: &Cache, token: &str, now: SystemTime) -> Option<String> {
        cache.find(token, now).map(|answer| answer.principal_id.clone())
    }

    #[test]
    fn row_1_an_answer_is_good_for_its_time_and_its_token() {
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        let mut cache = Cache::default();
        cache.keep("a", answer("A"), now, TIME);
        let second = Duration::from_secs(1);
        let cases = [
            ("a", now, Some("A")),
            ("a", now + TIME - second, Some("A")),
            ("a", now + TIME, None),
            ("a", now - second, None),
            ("A", now, None),
            ("", now, None),
        ];
        for (token, at, expected) in cases {
            assert_eq!(found(&cache, token, at).as_deref(), expected, "{token} {at:?}");
        }
        let all = |at| cache.all(at).into_iter().map(|cached| cached.left.as_secs()).collect::<Vec<_>>();
        assert_eq!((all(now + second), all(now + TIME)), (vec![299], vec![]));
        cache.keep("a", answer("B"), now + TIME, TIME);
        assert_eq!(found(&cache, "a", now + TIME).as_deref(), Some("B"), "kept again");
    }

    #[test]
    fn row_2_the_cache_is_bounded_and_the_oldest_goes_first() {
        let mut cache = Cache::default();
        for number in 0..=CAPACITY {
            cache.keep(&number.to_string(), answer("A"), UNIX_EPOCH, TIME);
        }
        assert_eq!((cache.entries.len(), cache.order.len()), (CAPACITY, CAPACITY));
        assert_eq!(found(&cache, "0", UNIX_EPOCH), None);
        assert!(found(&cache, "1", UNIX_EPOCH).is_some() && found(&cache, "1024", UNIX_EPOCH).is_some());
        for _ in 0..3 * CAPACITY {
            cache.keep("again", answer("A"), UNIX_EPOCH, TIME);
        }
        assert_eq!((cache.entries.len(), cache.order.len()), (1, CAPACITY));
        assert!(found(&cache, "again", UNIX_EPOCH).is_some());
    }

    #[test]
    fn no_token_is_held() {
        let mut cache = Cache::default();
        cache.keep("Bearer secret", answer("A"), UNIX_EPOCH, TIME);
        assert!(cache.entries.keys().all(|key| key.len() == 32));
    }
}
