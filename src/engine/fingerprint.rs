//! What a finding is recognised by when the file around it has changed.

use super::Report;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

impl Report {
    /// One fingerprint a finding, in their order: 32 hexadecimal digits over the rule, the path, the text of the line
    /// (blanks at its ends aside), and the how-manieth of equal ones it is. Line numbers and messages (which name line
    /// numbers) are no part of it, so that it survives edits elsewhere in the file.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<String> {
        let mut seen: BTreeMap<(&str, &str, &str), u32> = BTreeMap::new();
        let fingerprint = |finding: &'_ crate::rules::Finding, count: u32, line: &str| {
            let mut hasher = Sha256::new();
            for part in [finding.rule, &finding.place.path, line, &count.to_string()] {
                hasher.update((part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
            hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
        };
        let findings = self.findings.iter();
        findings
            .map(|finding| {
                let file = self.sources.get(&finding.place.path);
                let line = file.map_or("", |file| file.line_text(file.line(finding.place.span.start)).trim());
                let count = seen.entry((finding.rule, &finding.place.path, line)).or_default();
                *count += 1;
                fingerprint(finding, *count, line)
            })
            .collect()
    }
}
