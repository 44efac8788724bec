//! What an exporter keeps of a build (facts §5.1; BuildKit: `solver/exporter.go`).

use super::build::{Export, ExportMode};
use super::records::{Backlinks, Key, Loadable, Records};
use super::result::ResultId;
use super::setting::{has_manifest, is_directory};
use super::solve::{KeyIndex, Solve};
use rustc_hash::FxHashSet;
use std::sync::Arc;

impl Solve<'_> {
    /// Writes the exports of a build that came to its end. Each replaces what its ref held.
    pub(super) fn export(&mut self, target: usize, exports: &[Export], pushed: bool) {
        let Some((result, keys)) =
            self.edges.get(target).and_then(|edge| Some((edge.result?, edge.result_keys.clone())))
        else {
            return;
        };
        if pushed {
            let layers = self.world.results.layers(result);
            self.builder.blobs.extend(layers);
        }
        // They are written side by side: none counts on what another compresses.
        let compressed = self.builder.blobs.clone();
        let mut blobs = compressed.clone();
        let mut written: Vec<(&Export, Arc<Records>)> = Vec::with_capacity(exports.len());
        for export in exports {
            self.builder.blobs.clone_from(&compressed);
            written.push((export, Arc::new(self.collect(result, &keys, export))));
            blobs.extend(self.builder.blobs.drain());
        }
        self.builder.blobs = blobs;
        let lost: Vec<bool> = written.iter().map(|written_one| self.is_lost(written_one, &written)).collect();
        for ((export, records), lost) in written.into_iter().zip(lost) {
            if lost {
                self.world.refs.remove(export.to.as_str());
            } else {
                self.world.refs.insert(export.to.as_str().into(), records);
            }
        }
    }

    /// Whether a directory gets another export's index: all get the manifest that the last export names (BuildKit:
    /// `runCacheExporters`, client/solve.go), and where that is not in the directory, an import of it is skipped. Exports of
    /// unlike modes that hold the same are equal only as long as nothing in them came from an import.
    fn is_lost(&self, (export, records): &(&Export, Arc<Records>), all: &[(&Export, Arc<Records>)]) -> bool {
        let named =
            |(export, _): &&(&Export, _)| export.mode != ExportMode::Inline && has_manifest(&export.to);
        is_directory(&export.to)
            && all.iter().rev().find(named).is_some_and(|(last, other)| {
                last.mode != export.mode && (!self.imports.is_empty() || !other.holds_as(records))
            })
    }

    fn collect(&mut self, target: ResultId, keys: &[KeyIndex], export: &Export) -> Records {
        let mode = export.mode;
        let image: FxHashSet<ResultId> = self.world.results.layers(target).into_iter().collect();
        let mut records = Records::default();
        let back: Vec<Backlinks> =
            (0..self.caches()).filter_map(|index| self.cache(index)).map(Records::backlinks).collect();
        let mut seen: FxHashSet<KeyIndex> = FxHashSet::default();
        // Depth first like BuildKit, so that the first result met is the image's own.
        let mut open: Vec<KeyIndex> = keys.iter().rev().copied().collect();
        let mut only_existing = false;
        while let Some(key) = open.pop() {
            if !seen.insert(key) {
                continue;
            }
            let Some(found) = self.keys.get(key).cloned() else { continue };
            for id in &found.ids {
                records.know(*id);
            }
            let Some(id) = found.ids.first().copied() else { continue };
            if !found.inputs.is_empty()
                && let Some((cache, loadable)) = best(&found.records)
                && self.is_kept(cache, loadable, mode, only_existing, &image)
            {
                records.save(id, loadable);
                if mode != ExportMode::Max {
                    only_existing = true;
                }
                let layers = self.world.results.layers(loadable.result);
                if is_directory(&export.to) {
                    self.builder.offered(&layers, true);
                }
                self.builder.blobs.extend(layers);
            }
            for (input, keys) in found.inputs.iter().enumerate() {
                for (from_key, selector) in keys {
                    if let Some(from) = self.keys.get(*from_key).and_then(|key| key.ids.first().copied()) {
                        let operation = found.operation;
                        records
                            .link(super::records::Link { from, input, operation, selector: *selector }, id);
                    }
                }
                open.extend(keys.iter().rev().map(|(key, _)| *key));
            }
            add_backlinks(&back, &mut records, &found.ids, id);
        }
        records
    }

    fn is_kept(
        &self,
        cache: usize,
        loadable: Loadable,
        mode: ExportMode,
        only_existing: bool,
        image: &FxHashSet<ResultId>,
    ) -> bool {
        let layers = || self.world.results.layers(loadable.result);
        match mode {
            ExportMode::Max => true,
            ExportMode::Min => {
                !only_existing
                    || cache != 0
                    || layers().iter().all(|layer| self.builder.blobs.contains(layer))
            }
            ExportMode::Inline => layers().iter().all(|layer| image.contains(layer)),
        }
    }
}

/// The other ways to a record that the caches know (BuildKit: `addBacklinks`).
fn add_backlinks(caches: &[Backlinks], records: &mut Records, ids: &[Key], to: Key) {
    let mut open: Vec<(Key, Key)> = ids.iter().map(|id| (*id, to)).collect();
    while let Some((id, to)) = open.pop() {
        for link in caches.iter().filter_map(|back| back.get(&id)).flatten() {
            if records.link(*link, to) {
                open.push((link.from, link.from));
            }
        }
    }
}

/// The newest record; between equals a remote one.
fn best(records: &[(usize, Loadable)]) -> Option<(usize, Loadable)> {
    records.iter().max_by_key(|(cache, loadable)| (loadable.created, *cache)).copied()
}
