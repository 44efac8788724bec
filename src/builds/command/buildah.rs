//! `podman build`, `buildah build`, `buildah bud` (facts §7.6). `--cache-from` and `--cache-to` name a repository with one
//! image per step; they are given the kind `buildah`.

use super::{Arg, Call, Runner, flags, setting, switch};
use crate::builds::{Builder, Driver, Front, Setting, Value};

impl Runner<'_, '_> {
    pub(super) fn buildah(&mut self, call: &Call<'_>, args: &[Arg], program: &str) {
        let parsed = flags::BUILDAH.parse(args, true);
        let rest = parsed.positional.as_slice();
        let args = match rest {
            [build, args @ ..]
                if matches!(build.text.text.as_str(), "build" | "bud" | "build-using-dockerfile") =>
            {
                args
            }
            [image, build, args @ ..] if image.text.text == "image" && build.text.text == "build" => args,
            [buildx, build, args @ ..] if buildx.text.text == "buildx" && build.text.text == "build" => args,
            [run, args @ ..] if run.text.text == "run" && program == "podman" => {
                return self.docker_run(call, args, 1);
            }
            [compose, args @ ..] if compose.text.text == "compose" && program == "podman" => {
                return self.compose(call, args, Front::Other);
            }
            _ => return,
        };
        let parsed = flags::BUILDAH.parse(args, false);
        if parsed.positional.is_empty() && parsed.options.is_empty() {
            return;
        }
        let mut build = self.env.build(call.span, Front::Buildah);
        build.builder =
            Builder { driver: Driver::None, persistent: self.env.builder.persistent, ..Builder::default() };
        self.common(&mut build, &parsed);
        // It knows no inline cache and no `type=`.
        build.cache_to.retain(|spec| spec.value.kind() != Some("inline"));
        for spec in build.cache_from.iter_mut().chain(&mut build.cache_to) {
            if spec.value.bare {
                spec.value.kind.value = Value::Known("buildah".to_owned());
            }
        }
        build.pull = switch(&parsed, "pull");
        if let Some(manifest) = parsed.value("manifest") {
            build.tags.push(setting(manifest));
        }
        if let Some(layers) = parsed.last("layers").filter(|given| !given.on()) {
            build.no_cache.get_or_insert(Setting::new(Value::Known("true".to_owned()), layers.span));
        }
        let context = parsed.positional.first();
        let file = parsed.value("file").cloned();
        self.place(&mut build, call, context, file.as_ref(), &["Containerfile", "Dockerfile"]);
        // A `-f` that is not there from the working directory is looked for in the context.
        if let (Some(file), Some(dockerfile)) = (&file, &build.dockerfile)
            && (self.files)(&dockerfile.value).is_none()
            && let crate::builds::ContextSource::Path(context) = &build.context.value
            && let Some(inside) = crate::builds::join(context, &file.text.text)
            && (self.files)(&inside).is_some()
        {
            build.dockerfile = Some(dockerfile.with(inside));
        }
        self.out.push(build);
    }
}
