//! How a definition reads a line: what it is wrapped in, itself, and what its message holds.

use super::super::grammar::Context;
use super::super::trace::whole_or_head;
use super::super::{Misfit, auto, crash, nested, trace};
use super::{Compiled, Method, program};
use crate::record::Record;

impl Compiled {
    /// Whether a text could be of this format, from its first bytes.
    fn could_be(&self, text: &str) -> bool {
        match &*self.method {
            Method::Grammar(grammar) => grammar.probe.is_none_or(|probe| probe(text.as_bytes())),
            _ => true,
        }
    }

    /// Fills the record from a text that is wrapped in nothing, and all of which fits.
    pub(in super::super) fn read_unwrapped<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        if self.reads_in(cx) {
            self.fill(text, cx, record)?;
        } else {
            let mut refined = cx.refined(self.refine.as_deref(), &self.dialect);
            self.fill(text, &mut refined, record)?;
            if let Some(refine) = &self.refine {
                refine.apply(record, &mut refined)?;
            }
        }
        self.read_nested(record, cx);
        Ok(())
    }

    /// Whether it needs no context of its own: layouts and patterns have nothing to refine, and must not
    /// see what another has.
    #[inline]
    fn reads_in(&self, cx: &Context<'_, '_>) -> bool {
        cx.refine.is_none() && matches!(*self.method, Method::Layout(_) | Method::Pattern(_))
    }

    /// Fills the record from a text, or from its first line if that alone fits. Gives what lies below
    /// it.
    pub(in super::super) fn read<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<&'a str, Misfit> {
        let below = match &self.within {
            Some(outer) if outer.could_be(text) => match outer.read(text, cx, record) {
                Ok(below) => {
                    let read = self.read_message(record, cx);
                    // Of a line that is known to be so wrapped, what is another program's, or not as
                    // expected, stays a message.
                    return if cx.guessing { read.map(|()| below) } else { Ok(below) };
                }
                Err(_) => {
                    auto::clear(record);
                    self.read_bare(text, cx, record)?
                }
            },
            _ => self.read_bare(text, cx, record)?,
        };
        self.read_nested(record, cx);
        Ok(below)
    }

    /// Reads the message further.
    fn read_nested<'a>(&self, record: &mut Record<'a>, cx: &mut Context<'_, 'a>) {
        if let Some(nested) = &self.nested {
            let guessing = std::mem::replace(&mut cx.guessing, true);
            // A message that is nothing further is what it is.
            let read = nested::message(record, cx, |text, cx, record| {
                nested.read(text, cx, record).and_then(complete)
            });
            // `auto` may have read already by what is named behind it: that one's turn is over.
            let is_read = |auto: &&mut auto::Auto| auto.has_read_by(nested);
            if read.is_err() && self.finds() && cx.auto.as_ref().is_some_and(is_read) {
                nested.read_nested(record, cx);
            }
            cx.guessing = guessing;
        }
    }

    /// Reads the message of what the line was wrapped in, if it is of one of our programs.
    fn read_message<'a>(
        &self,
        record: &mut Record<'a>,
        cx: &mut Context<'_, 'a>,
    ) -> Result<(), Misfit> {
        if !self.is_of(program(record)) {
            return Err(Misfit::Syntax);
        }
        self.read_inside(record, cx)
    }

    /// Reads the message of what the line was wrapped in.
    pub(in super::super) fn read_inside<'a>(
        &self,
        record: &mut Record<'a>,
        cx: &mut Context<'_, 'a>,
    ) -> Result<(), Misfit> {
        nested::message(record, cx, |text, cx, record| {
            // rsyslog keeps the blank that it found behind a tag, where its own form has one already.
            self.read_bare(text.trim_start_matches(' '), cx, record).and_then(complete)
        })?;
        self.read_nested(record, cx);
        Ok(())
    }

    /// Reads a text that is wrapped in nothing, or its first line. Gives what lies below that.
    fn read_bare<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<&'a str, Misfit> {
        let bad_times = *cx.bad_times;
        if self.reads_in(cx) {
            return whole_or_head(text, record, |text, record| {
                *cx.bad_times = bad_times;
                self.fill(text, cx, record)
            });
        }
        let mut cx = cx.refined(self.refine.as_deref(), &self.dialect);
        if let Method::Auto = *self.method {
            return read_auto(text, &mut cx, record);
        }
        let below = whole_or_head(text, record, |text, record| {
            *cx.bad_times = bad_times;
            self.fill(text, &mut cx, record)
        })?;
        if let Some(refine) = &self.refine {
            refine.apply(record, &mut cx)?;
        }
        Ok(below)
    }

    /// Fills the record from a text, by what is not refined yet.
    #[inline]
    fn fill<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        match &*self.method {
            Method::Auto => Err(Misfit::Syntax),
            Method::Grammar(grammar) => (grammar.read)(text, cx, record),
            Method::Layout(layout) => layout.read(text, cx, record),
            Method::Pattern(pattern) => pattern.read(text, cx, record),
        }
    }
}

fn read_auto<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<&'a str, Misfit> {
    let Some(auto) = cx.auto.take() else { return Err(Misfit::Syntax) };
    let guessing = std::mem::replace(&mut cx.guessing, true);
    let found = auto.read(text, cx, record);
    cx.guessing = guessing;
    let below = match found {
        auto::Found::Fitted(below) => below,
        auto::Found::Unfit(misfit) => {
            auto::clear(record);
            return if crash::put(record, text) { Ok("") } else { Err(misfit) };
        }
        auto::Found::Plain => {
            auto::clear(record);
            if !crash::put(record, text) {
                trace::put(record, text);
            }
            return Ok("");
        }
    };
    if let Some(refine) = cx.refine {
        refine.apply(record, cx)?;
    }
    Ok(below)
}

/// A message is read as a whole, or not.
fn complete(below: &str) -> Result<(), Misfit> {
    if below.is_empty() { Ok(()) } else { Err(Misfit::Syntax) }
}
