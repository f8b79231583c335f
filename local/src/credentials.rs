//! Generates the secrets of clients, new at each start.

use aws_lc_rs::rand;
use secrecy::SecretString;

/// 32 characters, so that five bits of a byte choose one without preferring any.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// As many characters as Cognito's secrets have; 255 bits.
const CHARACTERS: usize = 51;

/// The system returns no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct CredentialsError;

/// A new secret.
pub(crate) fn secret() -> Result<SecretString, CredentialsError> {
    let mut bytes = [0; CHARACTERS];
    rand::fill(&mut bytes).map_err(|_| CredentialsError)?;
    let characters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
    Ok(characters.map(|character| char::from(*character)).collect::<String>().into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert_eq!(one.expose_secret().len(), CHARACTERS);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }
}
