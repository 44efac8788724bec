//! Where a COPY or ADD puts what it takes, as far as the text and the context tell.

use super::model::Model;
use crate::context::{Entry, go_match, has_wildcards, path};
use crate::graph::{CopySource, CopySourceKind, CopyStep, Source, StepId, StepKind};

/// Something that a COPY or ADD writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The source that it comes from, an index into [`CopyStep::sources`]; `None` for a file written in the Dockerfile.
    pub source: Option<usize>,
    /// What of the source it is: a path in the context, stage or image that it is taken from, clean and relative.
    pub taken: String,
    /// Where it lands, absolute and clean. For a directory, the one that takes its entries; with the glob of its source
    /// where nothing matches that now.
    pub path: String,
    /// What it is.
    pub kind: WrittenKind,
}

/// What something is that a COPY or ADD writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenKind {
    /// One file.
    File,
    /// Everything in a directory.
    Directory,
    /// One or the other.
    Unknown,
}

impl Written {
    /// Whether `place`, absolute and clean, may be among what it writes.
    #[must_use]
    pub fn holds(&self, place: &str) -> bool {
        place == self.path || (self.kind != WrittenKind::File && is_below(place, &self.path))
    }

    /// Whether it writes at `place` or below.
    #[must_use]
    pub fn is_in(&self, place: &str) -> bool {
        place == self.path || is_below(&self.path, place)
    }
}

/// Whether `path` is below `directory`; both absolute and clean.
fn is_below(path: &str, directory: &str) -> bool {
    match directory {
        "/" => path != "/",
        _ => path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')),
    }
}

impl Model<'_> {
    /// What a COPY or ADD writes, source by source; nothing for any other step.
    #[must_use]
    pub fn writes(&self, step: StepId) -> &[Written] {
        let all =
            self.written.get_or_init(|| self.graph.all_steps().map(|(id, _)| self.writes_of(id)).collect());
        all.get(step.index()).map_or(&[], Vec::as_slice)
    }

    fn writes_of(&self, step: StepId) -> Vec<Written> {
        let Some(StepKind::Copy(copy)) = self.graph.step(step).map(|step| &step.kind) else {
            return Vec::new();
        };
        let mut written = Vec::new();
        for (index, source) in copy.sources.iter().enumerate() {
            match source.kind {
                CopySourceKind::Git => written.push(directory(copy, index, "")),
                CopySourceKind::Http => {
                    let name = super::key::http_name(&source.text);
                    written.push(lands(copy, Some(index), &name, WrittenKind::File));
                }
                CopySourceKind::Path => self.path_writes(copy, index, source, &mut written),
            }
        }
        for (name, _) in &copy.inline {
            written.push(lands(copy, None, path::base(name), WrittenKind::File));
        }
        written
    }

    fn path_writes(
        &self,
        copy: &CopyStep<'_>,
        index: usize,
        source: &CopySource<'_>,
        written: &mut Vec<Written>,
    ) {
        let text = path::below_root(&source.text);
        let name = path::base(&text);
        if copy.parents {
            let (pivot, _) = source.text.split_once("/./").unwrap_or(("", ""));
            return written.push(Written { taken: path::below_root(pivot), ..directory(copy, index, "") });
        }
        if text.is_empty() || source.text.ends_with('/') {
            return written.push(directory(copy, index, &text));
        }
        let context = self.context().filter(|_| copy.from == Source::Context);
        let Some(tree) = context.map(|context| context.visible()) else {
            let kind = match name.rsplit_once('.') {
                _ if has_wildcards(&text) => {
                    return written.push(directory(copy, index, path::parent(&text)));
                }
                Some((stem, end)) if !stem.is_empty() && end != "d" => WrittenKind::File,
                _ => WrittenKind::Unknown,
            };
            return written.push(lands(copy, Some(index), &text, kind));
        };
        let is_directory = |place: &str| {
            let place = tree.resolve(place, true)?;
            tree.get(&place).map(|entry| matches!(entry, Entry::Directory { .. }))
        };
        if !has_wildcards(&text) {
            return written.push(match is_directory(&text) {
                Some(true) => directory(copy, index, &text),
                Some(false) if copy.add && copy.unpack && is_archive(name) => directory(copy, index, &text),
                Some(false) => lands(copy, Some(index), &text, WrittenKind::File),
                None => lands(copy, Some(index), &text, WrittenKind::Unknown),
            });
        }
        // Where only one file matches and the destination is no directory, BuildKit gives the file that name; nobody
        // writes a glob for that.
        let before = written.len();
        tree.walk("", |found, entry| {
            let matches = go_match(&text, found) == Ok(true);
            match entry {
                Entry::Directory { .. } if matches => written.push(directory(copy, index, found)),
                Entry::Directory { .. } => {}
                _ if matches => written.push(into(copy, Some(index), found, WrittenKind::File)),
                _ => {}
            }
            !matches
        });
        // What matches is made before the build then, and called as the glob says.
        if written.len() == before {
            written.push(into(copy, Some(index), &text, WrittenKind::File));
        }
    }
}

fn directory(copy: &CopyStep<'_>, source: usize, taken: &str) -> Written {
    let path = path::clean(&copy.dest);
    Written { source: Some(source), taken: taken.to_owned(), path, kind: WrittenKind::Directory }
}

/// A file lands in the destination if that is a directory, by its slash or because there are several.
fn lands(copy: &CopyStep<'_>, source: Option<usize>, taken: &str, kind: WrittenKind) -> Written {
    if copy.dest.ends_with('/') || copy.sources.len() + copy.inline.len() > 1 {
        return into(copy, source, taken, kind);
    }
    Written { source, taken: taken.to_owned(), path: path::clean(&copy.dest), kind }
}

fn into(copy: &CopyStep<'_>, source: Option<usize>, taken: &str, kind: WrittenKind) -> Written {
    let path = path::clean(&format!("{}/{}", copy.dest, path::base(taken)));
    Written { source, taken: taken.to_owned(), path, kind }
}

/// What ADD unpacks: by content in BuildKit, by name here.
fn is_archive(name: &str) -> bool {
    const ENDS: [&str; 9] =
        [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst"];
    ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::WrittenKind::{Directory, File, Unknown};
    use super::*;
    use crate::context::{ContentId, Context, Ignore, Tree};
    use crate::dockerfile::parse;
    use crate::graph::Options;
    use std::sync::Arc;

    fn writes(line: &str, files: &[&str]) -> Vec<(String, WrittenKind)> {
        let text = format!("FROM a AS s\nFROM a\nWORKDIR /app\n{line}\n");
        let dockerfile = parse(&text);
        let entry = || Entry::file(ContentId::of_bytes(b""), false);
        let tree: Tree = files.iter().map(|path| (*path, entry())).collect();
        let context = (!files.is_empty()).then(|| Arc::new(Context::new(tree, Ignore::default())));
        let model = Model::new(&dockerfile, Options::default(), context);
        let last = model.graph.all_steps().next_back().unwrap().0;
        model.writes(last).iter().map(|written| (written.path.clone(), written.kind)).collect()
    }

    #[test]
    fn files_and_directories_land_where_buildkit_puts_them() {
        let files = ["run.sh", "src/a.c", "b.tar.gz", "conf/x.d/y", "lib/z"];
        let one = |line: &str, path: &str, kind| {
            assert_eq!(writes(line, &files), [(path.to_owned(), kind)], "{line}")
        };
        one("COPY . .", "/app", Directory);
        one("COPY src /srv/src", "/srv/src", Directory);
        one("COPY run.sh /bin/start", "/bin/start", File);
        one("COPY run.sh /bin/", "/bin/run.sh", File);
        one("COPY ru?.sh /bin/", "/bin/run.sh", File);
        one("COPY s* /srv", "/srv", Directory);
        one("ADD b.tar.gz /opt", "/opt", Directory);
        one("COPY b.tar.gz /opt/", "/opt/b.tar.gz", File);
        one("COPY --from=s /out/tool /usr/bin/", "/usr/bin/tool", Unknown);
        one("COPY --from=s /out/app.jar app.jar", "/app/app.jar", File);
        one("ADD https://example.org/x/t.zip /tmp/", "/tmp/t.zip", File);
        one("COPY --parents src/a.c ./", "/app", Directory);
        one("COPY dist/*.whl /tmp/", "/tmp/*.whl", File);
        assert_eq!(
            writes("COPY run.sh src d/", &files),
            [("/app/d/run.sh".to_owned(), File), ("/app/d".to_owned(), Directory)]
        );
    }

    #[test]
    fn without_a_context_names_tell_what_they_can() {
        assert_eq!(writes("COPY entrypoint.sh /", &[]), [("/entrypoint.sh".to_owned(), File)]);
        assert_eq!(writes("COPY bin /usr/local/", &[]), [("/usr/local/bin".to_owned(), Unknown)]);
        assert_eq!(writes("COPY *.sh /x/", &[]), [("/x".to_owned(), Directory)]);
    }

    #[test]
    fn what_holds_and_what_is_in() {
        let tree = Written { source: None, taken: String::new(), path: "/app".into(), kind: Directory };
        assert!(tree.holds("/app/x") && tree.holds("/app") && !tree.holds("/apple"));
        assert!(tree.is_in("/") && tree.is_in("/app") && !tree.is_in("/app/x"));
        let file = Written { source: None, taken: String::new(), path: "/app/x".into(), kind: File };
        assert!(!file.holds("/app/x/y") && file.is_in("/app"));
    }
}
