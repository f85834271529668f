//! What Kubernetes says of the pod: by environment variables and by the files of a downward-API volume.
//! It becomes constant fields, named as Filebeat names them.
//!
//! Nothing here is a mistake in the configuration: it is checked where no pod is, too. What could not
//! be learned is said when the agent starts.

mod unquote;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::GlobMatcher;
use xxhash_rust::xxh3::Xxh3;

use super::Environment;
use super::template::read_text;
use unquote::unquote;

/// Most bytes of a file: Kubernetes allows 256 KiB of annotations, before they are quoted.
const FILE: usize = 1 << 20;

/// Most labels and annotations, together.
const MOST: usize = 64;

/// Most bytes of a value; what is longer is cut.
const VALUE: usize = 1024;

/// Files of single values, the variable for the same, and the field.
const SINGLE: [(&str, &str, &str); 5] = [
    ("name", "POD_NAME", "kubernetes.pod.name"),
    ("namespace", "POD_NAMESPACE", "kubernetes.namespace"),
    ("uid", "POD_UID", "kubernetes.pod.uid"),
    ("", "POD_IP", "kubernetes.pod.ip"),
    ("", "NODE_NAME", "kubernetes.node.name"),
];

/// Files of lines `key="value"`.
const MAPS: [&str; 2] = ["labels", "annotations"];

/// What is asked of the pod.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// Where the volume is mounted.
    pub(super) volume: Option<PathBuf>,
    /// Which labels are wanted.
    pub(super) labels: Vec<GlobMatcher>,
    /// Which annotations are.
    pub(super) annotations: Vec<GlobMatcher>,
}

/// What the pod says.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    asked: Asked,
    /// Constant fields of every record.
    pub fields: BTreeMap<String, String>,
    /// What could not be learned, for a person.
    pub problems: Vec<String>,
}

impl Pod {
    /// Asks the environment and the volume; the volume counts more.
    pub(super) fn learn(asked: &Asked, environment: &Environment<'_>) -> Self {
        let mut pod = Self { asked: asked.clone(), ..Self::default() };
        for (_, variable, field) in SINGLE {
            if let Some(value) = environment(variable).filter(|value| !value.is_empty()) {
                pod.add(field, &value);
            }
        }
        if let Some(volume) = &asked.volume {
            pod.learn_from(volume, asked);
        }
        if pod.fields.is_empty() {
            pod.problems.push(
                "nothing is known of the pod: neither POD_NAME, POD_NAMESPACE nor NODE_NAME is set, \
                 and there is no volume with its labels"
                    .to_owned(),
            );
        }
        pod
    }

    /// The same, asked again: its files change while the pod lives.
    #[must_use]
    pub fn learn_again(&self, environment: &Environment<'_>) -> Self {
        Self::learn(&self.asked, environment)
    }

    /// A hash of the fields: the same as long as nothing changes that was asked for.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let mut hash = Xxh3::new();
        for text in self.fields.iter().flat_map(|(key, value)| [key, value]) {
            hash.update(&text.len().to_le_bytes());
            hash.update(text.as_bytes());
        }
        hash.digest()
    }

    /// The files of the volume that may count.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        let single = SINGLE.into_iter().map(|(name, ..)| name).filter(|name| !name.is_empty());
        let volume = self.asked.volume.iter();
        volume.flat_map(move |volume| single.clone().chain(MAPS).map(|name| volume.join(name)))
    }

    fn learn_from(&mut self, volume: &Path, asked: &Asked) {
        if !volume.is_dir() {
            let volume = volume.display();
            self.problems
                .push(format!("there is no directory {volume}: mount the downward API there"));
            return;
        }
        for (name, _, field) in SINGLE.into_iter().filter(|(name, ..)| !name.is_empty()) {
            if let Some(value) = self.read(&volume.join(name)).filter(|value| !value.is_empty()) {
                self.add(field, &value);
            }
        }
        for (name, wanted) in MAPS.into_iter().zip([&asked.labels, &asked.annotations]) {
            if wanted.is_empty() {
                continue;
            }
            let path = volume.join(name);
            let Some(text) = self.read(&path) else {
                self.problem(&format!(
                    "there is no {}: mount `metadata.{name}` there",
                    path.display()
                ));
                continue;
            };
            for line in text.lines() {
                let pair =
                    line.split_once('=').and_then(|(key, value)| Some((key, unquote(value)?)));
                match pair {
                    Some((key, value)) if wanted.iter().any(|glob| glob.is_match(key)) => {
                        self.add_named(name, key, &value);
                    }
                    Some(_) => {}
                    None if line.trim().is_empty() => {}
                    None => {
                        let problem = "a line of {} is not `key=\"value\"`";
                        self.problem(&problem.replace("{}", &path.display().to_string()));
                    }
                }
            }
        }
    }

    /// A file's text, empty when it is not fit to be read; `None` when it is not there.
    fn read(&mut self, path: &Path) -> Option<String> {
        // One of which that cannot be told is there.
        if path.try_exists().is_ok_and(|there| !there) {
            return None;
        }
        let read = read_text(path, FILE);
        let problem = |problem| self.problem(&format!("{}: {problem}", path.display()));
        Some(read.map_err(problem).unwrap_or_default())
    }

    /// Adds a label or an annotation. Dots in its key would be taken for objects.
    fn add_named(&mut self, kind: &str, key: &str, value: &str) {
        let named = self.fields.keys().filter(|name| {
            MAPS.iter().any(|kind| name.starts_with(&format!("kubernetes.{kind}.")))
        });
        if named.count() >= MOST {
            self.problem(&format!("more than {MOST} labels and annotations: not all are added"));
        } else if !key.is_empty() && key.len() <= 320 {
            let field = format!("kubernetes.{kind}.{}", key.replace('.', "_"));
            if self.fields.contains_key(&field) {
                self.problem(&format!("two {kind} have the name {field}: only the first is added"));
            } else {
                self.add(&field, value);
            }
        }
    }

    fn add(&mut self, field: &str, value: &str) {
        let end = (0..=VALUE.min(value.len())).rev().find(|end| value.is_char_boundary(*end));
        let cut = value.get(..end.unwrap_or(0)).unwrap_or_default();
        if cut.len() < value.len() {
            self.problem(&format!("{field} is cut at {VALUE} bytes"));
        }
        self.fields.insert(field.to_owned(), cut.to_owned());
    }

    /// Notes a problem, once.
    fn problem(&mut self, problem: &str) {
        if !self.problems.iter().any(|known| known == problem) {
            self.problems.push(problem.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use globset::Glob;

    use super::*;

    fn globs(patterns: &[&str]) -> Vec<GlobMatcher> {
        patterns.iter().map(|it| Glob::new(it).expect("a glob").compile_matcher()).collect()
    }

    fn asked(volume: Option<&Path>, labels: &[&str], annotations: &[&str]) -> Asked {
        let volume = volume.map(Path::to_owned);
        Asked { volume, labels: globs(labels), annotations: globs(annotations) }
    }

    #[test]
    fn fields_are_named_as_filebeat_names_them() {
        let dir = tempfile::tempdir().expect("a directory");
        let labels = "app=\"shop\"\napp.kubernetes.io/name=\"the \\\"shop\\\"\"\nother=\"no\"\n";
        fs::write(dir.path().join("labels"), labels).expect("written");
        fs::write(dir.path().join("annotations"), "note=\"two\\nlines é\"").expect("written");
        fs::write(dir.path().join("namespace"), "prod\n").expect("written");
        let environment = |name: &str| match name {
            "POD_NAME" => Some("shop-1".to_owned()),
            "POD_NAMESPACE" => Some("overridden".to_owned()),
            "NODE_NAME" => Some("node-7".to_owned()),
            "POD_IP" => Some(String::new()),
            _ => None,
        };
        let asked = asked(Some(dir.path()), &["app", "app.kubernetes.io/*"], &["*"]);
        let pod = Pod::learn(&asked, &environment);
        let found: Vec<_> =
            pod.fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let expect = [
            "kubernetes.annotations.note=two\nlines é",
            "kubernetes.labels.app=shop",
            "kubernetes.labels.app_kubernetes_io/name=the \"shop\"",
            "kubernetes.namespace=prod",
            "kubernetes.node.name=node-7",
            "kubernetes.pod.name=shop-1",
        ];
        assert_eq!(found, expect);
        assert!(pod.problems.is_empty(), "{:?}", pod.problems);
    }

    #[test]
    fn what_is_missing_or_malformed_is_said_and_nothing_else() {
        let check = |asked: &Asked, expect: &[&str]| {
            let pod = Pod::learn(asked, &|_| None);
            assert_eq!(pod.problems.len(), expect.len(), "{:?}", pod.problems);
            for (found, expect) in pod.problems.iter().zip(expect) {
                assert!(found.contains(expect), "{found}");
            }
            pod.fields.len()
        };
        check(&asked(None, &["*"], &[]), &["nothing is known"]);
        let nowhere = Path::new("/nowhere/podinfo");
        check(&asked(Some(nowhere), &["*"], &[]), &["no directory", "nothing is known"]);
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("labels"), "a=\"1\"\nb=2\nc\n\nd=\"\\q\"\n").expect("written");
        assert_eq!(check(&asked(Some(dir.path()), &["*"], &[]), &["a line of"]), 1);
        // A volume that is mounted under other names.
        let both = &asked(Some(dir.path()), &["*"], &["note"]);
        assert_eq!(check(both, &["a line of", "annotations: mount `metadata.annotations`"]), 1);
        fs::rename(dir.path().join("labels"), dir.path().join("label")).expect("renamed");
        let missing = ["labels: mount `metadata.labels` there", "nothing is known"];
        check(&asked(Some(dir.path()), &["*"], &[]), &missing);
        check(&asked(Some(dir.path()), &[], &[]), &missing[1..]);
        fs::write(dir.path().join("labels"), b"\xff").expect("written");
        check(&asked(Some(dir.path()), &["*"], &[]), &["not UTF-8", "nothing is known"]);
    }

    #[test]
    fn count_and_length_are_bounded() {
        let dir = tempfile::tempdir().expect("a directory");
        let labels: String = (0..200).map(|n| format!("l{n}=\"v\"\n")).collect();
        fs::write(dir.path().join("labels"), labels).expect("written");
        fs::write(dir.path().join("name"), "é".repeat(VALUE)).expect("written");
        let pod = Pod::learn(&asked(Some(dir.path()), &["*"], &[]), &|_| None);
        assert_eq!((pod.fields.len(), pod.problems.len()), (MOST + 1, 2));
        assert_eq!(pod.fields["kubernetes.pod.name"].len(), VALUE);
    }

    #[test]
    fn only_what_was_asked_for_changes_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            fs::write(dir.path().join(name), text).expect("written");
        };
        write("labels", "app=\"a\"\nother=\"a\"\n");
        write("annotations", "checked=\"at ten\"\n");
        let pod = Pod::learn(&asked(Some(dir.path()), &["app"], &[]), &|_| None);
        let same = || pod.learn_again(&|_| None).hash() == pod.hash();
        write("annotations", "checked=\"at eleven\"\n");
        write("labels", "other=\"b\"\napp=\"a\"\n");
        assert!(same());
        write("labels", "app=\"b\"\n");
        assert!(!same());
    }

    #[test]
    fn two_labels_of_one_name_are_said() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("labels"), "a.b=\"1\"\na_b=\"2\"\n").expect("written");
        let pod = Pod::learn(&asked(Some(dir.path()), &["*"], &[]), &|_| None);
        assert_eq!(pod.fields["kubernetes.labels.a_b"], "1");
        assert_eq!(
            pod.problems,
            ["two labels have the name kubernetes.labels.a_b: only the first is added"]
        );
    }
}
