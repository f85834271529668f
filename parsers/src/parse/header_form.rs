//! How the header looks by which a File's lines are read: for whoever goes on in the middle of a File,
//! and has to find it above.

use super::w3c;

/// Which line of a File is its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderForm {
    /// The first one that is not blank, and does not begin with the mark of a comment.
    FirstLine {
        /// That mark.
        comment: Option<u8>,
    },
    /// The last one that begins with [`HeaderForm::DIRECTIVE`]: there may be several.
    Directive {
        /// Nobody said that the File is of such a format: it is only if it begins so.
        guessed: bool,
    },
}

impl HeaderForm {
    /// What a directive begins with that names the columns below it.
    pub const DIRECTIVE: &str = w3c::FIELDS;

    /// Of several, the first that somebody said.
    pub(super) fn surest(forms: impl Iterator<Item = Self>) -> Option<Self> {
        forms.min_by_key(|form| matches!(form, Self::Directive { guessed: true }))
    }

    /// Whether a File whose text begins so may have such a header.
    #[must_use]
    pub fn may_be_in(self, beginning: &str) -> bool {
        match self {
            Self::FirstLine { .. } | Self::Directive { guessed: false } => true,
            Self::Directive { guessed: true } => {
                w3c::DIRECTIVES.iter().any(|known| beginning.starts_with(known))
            }
        }
    }

    /// Whether a line without its end is passed over while the header is looked for from above.
    #[must_use]
    pub fn is_passed(self, line: &str) -> bool {
        match self {
            Self::FirstLine { comment } => {
                let first = line.bytes().next();
                first.is_none() || first == comment
            }
            Self::Directive { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Library;
    use super::*;
    use crate::definition::Definition;

    #[test]
    fn a_parser_says_what_its_header_looks_like() {
        let own = |yaml: &str| Definition::from_yaml(yaml).expect(yaml);
        let user = vec![
            own("{name: marked, grammar: csv, csv: {comment: '#'}}"),
            own("{name: named, grammar: csv, csv: {columns: [a, b]}}"),
            own("{name: inside, grammar: json, nested: marked}"),
            own("{name: wrapped, grammar: logfmt, within: w3c}"),
        ];
        let library = Library::builtin().with(user).expect("good");
        let first = |comment| Some(HeaderForm::FirstLine { comment });
        let directive = |guessed| Some(HeaderForm::Directive { guessed });
        for (names, expect) in [
            (&["csv"][..], first(None)),
            (&["marked"], first(Some(b'#'))),
            (&["named"], None),
            (&["inside"], first(Some(b'#'))),
            (&["json", "marked"], first(Some(b'#'))),
            (&["w3c"], directive(false)),
            (&["wrapped"], directive(false)),
            (&["auto"], directive(true)),
            (&["cri"], directive(true)),
            (&["cri", "w3c"], directive(false)),
            (&["json"], None),
            (&["nothing"], None),
        ] {
            assert_eq!(library.header_form(names.iter().copied()), expect, "{names:?}");
        }
    }

    #[test]
    fn under_auto_only_a_file_of_directives_has_a_header() {
        let guessed = HeaderForm::Directive { guessed: true };
        for (beginning, expect) in
            [("#Software: x", true), ("#Fields: a", true), ("# a comment", false), ("{}", false)]
        {
            assert_eq!(guessed.may_be_in(beginning), expect, "{beginning}");
            assert!(HeaderForm::Directive { guessed: false }.may_be_in(beginning));
        }
    }
}
