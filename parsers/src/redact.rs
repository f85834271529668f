//! Finds personal data and secrets in records and takes them out: the only way to a [`Redacted`],
//! which is the only thing an encoder accepts.
//!
//! One sweep over the raw record decides whether anything could be there at all, and where; on a clean
//! line nothing else runs, and of JSON with an e-mail address only the field that it is in is looked at
//! closer. What the raw bytes do not cover (text that was decoded, built or renamed) is
//! swept on its own. Rules are declared in `rules/`, one file each, with samples; `detect` holds the
//! detectors they name. Past a bounded amount of work a value is masked whole: it fails closed.

mod action;
mod allow;
mod block;
mod builtin_names;
mod bytes;
mod check;
mod chosen;
mod clean;
mod custom;
mod decode;
mod detect;
mod json;
mod keys;
mod mask;
mod names;
mod partial;
mod pass;
mod redactor;
mod renaming;
mod rule_file;
mod rules;
mod scan;
mod selection;
mod shapes;
mod suspects;
mod sweep;
mod work;

#[cfg(test)]
mod tests;

pub use action::{Action, FieldAction};
pub use allow::{Allow, AllowedPattern, Network};
pub use block::BlockState;
pub(crate) use builtin_names::{ends_in_secret, gives_away, has_secret, is_guarded, names_secret};
pub use clean::{Clean, Redacted};
pub use redactor::{Match, Place, Redactor, Why};
pub use rule_file::RuleFile;
pub use rules::Rules;
pub use selection::{CustomRule, RuleError, RuleSelection};
