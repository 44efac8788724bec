//! The rules: one file each, a registry, and nothing shared that is not a question to the model.
//!
//! To add one: write its page `rules/NAME.md` (`rules/README.md` tells its form) with examples of what is bad and what
//! is good, run `cargo test --test rules`, which tells what is missing, write `src/rules/NAME.rs`, and add it to [`ALL`].

mod broad_copy_before_install;
mod cache_attribute_invalid;
mod cache_buster;
mod cache_in_other_registry;
mod cache_mount_defeated;
mod cache_mount_dropped;
mod cache_mount_ephemeral;
mod cache_mount_id_clash;
mod cache_mount_owner;
mod cache_mount_sharing;
mod cache_mount_wrong_path;
mod cache_ref_clobbered;
mod cache_ref_is_image;
mod chmod_after_copy;
mod container_load;
mod context_noise;
mod copy_without_link;
mod dockerignore_ineffective;
mod duplicate_install;
mod export_on_untrusted;
mod export_without_import;
mod exporter_unsupported;
mod gc_disabled;
mod gc_evicts_mounts;
mod gc_limits;
mod gha_cache_limits;
mod gha_outside_action;
mod git_context;
mod ignored_source;
mod import_without_export;
mod inline_cache_multi_stage;
mod inline_cache_not_pushed;
pub(crate) mod internal_error;
mod kit;
mod legacy_builder;
mod legacy_cache_pull;
mod local_cache_grows;
mod max_cache_needless;
mod min_cache_multi_stage;
mod missing_cache_mount;
mod missing_lockfile;
mod mutable_base;
mod mutable_download;
mod no_cache_forced;
mod no_fallback_import;
mod no_remote_cache;
mod output_in_cache_mount;
mod overlapping_imports;
mod plugin_outdated;
mod registry_cache_manifest;
mod shared_branch_ref;
mod split_package_index;
mod stage_pushed_for_cache;
pub(crate) mod unused_suppression;
mod volatile_arg_early;
mod volatile_env_early;
mod work_after_copy;

use kit::lost_stage;
pub use kit::*;

/// Every rule, sorted by name. The order has no meaning; findings are sorted by place.
pub static ALL: &[&dyn Rule] = &[
    &broad_copy_before_install::BroadCopyBeforeInstall,
    &cache_attribute_invalid::CacheAttributeInvalid,
    &cache_buster::CacheBuster,
    &cache_in_other_registry::CacheInOtherRegistry,
    &cache_mount_defeated::CacheMountDefeated,
    &cache_mount_dropped::CacheMountDropped,
    &cache_mount_ephemeral::CacheMountEphemeral,
    &cache_mount_id_clash::CacheMountIdClash,
    &cache_mount_owner::CacheMountOwner,
    &cache_mount_sharing::CacheMountSharing,
    &cache_mount_wrong_path::CacheMountWrongPath,
    &cache_ref_clobbered::CacheRefClobbered,
    &cache_ref_is_image::CacheRefIsImage,
    &chmod_after_copy::ChmodAfterCopy,
    &container_load::ContainerLoad,
    &context_noise::ContextNoise,
    &copy_without_link::CopyWithoutLink,
    &dockerignore_ineffective::DockerignoreIneffective,
    &duplicate_install::DuplicateInstall,
    &export_on_untrusted::ExportOnUntrusted,
    &export_without_import::ExportWithoutImport,
    &exporter_unsupported::ExporterUnsupported,
    &gc_disabled::GcDisabled,
    &gc_evicts_mounts::GcEvictsMounts,
    &gc_limits::GcLimits,
    &gha_cache_limits::GhaCacheLimits,
    &gha_outside_action::GhaOutsideAction,
    &git_context::GitContext,
    &ignored_source::IgnoredSource,
    &import_without_export::ImportWithoutExport,
    &inline_cache_multi_stage::InlineCacheMultiStage,
    &inline_cache_not_pushed::InlineCacheNotPushed,
    &internal_error::InternalError,
    &legacy_builder::LegacyBuilder,
    &legacy_cache_pull::LegacyCachePull,
    &local_cache_grows::LocalCacheGrows,
    &max_cache_needless::MaxCacheNeedless,
    &min_cache_multi_stage::MinCacheMultiStage,
    &missing_cache_mount::MissingCacheMount,
    &missing_lockfile::MissingLockfile,
    &mutable_base::MutableBase,
    &mutable_download::MutableDownload,
    &no_cache_forced::NoCacheForced,
    &no_fallback_import::NoFallbackImport,
    &no_remote_cache::NoRemoteCache,
    &output_in_cache_mount::OutputInCacheMount,
    &overlapping_imports::OverlappingImports,
    &plugin_outdated::PluginOutdated,
    &registry_cache_manifest::RegistryCacheManifest,
    &shared_branch_ref::SharedBranchRef,
    &split_package_index::SplitPackageIndex,
    &stage_pushed_for_cache::StagePushedForCache,
    &unused_suppression::UnusedSuppression,
    &volatile_arg_early::VolatileArgEarly,
    &volatile_env_early::VolatileEnvEarly,
    &work_after_copy::WorkAfterCopy,
];

/// The rule of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Rule> {
    ALL.iter().copied().find(|rule| rule.meta().name == name)
}

/// The names of all rules, in the order of [`ALL`].
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|rule| rule.meta().name)
}

/// Everything that selects rules: their names and the names of the categories.
pub fn selectors() -> impl Iterator<Item = &'static str> {
    names().chain(Category::ALL.iter().map(|category| category.name()))
}
