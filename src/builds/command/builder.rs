//! `docker buildx create`, `docker buildx use`, `--builder`, `BUILDX_BUILDER`.

use super::{Arg, Call, Runner, flags};
use crate::builds::{Build, Builder, Driver, Setting};
use crate::source::Span;

impl Runner<'_, '_> {
    /// `docker buildx create …`
    pub(super) fn create(&mut self, args: &[Arg], span: Span) {
        let parsed = flags::CREATE.parse(args, false);
        let name = parsed.value("name").map(|name| name.text.text.clone()).unwrap_or_default();
        let mut builder = Builder { set_by: Some(span), ..Builder::default() };
        builder.versions.clone_from(&self.env.builder.versions);
        builder.driver =
            parsed.value("driver").map_or(Driver::DockerContainer, |driver| driver_of(&driver.text.text));
        if builder.driver == Driver::Docker {
            builder.containerd_store = self.env.builder.containerd_store;
        }
        // A container in a job's own engine goes with it; one of a machine that stays, stays.
        builder.persistent = match builder.driver {
            Driver::DockerContainer | Driver::Docker => self.env.builder.persistent,
            _ => None,
        };
        for option in parsed.all("driver-opt").filter_map(|given| given.value.as_ref()) {
            for part in option.text.split(|ch| ch == ',') {
                if part.text.starts_with("persistent-volume-claim.requests.storage=") {
                    builder.persistent = Some(true);
                }
                if let Some(version) = part.text.strip_prefix("image=").and_then(buildkit_version) {
                    builder.versions.retain(|(component, _)| component != "buildkit");
                    let version = Setting::new(version.to_owned(), part.full_span());
                    builder.versions.push(("buildkit".to_owned(), version));
                }
            }
        }
        if parsed.last("use").is_some_and(flags::Given::on) {
            self.env.builder = builder.clone();
        }
        self.env.builders.retain(|(known, _)| *known != name);
        self.env.builders.push((name, builder));
    }

    /// `docker buildx use NAME`.
    pub(super) fn use_builder(&mut self, args: &[Arg], global: Option<Arg>) {
        let parsed = flags::USE.parse(args, false);
        let name = parsed.positional.first().cloned().or(global);
        if let Some(name) = name {
            self.env.builder = self.named(&name);
        }
    }

    /// The engine's own builder.
    pub(super) fn engine_builder(&self) -> Builder {
        let driver = match self.env.engine.driver {
            Driver::Unknown => Driver::Docker,
            known => known,
        };
        Builder { driver, ..self.env.engine.clone() }
    }

    /// The builder of this name.
    fn named(&self, name: &Arg) -> Builder {
        let text = name.text.text.as_str();
        if let Some((_, builder)) = self.env.builders.iter().rev().find(|(known, _)| known == text) {
            return builder.clone();
        }
        let (driver, containerd_store) = match text {
            "default" => (Driver::Docker, self.env.builder.containerd_store),
            // `docker buildx use $(docker buildx create …)`, `--builder ${{ steps.x.outputs.name }}`: the last created.
            _ => match self.env.builders.last() {
                Some((known, builder)) if known.is_empty() => return builder.clone(),
                _ if self.env.builder.set_by.is_some() => return self.env.builder.clone(),
                _ => (Driver::Unknown, None),
            },
        };
        Builder {
            driver,
            containerd_store,
            // Somebody else has made it.
            set_by: (driver == Driver::Unknown).then(|| name.text.full_span()),
            persistent: self.env.builder.persistent,
            legacy: None,
            versions: self.env.builder.versions.clone(),
        }
    }

    /// Sets the builder of a build: the one in use, or the one that the command names.
    pub(super) fn choose_builder(&self, build: &mut Build, call: &Call<'_>, option: Option<&Arg>) {
        if let Some(name) = option {
            build.builder = self.named(name);
            return;
        }
        let own = call.command.env.iter().rev().find(|assignment| assignment.name == "BUILDX_BUILDER");
        let name = match own {
            Some(own) => own.value.text.to_string(),
            None => match self.env.vars.get("BUILDX_BUILDER") {
                Some(var) if !var.conditional => var.text.text.clone(),
                _ => return,
            },
        };
        if !name.is_empty() {
            let text = crate::builds::Placed::whole(name, call.span);
            build.builder = self.named(&Arg { text, literal: true, conditional: false });
        }
    }
}

/// A driver by its name in buildx.
pub(crate) fn driver_of(name: &str) -> Driver {
    match name {
        "docker" => Driver::Docker,
        "docker-container" => Driver::DockerContainer,
        "kubernetes" => Driver::Kubernetes,
        "remote" => Driver::Remote,
        "cloud" => Driver::Cloud,
        _ => Driver::Unknown,
    }
}

/// The version in a reference of BuildKit's image: `moby/buildkit:v0.12.5`, `moby/buildkit:buildx-stable-1`.
pub(crate) fn buildkit_version(image: &str) -> Option<&str> {
    if !image.contains("buildkit") {
        return None;
    }
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    let tag = image.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'))?;
    Some(tag.strip_prefix('v').unwrap_or(tag).trim_end_matches("-rootless"))
}
