//! Bodies in and out: decompression with a limit, and answers that may break off.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, GzDecoder, MultiGzDecoder, ZlibDecoder};
use hyper::body::{Body, Frame, SizeHint};

/// Why a body could not be had in plain.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is more than the limit after decompression.
    TooLarge,
    /// The compressed stream is broken, cut, or followed by something else.
    Corrupt,
}

/// How a body is compressed. The servers differ in what they take for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// One gzip member, and nothing after it: Netty's decoder stops there.
    Gzip,
    /// gzip members: Go's reader goes on.
    GzipMembers,
    /// zlib, or raw deflate where no zlib header is (Netty's `ZLIB_OR_NONE`).
    Zlib,
    /// Raw deflate only, as Go's `compress/flate`.
    Deflate,
    /// A snappy block.
    Snappy,
}

/// Decompresses `body`, to at most `limit` bytes.
pub(super) fn decode(body: &Bytes, encoding: Encoding, limit: usize) -> Result<Bytes, Unreadable> {
    match encoding {
        Encoding::Gzip => whole(GzDecoder::new(&body[..]), limit, |rest| rest.into_inner()),
        Encoding::GzipMembers => {
            whole(MultiGzDecoder::new(&body[..]), limit, |rest| rest.into_inner())
        }
        Encoding::Zlib if zlib_header(body) => {
            whole(ZlibDecoder::new(&body[..]), limit, |rest| rest.into_inner())
        }
        Encoding::Zlib | Encoding::Deflate => {
            whole(DeflateDecoder::new(&body[..]), limit, |rest| rest.into_inner())
        }
        Encoding::Snappy => {
            let length = snap::raw::decompress_len(body).map_err(|_| Unreadable::Corrupt)?;
            if length > limit {
                return Err(Unreadable::TooLarge);
            }
            let plain = snap::raw::Decoder::new().decompress_vec(body);
            plain.map(Bytes::from).map_err(|_| Unreadable::Corrupt)
        }
    }
}

/// Feeds the decompressed bytes to `each` in pieces, keeping none.
pub(super) fn decode_through(
    body: &Bytes,
    gzip: bool,
    mut each: impl FnMut(&[u8]),
) -> Result<(), Unreadable> {
    if !gzip {
        each(body);
        return Ok(());
    }
    let mut decoder = GzDecoder::new(&body[..]);
    let mut piece = vec![0; 64 << 10];
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => each(piece.get(..read).unwrap_or_default()),
            Err(_) => return Err(Unreadable::Corrupt),
        }
    }
}

/// RFC 1950 section 2.2: method 8, and a multiple of 31.
fn zlib_header(body: &[u8]) -> bool {
    matches!(body, [cmf, flg, ..]
        if cmf & 0x0f == 8 && (u16::from(*cmf) << 8 | u16::from(*flg)) % 31 == 0)
}

fn whole<'a, R: Read>(
    mut decoder: R,
    limit: usize,
    rest: impl FnOnce(R) -> &'a [u8],
) -> Result<Bytes, Unreadable> {
    let mut plain = Vec::new();
    let room = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.by_ref().take(room).read_to_end(&mut plain).map_err(|_| Unreadable::Corrupt)?;
    if plain.len() > limit {
        return Err(Unreadable::TooLarge);
    }
    if rest(decoder).is_empty() { Ok(Bytes::from(plain)) } else { Err(Unreadable::Corrupt) }
}

/// An answer's body: whole, or breaking off after a part.
#[derive(Debug)]
pub(super) enum ReplyBody {
    /// All of it, sent at once.
    Whole(Bytes),
    /// This part, then the connection closes, although the head promised more.
    Cut(Part),
    /// This part, then nothing, although the head promised more.
    Stalled(Bytes),
}

/// Where a body that breaks off has come to.
#[derive(Debug)]
pub(super) enum Part {
    /// The part is to be sent.
    Unsent(Bytes),
    /// It is sent; one more turn lets the connection flush it.
    Flushing,
    /// The next look breaks off.
    Broken,
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            // Nobody will wake it: the connection is closed by the other side, or with the server.
            Self::Stalled(bytes) if bytes.is_empty() => Poll::Pending,
            Self::Stalled(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Cut(part) => match std::mem::replace(part, Part::Flushing) {
                Part::Unsent(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Part::Flushing => {
                    *part = Part::Broken;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                Part::Broken => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Cut(_) | Self::Stalled(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).expect("to memory");
        encoder.finish().expect("to memory")
    }

    fn check(body: Vec<u8>, encoding: Encoding, limit: usize, expect: Result<&str, Unreadable>) {
        let expect = expect.map(|text| Bytes::copy_from_slice(text.as_bytes()));
        assert_eq!(decode(&Bytes::from(body), encoding, limit), expect, "{encoding:?} {limit}");
    }

    #[test]
    fn each_encoding_is_decoded_to_its_limit_and_its_end() {
        use Encoding::*;
        let twice = [gzip(b"ab"), gzip(b"cd")].concat();
        let cut = gzip(b"abcd")[..12].to_vec();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"ab").expect("to memory");
        let zlib = zlib.finish().expect("to memory");
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(b"ab").expect("to memory");
        let raw = raw.finish().expect("to memory");
        check(gzip(b"ab"), Gzip, 2, Ok("ab"));
        check(gzip(b"abc"), Gzip, 2, Err(Unreadable::TooLarge));
        check(gzip(&[b'0'; 1 << 20]), Gzip, 1000, Err(Unreadable::TooLarge));
        check(twice.clone(), Gzip, 9, Err(Unreadable::Corrupt));
        check(twice, GzipMembers, 9, Ok("abcd"));
        check(cut, Gzip, 9, Err(Unreadable::Corrupt));
        check(b"{}\n".to_vec(), Gzip, 9, Err(Unreadable::Corrupt));
        check(zlib.clone(), Zlib, 9, Ok("ab"));
        check(raw.clone(), Zlib, 9, Ok("ab"));
        check(raw, Deflate, 9, Ok("ab"));
        check(zlib, Deflate, 9, Err(Unreadable::Corrupt));
        let snappy = snap::raw::Encoder::new().compress_vec(b"abc").expect("small");
        check(snappy.clone(), Snappy, 3, Ok("abc"));
        check(snappy, Snappy, 2, Err(Unreadable::TooLarge));
        check(vec![0xff; 9], Snappy, 2, Err(Unreadable::Corrupt));
    }
}
