//! A private key that began in one record and ends in a later one.

use super::detect::still_open;

/// Records a block may go on for: an RSA key of 16,384 bits takes 200 lines.
const LONGEST: u16 = 512;

/// Records without key material, in a row, after which the block is taken to be over: its BEGIN was
/// only mentioned, or its END is lost. Other threads may log between two lines of a key.
const IDLE: u8 = 12;

/// Headers that stand before a key's first line, with an empty line after them.
const HEADERS: &[&str] =
    &["Proc-Type: ", "DEK-Info: ", "Version: ", "Comment: ", "Hash: ", "Charset: ", "MessageID: "];

/// Whether a record is what may stand between BEGIN and the first line, and so tells nothing of whether
/// a key follows.
fn is_armour(raw: &str) -> bool {
    raw.trim_ascii().is_empty() || HEADERS.iter().any(|header| raw.contains(header))
}

/// Where a lineage stands with regard to private-key blocks. Small, without content: one per
/// lineage, kept in the checkpoint as [`BlockState::is_inside`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockState {
    /// Records the block may still go on for; 0 outside of one.
    left: u16,
    /// Records in a row that held nothing like key material.
    idle: u8,
}

impl BlockState {
    /// The state after a restart.
    #[must_use]
    pub fn resumed(inside: bool) -> Self {
        let mut state = Self::default();
        if inside {
            state.enter();
        }
        state
    }

    /// Whether the next record may hold more of a private key.
    #[must_use]
    pub const fn is_inside(self) -> bool {
        self.left > 0
    }

    /// A block began and did not end in its record.
    fn enter(&mut self) {
        *self = Self { left: LONGEST, idle: 0 };
    }

    /// Follows a raw record that may begin, continue or end a block; `material`: whether it surely holds
    /// more of a key.
    pub(super) fn follow(&mut self, raw: &str, material: bool) {
        match still_open(raw) {
            Some(true) => self.enter(),
            Some(false) => *self = Self::default(),
            None if self.is_inside() => {
                self.left -= 1;
                self.idle = if material { 0 } else { self.idle + u8::from(!is_armour(raw)) };
                if self.idle >= IDLE {
                    *self = Self::default();
                }
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::detect::Material;
    use super::{BlockState, IDLE};

    const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
    const MATERIAL: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

    fn after(records: &[&str]) -> bool {
        let mut state = BlockState::default();
        records.iter().for_each(|raw| state.follow(raw, Material::of(raw).sure));
        state.is_inside()
    }

    #[test]
    fn a_block_lasts_until_its_end() {
        assert!(!after(&["hello", MATERIAL]));
        assert!(after(&[BEGIN, MATERIAL, "10:00 other thread", MATERIAL]));
        assert!(!after(&[BEGIN, MATERIAL, "-----END PRIVATE KEY-----"]));
    }

    #[test]
    fn a_block_that_never_ends_is_given_up() {
        let other = ["request served"; IDLE as usize];
        assert!(!after(&[&[BEGIN][..], &other].concat()));
        assert!(after(&[&[BEGIN][..], &other[1..]].concat()));
        assert!(after(&[&[BEGIN][..], &other[1..], &[MATERIAL], &other[1..]].concat()));
        assert!(!after(&[&[BEGIN][..], &[MATERIAL; 512]].concat()));
    }

    #[test]
    fn headers_and_empty_records_do_not_count() {
        let headers = ["Version: GnuPG v2", "Comment: https://gnupg.org", "Hash: SHA512", ""];
        let other = ["request served"; IDLE as usize];
        assert!(after(&[&[BEGIN][..], &headers, &headers, &other[1..]].concat()));
        assert!(!after(&[&[BEGIN][..], &[""; 512]].concat()));
    }

    #[test]
    fn a_restart_goes_on_inside() {
        assert!(BlockState::resumed(true).is_inside());
        assert!(!BlockState::resumed(false).is_inside());
    }
}
