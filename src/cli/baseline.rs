//! `--baseline`: findings that are known, and not reported again.

use crate::engine::Report;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The file. It names rule and path beside the fingerprint for those who read its changes in a review.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Baseline {
    version: u32,
    findings: Vec<Known>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Known {
    path: String,
    rule: String,
    fingerprint: String,
}

/// The fingerprints in the text of a baseline file.
pub(super) fn read(text: &str) -> anyhow::Result<BTreeSet<String>> {
    let baseline: Baseline = serde_json::from_str(text).context("is no baseline")?;
    anyhow::ensure!(
        baseline.version == 1,
        "is a baseline of version {}, which this hitrate does not know",
        baseline.version
    );
    Ok(baseline.findings.into_iter().map(|known| known.fingerprint).collect())
}

/// The text of a baseline file that knows every finding of the report.
pub(super) fn write(report: &Report) -> anyhow::Result<String> {
    let findings = report.findings.iter().zip(report.fingerprints());
    let known = findings.map(|(finding, fingerprint)| Known {
        path: finding.place.path.to_string(),
        rule: finding.rule.to_owned(),
        fingerprint,
    });
    let mut baseline = Baseline { version: 1, findings: known.collect() };
    baseline.findings.sort();
    Ok(serde_json::to_string_pretty(&baseline)? + "\n")
}

/// Removes what is known.
pub(super) fn forget_known(report: &mut Report, known: &BTreeSet<String>) {
    let mut fingerprints = report.fingerprints().into_iter();
    report.retain(|_| fingerprints.next().is_none_or(|fingerprint| !known.contains(&fingerprint)));
}
