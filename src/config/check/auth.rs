//! How to authenticate: at most one way, and all of it.

use crate::config::diagnostic::Mistake;
use crate::config::read::{Fields, Reader, Value};
use crate::config::settings::Auth;

/// Reads `user` and `password`, `bearer`, and where the server has them `api_key`.
pub(super) fn auth(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    has_api_keys: bool,
) -> Option<Auth> {
    let user = fields.take("user");
    let password = fields.take("password");
    let bearer = fields.take("bearer");
    let api_key = if has_api_keys { fields.take("api_key") } else { None };
    let ways = [user.or(password), api_key, bearer];
    let given: Vec<Value<'_>> = ways.into_iter().flatten().collect();
    if let [first, second, ..] = given.as_slice() {
        reader.mistake(
            Mistake::at(second.key, "there is more than one way to authenticate")
                .label("another way")
                .related(first.key, "one way")
                .help("keep one of them"),
        );
    }
    // Read even when there are too many: their own mistakes are to be seen too.
    let basic = basic(reader, user, password);
    let api_key = api_key.map(|value| reader.secret(value).map(Auth::ApiKey));
    let bearer = bearer.map(|value| reader.secret(value).map(Auth::Bearer));
    if given.len() > 1 {
        return None;
    }
    basic.or(api_key).or(bearer).unwrap_or(Some(Auth::None))
}

fn basic(
    reader: &mut Reader<'_>,
    user: Option<Value<'_>>,
    password: Option<Value<'_>>,
) -> Option<Option<Auth>> {
    match (user, password) {
        (None, None) => None,
        (Some(user), Some(password)) => {
            let name = reader.filled(user, "a user name");
            let name = name.filter(|name| {
                // RFC 7617, section 2.
                let fits = !name.contains(':') && !name.chars().any(char::is_control);
                if !fits {
                    let problem = "a user name cannot hold a colon or a control character";
                    reader.mistake(Mistake::at(user.place(), problem));
                }
                fits
            });
            let password = reader.secret(password);
            Some(name.zip(password).map(|(user, password)| Auth::Basic { user, password }))
        }
        (Some(user), None) => {
            let mistake = Mistake::at(user.key, "`user` is given without `password`");
            reader.mistake(mistake.help("write `password: \"${file:/run/secrets/password}\"`"));
            Some(None)
        }
        (None, Some(password)) => {
            reader.mistake(Mistake::at(password.key, "`password` is given without `user`"));
            reader.secret(password);
            Some(None)
        }
    }
}
