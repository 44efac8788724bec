//! `exporter-unsupported`: a cache export that the builder in use cannot make.

use super::{BuildCx, Category, Fixable, Meta, ProjectCx, Rule, Severity, Sink};
use crate::builds::{Driver, System};
use crate::cache::{Support, support};
use crate::source::SourceFile;
use std::collections::BTreeMap;
use std::sync::Arc;

static META: Meta = Meta {
    name: "exporter-unsupported",
    category: Category::Export,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/exporter-unsupported.md"),
};

/// See the page.
pub(super) struct ExporterUnsupported;

impl Rule for ExporterUnsupported {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: what a driver can export is a table (facts §6).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut callers = Callers { cx, makers: None, asked: BTreeMap::new() };
        for build in cx.builds {
            // A bake or Compose file says nothing of the builder; what starts it does.
            if matches!(build.build.system, System::Bake | System::Compose | System::Devcontainer) {
                continue;
            }
            // A script whose caller is not seen, and that wants what the default builder cannot do, runs on another one.
            let unseen = !build.build.system.is_ci() && build.build.builder.driver == Driver::Unknown;
            let several = build.build.platforms.len() > 1;
            for export in &build.build.cache_to {
                let gha = export.value.kind().is_some_and(|kind| kind.eq_ignore_ascii_case("gha"));
                if build.build.builder.set_by.is_none() && callers.may_make_builder(build) {
                    continue;
                }
                let (message, severity) = match support(build.build, &export.value) {
                    Support::Works => continue,
                    Support::Turns(_) if unseen && (gha || several) => continue,
                    // A rule of its own tells of the token.
                    Support::Dropped(_) if gha => continue,
                    Support::Refused(why) => (format!("the build fails: {why}"), Severity::Error),
                    Support::Dropped(why) => (format!("nothing is exported: {why}"), Severity::Error),
                    Support::Turns(why) => (why, Severity::Warning),
                };
                out.report_at(build.place_of(export), message).severity(severity).help(
                    "create a builder that can: `docker buildx create --use --driver docker-container`, or in a workflow \
                     docker/setup-buildx-action",
                );
            }
        }
    }
}

/// How many scripts are looked for in other files.
const MAX_SCRIPTS: usize = 64;

/// Who may start a script, as far as files name it.
struct Callers<'c, 'a> {
    cx: &'c ProjectCx<'a>,
    /// The files that make builders.
    makers: Option<Vec<&'c SourceFile>>,
    asked: BTreeMap<Arc<str>, bool>,
}

impl Callers<'_, '_> {
    /// Whether the build is one of a script that a file which makes a builder names: a call that could not be followed.
    fn may_make_builder(&mut self, build: &BuildCx<'_>) -> bool {
        let path = &build.build.path;
        if build.build.system != System::Shell || !build.build.trigger.unknown {
            return false;
        }
        if let Some(known) = self.asked.get(path) {
            return *known;
        }
        if self.asked.len() >= MAX_SCRIPTS {
            return true;
        }
        let has = |file: &SourceFile, text: &str| {
            memchr::memmem::find(file.text.as_bytes(), text.as_bytes()).is_some()
        };
        let others = self.cx.others;
        let makers = self.makers.get_or_insert_with(|| {
            let makes = |file: &&SourceFile| has(file, "setup-buildx") || has(file, "buildx create");
            others.iter().map(|file| &**file).filter(makes).collect()
        });
        let name = path.rsplit('/').next().unwrap_or(path);
        let found = makers.iter().any(|file| file.path != *path && has(file, name));
        self.asked.insert(path.clone(), found);
        found
    }
}
