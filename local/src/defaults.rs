//! Where a `local` serves and writes its clients file unless its options say otherwise.

/// The port on 127.0.0.1.
pub(crate) const PORT: u16 = 3000;
/// The clients file.
pub(crate) const CLIENTS_FILE: &str = ".local/clients.json";
