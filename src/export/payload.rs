//! A closed batch's bytes, ready to be sent, and sent again unchanged.

use bytes::Bytes;

/// What is sent. Cheap to clone: a retry sends the same bytes.
#[derive(Clone)]
pub struct Payload {
    /// The body as it goes over the wire (compressed), or the lines for `console` and `file`.
    pub body: Bytes,
    /// Its length before compression, in bytes.
    pub plain_bytes: usize,
    /// Records in it; an outcome counts positions from 0 to this.
    pub records: u32,
    /// Each record's id, in order, for destinations whose body does not carry them (Loki, and
    /// Elasticsearch with `ids: false`): what a dead letter names. Encoded by the encoder that
    /// made the payload; empty otherwise.
    pub ids: Bytes,
}

impl Payload {
    /// Bytes of memory it takes.
    #[must_use]
    pub fn resident(&self) -> usize {
        self.body.len() + self.ids.len() + size_of::<Self>()
    }
}

impl std::fmt::Debug for Payload {
    /// Sizes only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Payload({} records, {} bytes, {} plain)",
            self.records,
            self.body.len(),
            self.plain_bytes
        )
    }
}
