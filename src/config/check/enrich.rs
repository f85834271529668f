//! Constant fields that are not typed but learned: from the pod that the agent runs in.

use globset::{GlobBuilder, GlobMatcher};

use crate::config::diagnostic::Mistake;
use crate::config::pod::{Asked, Pod};
use crate::config::read::{Reader, Value};

/// What is learned; nothing unless it is asked for.
pub(super) fn enrich(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Pod> {
    let mut fields = reader.map(value)?;
    let kubernetes = fields.need("kubernetes", "write `kubernetes: { volume: /etc/podinfo }`");
    let asked = kubernetes.and_then(|value| kubernetes_asked(reader, value));
    fields.finish(reader);
    asked.map(|asked| reader.learn(&asked))
}

fn kubernetes_asked(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Asked> {
    let mut fields = reader.map_or_nothing(value)?;
    let volume = fields.take("volume").map_or(Some(None), |value| reader.path(value).map(Some));
    let mut wanted = |key, default| match fields.take(key) {
        Some(value) => {
            let patterns = reader.list(value);
            super::all(patterns.into_iter().map(|value| glob(reader, value)))
        }
        None => Some(Vec::from_iter(default)),
    };
    let labels = wanted("labels", compiled("*"));
    let annotations = wanted("annotations", None);
    fields.finish(reader);
    Some(Asked { volume: volume?, labels: labels?, annotations: annotations? })
}

fn glob(reader: &mut Reader<'_>, value: Value<'_>) -> Option<GlobMatcher> {
    let pattern = reader.filled(value, "a key, or a glob of keys")?;
    let glob = compiled(&pattern);
    if glob.is_none() {
        let mistake = Mistake::at(value.place(), "this glob cannot be used");
        reader.mistake(mistake.help("write `app`, `app.kubernetes.io/*` or `*`"));
    }
    glob
}

fn compiled(pattern: &str) -> Option<GlobMatcher> {
    GlobBuilder::new(pattern).build().ok().map(|glob| glob.compile_matcher())
}
