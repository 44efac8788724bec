//! The cache model: what enters a step's key, what each cache holds, and what a build does with them.
//!
//! It is BuildKit's solver, one request at a time: [`Definition`] is the graph lowered to operations, [`Store`] all caches
//! of all builders and refs, [`Store::simulate`] one build. Facts: §0 of the cache facts; BuildKit's `solver/edge.go`,
//! `cachemanager.go` and `exporter.go`.

mod answer;
mod build;
mod cause;
mod definition;
mod digest;
mod export;
mod few;
mod ingredients;
mod key;
mod layered;
mod linked;
mod loss;
mod model;
mod pipeline;
mod plain;
mod records;
pub mod reference;
mod remote;
mod result;
mod rewrite;
mod setting;
mod simulate;
mod solve;
mod standing;
mod world;
mod written;

pub use answer::Answer;
pub use build::{Build, Export, ExportMode, Files, Remote};
pub use cause::Because;
pub use definition::{Action, CopyPart, Definition, Input, NoCache, Vertex, VertexId};
pub use digest::Digest;
pub use ingredients::Ingredient;
pub use loss::{Loss, loses_nothing, loss};
pub use model::{Change, Model, Setting};
pub use pipeline::{PipelineBuild, Rerun, Run, first_run, last_run, next_run, run_before, second_run};
pub use remote::{Support, is_fresh, is_pushed, read_back, setting_of, support, text, with_mode};
pub use result::ResultId;
pub use setting::{image_ref, is_foreign, mode_of, ref_of};
pub use simulate::{Outcome, Prune, Reason, Store, Verdict};
pub use standing::Standing;
pub use written::{Written, WrittenKind};
