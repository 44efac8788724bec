//! Where rules put what they find.

use super::{Cause, Finding, Meta, Place};
use crate::fix::Fix;
use crate::settings::Severity;
use crate::source::Span;
use std::sync::Arc;

/// Takes the findings of one rule in one run.
#[derive(Debug)]
pub struct Sink {
    meta: &'static Meta,
    path: Arc<str>,
    findings: Vec<Finding>,
}

impl Sink {
    /// A sink for the rule `meta`; spans without a path are in `path`.
    #[must_use]
    pub fn new(meta: &'static Meta, path: Arc<str>) -> Self {
        Self { meta, path, findings: Vec::new() }
    }

    /// Reports at `span` of the file that is looked at. What is chained to the answer adds to the finding; it is
    /// complete at the end of the statement:
    ///
    /// ```ignore
    /// out.report(install.span, "any edit under `src/` runs `npm ci` again")
    ///     .cause(copy.span, "takes the whole context")
    ///     .help("copy `package.json` and `package-lock.json` first");
    /// ```
    pub fn report(&mut self, span: Span, message: impl Into<String>) -> Draft<'_> {
        let place = Place { path: self.path.clone(), span };
        self.report_at(place, message)
    }

    /// Reports at a place in any file of the project.
    pub fn report_at(&mut self, place: Place, message: impl Into<String>) -> Draft<'_> {
        let meta = self.meta;
        let finding = Finding {
            rule: meta.name,
            category: meta.category,
            severity: meta.severity,
            message: message.into(),
            help: String::new(),
            place,
            causes: Vec::new(),
            fix: None,
        };
        Draft { sink: self, finding: Some(finding) }
    }

    /// Everything reported.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

/// A finding that is being put together; it is handed in when this goes out of scope.
#[derive(Debug)]
pub struct Draft<'s> {
    sink: &'s mut Sink,
    finding: Option<Finding>,
}

impl Draft<'_> {
    /// What to write instead.
    pub fn help(self, text: impl Into<String>) -> Self {
        self.with(|finding| finding.help = text.into())
    }

    /// Another link of the cause chain, in the file that is looked at; nearest first.
    pub fn cause(self, span: Span, message: impl Into<String>) -> Self {
        let place = Place { path: self.sink.path.clone(), span };
        self.cause_at(place, message)
    }

    /// Another link of the cause chain, in any file of the project.
    pub fn cause_at(self, place: Place, message: impl Into<String>) -> Self {
        self.with(|finding| finding.causes.push(Cause { place: Some(place), message: message.into() }))
    }

    /// Another link of the cause chain that stands in no file: a base image, an evicted cache.
    pub fn cause_elsewhere(self, message: impl Into<String>) -> Self {
        self.with(|finding| finding.causes.push(Cause { place: None, message: message.into() }))
    }

    /// Several links at once, as the model gives them.
    pub fn causes(self, causes: impl IntoIterator<Item = Cause>) -> Self {
        self.with(|finding| finding.causes.extend(causes))
    }

    /// The edits that mend it.
    pub fn fix(self, fix: impl Into<Option<Fix>>) -> Self {
        self.with(|finding| finding.fix = fix.into().filter(|fix| !fix.edits.is_empty()))
    }

    /// A severity other than the rule's own: where the model is less sure than usual.
    pub fn severity(self, severity: Severity) -> Self {
        self.with(|finding| finding.severity = severity)
    }

    fn with(mut self, change: impl FnOnce(&mut Finding)) -> Self {
        if let Some(finding) = &mut self.finding {
            change(finding);
        }
        self
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // A rule that panics in the middle of a statement has not said what it meant to say.
        if !std::thread::panicking() {
            self.sink.findings.extend(self.finding.take());
        }
    }
}
