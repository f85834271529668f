//! Whom to trust over TLS.
//!
//! Roots are loaded only if a URL needs them: the system's (about 150 certificates) through the
//! platform's verifier, or those of the `ca` file, and then only those.

use std::path::{Path, PathBuf};
use std::sync::Once;

use reqwest::{Certificate, ClientBuilder};

/// No `ca` file is larger than this many bytes: the whole of Mozilla's list has 230 KB.
const CA_LIMIT: u64 = 1 << 20;

/// Why nobody can be trusted.
#[derive(Debug)]
pub enum TlsError {
    /// The `ca` file cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// There is no certificate in the `ca` file, or something else.
    NotPem(PathBuf),
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(path, error) => {
                write!(f, "cannot read ca file {}: {error}", path.display())
            }
            Self::NotPem(path) => write!(f, "no PEM certificates in ca file {}", path.display()),
        }
    }
}

impl std::error::Error for TlsError {}

/// What the `ca` file holds, kept to notice a rotation.
pub type CaFile = Vec<u8>;

/// Reads a `ca` file.
///
/// # Errors
///
/// When it cannot be read, or is too large to be one.
pub fn read_ca(path: &Path) -> Result<CaFile, TlsError> {
    use std::io::Read;
    let unreadable = |error| TlsError::Unreadable(path.to_owned(), error);
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(CA_LIMIT + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > CA_LIMIT {
        return Err(unreadable(std::io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}

/// Makes a client trust: `ca` and nobody else, or the system's roots, or, where no URL is https, no
/// one at all.
///
/// # Errors
///
/// When there is no certificate in `ca`.
pub fn trust(
    client: ClientBuilder,
    https: bool,
    ca: Option<(&Path, &CaFile)>,
) -> Result<ClientBuilder, TlsError> {
    install_provider();
    match ca {
        _ if !https => Ok(client.tls_certs_only([])),
        None => Ok(client),
        Some((path, pem)) => {
            let certificates = Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or_else(|| TlsError::NotPem(path.to_owned()))?;
            Ok(client.tls_certs_only(certificates))
        }
    }
}

/// reqwest is built without a cryptography of its own; ring is the smaller one.
fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that somebody has installed one: as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Whether a chain of errors has its root in TLS: a certificate, a protocol, an alert.
#[must_use]
pub fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    // An `io::Error` hides the error it wraps from `source()`.
    if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        return is_tls(inner);
    }
    error.source().is_some_and(is_tls)
}
