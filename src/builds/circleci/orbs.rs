//! The orbs of CircleCI that build images: circleci/docker, circleci/aws-ecr, circleci/gcp-gcr, circleci/azure-acr
//! (circleci.com/developer/orbs).

use super::params::Params;
use super::steps::Runner;
use crate::builds::lines;
use crate::builds::{CacheSpec, ContextSource, Front, Setting, Value, join};
use crate::shell::Dialect;
use crate::source::Span;

impl Runner<'_, '_> {
    /// A command or job of an orb: `docker/build`, `aws-ecr/build_and_push_image`.
    pub(super) fn orb(&mut self, name: &str, given: &Params, span: Span) {
        let Some((alias, command)) = name.split_once('/') else { return };
        let root = self.config.root;
        let source = root.at(&["orbs", alias]).and_then(|orb| orb.str()).unwrap_or("");
        let source = source.split('@').next().unwrap_or("");
        let command = command.replace('_', "-");
        let known = matches!(
            (source, command.as_str()),
            ("circleci/docker", "build" | "publish")
                | (
                    "circleci/aws-ecr" | "circleci/gcp-gcr" | "circleci/azure-acr",
                    "build-image" | "build-and-push-image"
                )
                | ("circleci/gcp-gcr" | "circleci/aws-ecr", "build-and-push")
        );
        if !known {
            return;
        }
        let pushes = command != "build" && command != "build-image";
        // Everything else the orb gives as it is to the command line.
        let extra =
            ["extra_build_args", "extra-build-args"].into_iter().find(|key| given.known(key).is_some());
        let text = extra.and_then(|key| given.known(key)).unwrap_or_default();
        let line = match extra.and_then(|key| given.exact(key)) {
            Some(exact) => lines::around("docker build ", exact, " ."),
            None => {
                let place = extra.and_then(|key| given.span(key)).unwrap_or(span);
                lines::at(&format!("docker build {text} ."), place)
            }
        };
        let before = self.scripts.builds.len();
        self.scripts.run(&line, Dialect::Posix);
        let Some(build) = self.scripts.builds.get_mut(before) else { return };
        build.span = span;
        let ecr = source == "circleci/aws-ecr";
        if ecr {
            build.front = Front::Buildx;
        }
        let value = |keys: &[&str]| {
            let key = keys.iter().find(|key| given.known(key).is_some())?;
            Some(Setting::new(given.known(key)?, given.span(key).unwrap_or(span)))
        };
        let directory = value(&["path"]);
        let file = value(&["dockerfile"]);
        let base = directory.as_ref().map_or(".", |path| path.value.as_str());
        let context = if ecr { value(&["build_path", "build-path"]) } else { value(&["docker-context"]) };
        let context_text =
            context.as_ref().map_or(if ecr { base } else { "." }, |context| context.value.as_str());
        let known = |text: &str| matches!(Value::of(text), Value::Known(_));
        let context_path = join("", context_text).filter(|path| known(path));
        build.context = Setting::new(
            context_path.map_or_else(|| ContextSource::Unknown(context_text.to_owned()), ContextSource::Path),
            context.as_ref().map_or(span, |context| context.span),
        );
        let path = join(base, file.as_ref().map_or("Dockerfile", |file| file.value.as_str()));
        let place = file.as_ref().or(directory.as_ref()).map_or(span, |setting| setting.span);
        build.dockerfile = path.filter(|path| known(path)).map(|path| Setting::new(path, place));
        let image = value(&["image", "repo"]);
        let registry = value(&["registry", "registry-url", "account-url"]);
        if let Some(image) = &image {
            let tags = value(&["tag", "tags"]).map_or_else(|| "$CIRCLE_SHA1".to_owned(), |tag| tag.value);
            for tag in tags.split(',') {
                let registry =
                    registry.as_ref().map_or(String::new(), |registry| format!("{}/", registry.value));
                build.tags.push(image.with(Value::of(format!("{registry}{}:{tag}", image.value))));
            }
        }
        if let Some(from) = value(&["cache_from", "cache-from"]).filter(|from| !from.value.is_empty()) {
            for image in from.value.split(',') {
                let image = from.with(Value::of(image.trim()));
                let kind = image.with(Value::Known("registry".into()));
                let spec = CacheSpec { kind, attrs: vec![("ref".into(), image.clone())], bare: true };
                build.cache_from.push(image.with(spec));
                build.pulled_before.push(image);
            }
        }
        if let Some(platforms) = value(&["platform"]) {
            build.platforms = platforms.value.split(',').map(|one| platforms.with(Value::of(one))).collect();
        }
        build.push = Some(Setting::new(Value::Known(pushes.to_string()), span));
    }
}
