//! The policies of recent decisions: tokens of one client nearly always hold the same scopes.

use std::sync::{Arc, Mutex, PoisonError};

use super::Policy;
use crate::refusal::Fault;

/// The most policies that are kept. A dropped one is made again at its next use.
const MOST: usize = 32;

/// Policies of one table. Each depends only on the stage and on which of the table's scopes are held.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    stage: String,
    held: Vec<u32>,
    policy: Arc<Policy>,
}

impl Cache {
    /// The policy for these scopes in this stage, made only if it is not kept. A fault is not kept.
    pub(super) fn policy(
        &self,
        stage: &str,
        held: Vec<u32>,
        make: impl FnOnce(&[u32]) -> Result<Policy, Fault>,
    ) -> Result<Arc<Policy>, Fault> {
        // Every change is one call of the list, so a panic elsewhere leaves nothing half done.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.iter().find(|kept| kept.held == held && kept.stage == stage) {
            return Ok(Arc::clone(&kept.policy));
        }
        let policy = Arc::new(make(&held)?);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.push(Kept { stage: stage.to_owned(), held, policy: Arc::clone(&policy) });
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use access::MethodArn;

    use super::*;
    use crate::policy::Statement;

    const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET/a";

    fn policy() -> Result<Policy, Fault> {
        Policy::new(&[Statement::deny_all()], &MethodArn::parse(ARN).unwrap())
    }

    #[test]
    fn a_policy_is_made_once_for_a_stage_and_the_scopes_held() {
        let cache = Cache::default();
        let made = |stage, held: &[u32]| cache.policy(stage, held.to_vec(), |_| policy()).unwrap();
        let first = made("a", &[1]);
        for (stage, held, is_same) in [
            ("a", &[1][..], true),
            ("b", &[1], false),
            ("a", &[2], false),
            ("a", &[1, 2], false),
            ("a", &[], false),
        ] {
            assert_eq!(Arc::ptr_eq(&made(stage, held), &first), is_same, "{stage}, {held:?}");
            assert!(Arc::ptr_eq(&made(stage, held), &made(stage, held)), "{stage}, {held:?}");
        }
    }

    #[test]
    fn a_fault_is_not_kept() {
        let cache = Cache::default();
        assert!(cache.policy("a", vec![1], |_| Err(Fault::ResourceTooLong)).is_err());
        assert!(cache.policy("a", vec![1], |_| policy()).is_ok());
    }

    #[test]
    fn no_more_policies_are_kept_than_32() {
        let cache = Cache::default();
        for number in 0..100_usize {
            cache.policy(&number.to_string(), Vec::new(), |_| policy()).unwrap();
            assert_eq!(cache.0.lock().unwrap().len(), number % 32 + 1);
        }
    }
}
