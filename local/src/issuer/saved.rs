//! The signing keys in the data folder, so that tokens outlive a restart.

use aws_lc_rs::{encoding::AsDer as _, rsa::KeyPair};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use super::keys::{KeyError, KeyRing, SigningKey};
use crate::data::{DataError, DataFolder};

/// The file in the data folder that holds the keys.
const FILE: &str = "signing-keys.json";

/// Why the keys cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum SavedKeysError {
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The file with the keys.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The file holds something else.
    #[error("`{FILE}` in the data folder does not hold signing keys; delete it to start with new ones")]
    Malformed,
}

/// PKCS #8 in base64. Shows itself nowhere.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    current: String,
    other: String,
}

impl KeyRing {
    /// The keys that the folder holds, or new ones that are put there.
    pub(super) fn open(folder: &DataFolder) -> Result<Self, SavedKeysError> {
        let Some(content) = folder.read(FILE)? else {
            let keys = Self::generate()?;
            keys.save(folder)?;
            return Ok(keys);
        };
        let saved: Saved = serde_json::from_slice(&content).map_err(|_| SavedKeysError::Malformed)?;
        Ok(Self::of(decode(&saved.current)?, decode(&saved.other)?))
    }

    /// Puts the keys into the folder.
    pub(super) fn save(&self, folder: &DataFolder) -> Result<(), SavedKeysError> {
        let saved = Saved { current: encode(self.current().pair())?, other: encode(self.other().pair())? };
        // Two strings are always JSON.
        let content = serde_json::to_vec(&saved).map_err(|_| SavedKeysError::Malformed)?;
        Ok(folder.write(FILE, &content)?)
    }
}

fn encode(pair: &KeyPair) -> Result<String, KeyError> {
    Ok(BASE64_STANDARD.encode(pair.as_der()?.as_ref()))
}

fn decode(saved: &str) -> Result<SigningKey, SavedKeysError> {
    let pair = BASE64_STANDARD.decode(saved).ok().and_then(|key| KeyPair::from_pkcs8(&key).ok());
    // A key of another size would be none that Cognito publishes.
    let pair = pair.filter(|pair| pair.public_modulus_len() == 256);
    pair.map(SigningKey::of).ok_or(SavedKeysError::Malformed)
}
