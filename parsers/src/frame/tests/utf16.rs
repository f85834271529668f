//! Lines of UTF-16: decoded text, and spans and hashes of the bytes as they are in the File.

use super::*;

/// A text's bytes in that encoding.
pub(super) fn encoded(encoding: Encoding, text: &str) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

#[test]
fn utf_16_is_decoded_and_its_own_bytes_are_what_the_record_is_made_of() {
    for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
        let line = |text| encoded(encoding, text);
        let mut bench = Bench::new(Container::None, "none");
        bench.encoding = encoding;
        bench.push("\u{feff}\u{10a}ne\r\n\n\u{a00}😀\n");
        // Half a character of a line that was cut, and the other half before the next.
        let cut = [line("ab"), line("c")[..1].to_vec()].concat();
        bench.push_at(&cut, LineEnding::Cut { end: 33 }, 0);
        bench.push_at(&[&[0x61][..], &line("d\n")].concat(), LineEnding::Newline, 0);
        let found: Vec<_> = bench
            .flush()
            .into_iter()
            .map(|it| (it.text, (it.spans[0].1, it.spans[0].2), it.hash, it.truncated))
            .collect();
        let hash = |bytes: &[u8]| xxh3_64(bytes) as u32;
        let expect = [
            ("\u{10a}ne", (0, 12), hash(&line("\u{feff}\u{10a}ne\r\n")), false),
            ("", (12, 14), hash(&line("\n")), false),
            ("\u{a00}😀", (14, 22), hash(&line("\u{a00}😀\n")), false),
            ("ab\u{fffd}", (22, 33), !hash(b"ab\xff"), true),
            ("\u{fffd}d", (33, 38), hash(&[&[0x61][..], &line("d\n")].concat()), false),
        ];
        assert_eq!(found, expect.map(|(text, at, hash, cut)| (text.to_owned(), at, hash, cut)));
    }
}
