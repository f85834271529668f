//! The `Authorization` header, made anew for each request from credentials that may have been
//! rotated since the last.

use reqwest::header::HeaderValue;

use crate::config::secret::SecretError;
use crate::config::settings::Auth;

/// Why there is no header. Never holds any of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthError {
    /// A credential could not be read.
    Unreadable(SecretError),
    /// It holds what no header can carry.
    NotAHeader,
}

impl std::fmt::Display for AuthError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "{error}"),
            Self::NotAHeader => write!(f, "the credential holds what no HTTP header can carry"),
        }
    }
}

/// The header for `auth` as of now, marked sensitive; `None` without credentials. Blocks on reads of
/// small local files, where credentials are in files.
///
/// # Errors
///
/// When a credential cannot be read, or not be put into a header.
pub fn header(auth: &Auth) -> Result<Option<HeaderValue>, AuthError> {
    let text = match auth {
        Auth::None => return Ok(None),
        Auth::Basic { user, password } => {
            let password = password.read().map_err(AuthError::Unreadable)?;
            format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
        }
        Auth::ApiKey(key) => {
            let key = key.read().map_err(AuthError::Unreadable)?;
            // A colon is not in base64's alphabet: this is `id:key`, as Kibana also shows it.
            let encoded = if key.contains(':') { base64(key.as_bytes()) } else { key };
            format!("ApiKey {encoded}")
        }
        Auth::Bearer(token) => {
            format!("Bearer {}", token.read().map_err(AuthError::Unreadable)?)
        }
    };
    let mut value = HeaderValue::try_from(text).map_err(|_| AuthError::NotAHeader)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Standard base64 with padding (RFC 4648 section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3)
            .fold(0_u32, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4_usize {
            let six = (bits >> (18 - 6 * at)) & 63;
            let letter = ALPHABET.get(six as usize).copied().unwrap_or(b'=');
            text.push(char::from(if at <= group.len() { letter } else { b'=' }));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::secret::Secret;

    #[track_caller]
    fn check(auth: &Auth, expect: &str) {
        let value = header(auth).expect("readable").expect("a header");
        assert_eq!(value, expect);
        assert!(value.is_sensitive(), "not to be shown by a debugger of headers");
    }

    #[test]
    fn each_scheme_is_written_as_servers_read_it() {
        let secret = |text: &str| Secret::from_text(text);
        // The example of RFC 7617 section 2.
        let user = "Aladdin".to_owned();
        check(
            &Auth::Basic { user, password: secret("open sesame") },
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        );
        check(&Auth::ApiKey(secret("aWQ6a2V5")), "ApiKey aWQ6a2V5");
        check(&Auth::ApiKey(secret("id:key")), "ApiKey aWQ6a2V5");
        check(&Auth::Bearer(secret("abc")), "Bearer abc");
        assert_eq!(header(&Auth::None), Ok(None));
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("??>", "Pz8+"),
        ] {
            assert_eq!(base64(plain.as_bytes()), text);
        }
    }

    #[test]
    fn a_credential_that_cannot_be_read_is_said_and_not_shown() {
        let error =
            header(&Auth::Bearer(Secret::from_file("/nonexistent/token"))).expect_err("no file");
        assert!(error.to_string().contains("/nonexistent/token"));
    }
}
