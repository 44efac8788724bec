//! `buildkitd.toml` and dockerd's `daemon.json`: garbage collection with old and new keys (facts §4), and the image store.

mod buildkitd;
mod dockerd;
mod units;

pub use units::{Size, duration, size};

use super::ReadError;
use crate::source::Span;

/// The configuration of one daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// Which daemon reads the file.
    pub kind: DaemonKind,
    /// Its workers: `oci` and `containerd` of buildkitd, as far as the file has a section for them; one of dockerd.
    pub workers: Vec<Worker>,
    /// dockerd: whether the containerd image store is switched on or off (`features.containerd-snapshotter`).
    pub containerd_store: Option<Stated<bool>>,
    /// dockerd: whether BuildKit is switched on or off (`features.buildkit`).
    pub buildkit: Option<Stated<bool>>,
}

/// The daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DaemonKind {
    /// `buildkitd.toml`
    Buildkitd,
    /// `daemon.json`
    Dockerd,
}

/// Something that the file states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated<T> {
    /// The value.
    pub value: T,
    /// The key and the value.
    pub span: Span,
}

/// A worker's garbage collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// `oci`, `containerd`, `dockerd`.
    pub name: String,
    /// The section: its header or key, where it has one, and all that is in it.
    pub span: Span,
    /// Whether the worker is on (`enabled`).
    pub enabled: Option<Stated<bool>>,
    /// Whether it collects garbage (`gc`, `builder.gc.enabled`); by default it does (dockerd since 28.2).
    pub gc: Option<Stated<bool>>,
    /// Limits of the default policies. Without effect where there are policies of one's own.
    pub limits: Limits,
    /// Policies of one's own, in order; they replace the defaults.
    pub policies: Vec<Policy>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The policy in the file.
    pub span: Span,
    /// Whether it takes internal and frontend records too.
    pub all: Option<Stated<bool>>,
    /// What it takes (`type==exec.cachemount`, `unused-for=48h`); everything if empty.
    pub filters: Vec<Stated<String>>,
    /// Seconds that a record is kept after its last use: `keepDuration`, or dockerd's filter `unused-for` or `until`. `None`
    /// inside for a text that is no duration.
    pub keep_duration: Option<Stated<Option<u64>>>,
    /// How much it leaves.
    pub limits: Limits,
}

impl Policy {
    /// Whether it takes cache mounts: it has no filter, or one of its alternatives is for them. (Filters of buildkitd are
    /// alternatives since 0.31; before they all had to hold, facts §4.1.)
    #[must_use]
    pub fn takes_mounts(&self) -> bool {
        let types = || self.filters.iter().filter(|filter| filter.value.starts_with("type"));
        types().next().is_none() || types().any(|filter| filter.value.ends_with("exec.cachemount"))
    }
}

/// How much space is left alone, allowed and kept free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `reservedSpace`, or one of the old keys `keepBytes`, `gckeepstorage`, `keepStorage`, `defaultKeepStorage`.
    pub reserved: Option<Limit>,
    /// `maxUsedSpace`.
    pub max_used: Option<Limit>,
    /// `minFreeSpace`.
    pub min_free: Option<Limit>,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The key as written.
    pub key: String,
    /// Whether the key is one of the old schema.
    pub old: bool,
    /// The value, `None` for a text that is no size.
    pub value: Option<Size>,
    /// The value in the file.
    pub value_span: Span,
    /// The key and the value.
    pub span: Span,
}

impl Limits {
    /// Takes a limit by its key, whatever its case, without a `default` before it. Gives it back if it is none. A new key
    /// wins over an old one.
    fn take(&mut self, key: &str, value: Option<Size>, value_span: Span, span: Span) -> bool {
        let lower = key.to_ascii_lowercase();
        let plain = lower.strip_prefix("default").unwrap_or(&lower);
        let old = matches!(plain, "keepbytes" | "gckeepstorage" | "keepstorage");
        let slot = match plain {
            "reservedspace" => &mut self.reserved,
            _ if old => &mut self.reserved,
            "maxusedspace" => &mut self.max_used,
            "minfreespace" => &mut self.min_free,
            _ => return false,
        };
        if !old || slot.is_none() {
            *slot = Some(Limit { key: key.to_owned(), old, value, value_span, span });
        }
        true
    }
}

/// Reads `buildkitd.toml`.
///
/// # Errors
/// Where the file is not TOML.
pub fn read_buildkitd(text: &str) -> Result<Daemon, ReadError> {
    buildkitd::read(text)
}

/// Reads dockerd's `daemon.json`.
///
/// # Errors
/// Where the file is not JSON.
pub fn read_dockerd(text: &str) -> Result<Daemon, ReadError> {
    dockerd::read(text)
}

#[cfg(test)]
mod tests;
