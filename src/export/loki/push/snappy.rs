//! A snappy block put together piece by piece.
//!
//! The block format is a length and then a run of elements, in which encoders never look back over
//! a 64 KiB border. So each 64 KiB can be compressed by itself, its own length taken off, and the
//! whole needs no room for itself uncompressed in one piece. The bytes are those that compressing
//! the whole at once gives.

use crate::export::id::{push_varint, take_varint};

/// What snappy's encoders take at once (`kBlockSize`).
const BLOCK: usize = 64 * 1024;

/// A block being written.
pub(crate) struct SnappyBlock {
    encoder: snap::raw::Encoder,
    staged: Vec<u8>,
    scratch: Vec<u8>,
    out: Vec<u8>,
}

impl SnappyBlock {
    /// A block of a length that is known beforehand, in bytes.
    pub(crate) fn new(length: usize) -> Self {
        let mut out = Vec::with_capacity(length / 4 + 16);
        push_varint(&mut out, length as u64);
        Self { encoder: snap::raw::Encoder::new(), staged: Vec::new(), scratch: Vec::new(), out }
    }

    /// Appends bytes.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.staged.len()));
            self.staged.extend_from_slice(now);
            bytes = later;
            if self.staged.len() == BLOCK {
                self.compress();
            }
        }
    }

    /// The block.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.compress();
        self.out.shrink_to_fit();
        self.out
    }

    fn compress(&mut self) {
        if self.staged.is_empty() {
            return;
        }
        self.scratch.resize(snap::raw::max_compress_len(self.staged.len()), 0);
        let written = self.compressed();
        let mut elements = self.scratch.get(..written).unwrap_or_default();
        take_varint(&mut elements);
        self.out.extend_from_slice(elements);
        self.staged.clear();
    }

    #[expect(clippy::expect_used, reason = "fails only for a short buffer or 4 GiB of input")]
    fn compressed(&mut self) -> usize {
        self.encoder.compress(&self.staged, &mut self.scratch).expect("room for the worst case")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_what_compressing_at_once_gives() {
        let mut text = Vec::new();
        for number in 0_u64..40_000 {
            push_varint(&mut text, number.wrapping_mul(0x9e37_79b9));
            text.extend_from_slice(b"GET / 200 ");
        }
        for length in [0, 1, 20, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, text.len()] {
            let whole = &text[..length];
            let mut block = SnappyBlock::new(length);
            for piece in whole.chunks(1_000) {
                block.write(piece);
            }
            let block = block.finish();
            assert_eq!(snap::raw::Decoder::new().decompress_vec(&block).expect("valid"), whole);
            if length > 0 {
                assert_eq!(block, snap::raw::Encoder::new().compress_vec(whole).expect("fits"));
            }
        }
    }
}
