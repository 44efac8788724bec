//! `container-load`: an image is loaded out of a builder in a container, only to be pushed.

use super::{Category, Fixable, Meta, ProjectCx, Rule, Severity, Sink};
use crate::builds::{Driver, Value};

static META: Meta = Meta {
    name: "container-load",
    category: Category::Builder,
    severity: Severity::Info,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/container-load.md"),
};

/// See the page.
pub(super) struct ContainerLoad;

impl Rule for ContainerLoad {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: what a load costs does not turn on any key.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for build in cx.builds.iter().filter(|build| build.build.builder.driver == Driver::DockerContainer) {
            let is = |setting: &Option<crate::builds::Setting<Value>>| matches!(setting.as_ref().map(|setting| &setting.value), Some(Value::Known(text)) if text == "true");
            let (Some(load), true) = (&build.build.load, is(&build.build.load)) else { continue };
            let pushed_later = build.build.push.as_ref().is_some_and(|push| push.span != load.span);
            // Another `--output` in the place of the one that loads.
            let outputs = &build.build.outputs;
            let replaced =
                !outputs.is_empty() && outputs.iter().all(|output| output.value.kind() != Some("docker"));
            if !is(&build.build.push) || !pushed_later || replaced || is_used(&build.file.text) {
                continue;
            }
            out.report_at(
                build.place_of(load),
                "the image is packed, moved out of the builder's container and unpacked, only to be pushed afterwards",
            )
            .help("push from the builder: `--push` in the place of `--load` and of the later `docker push`");
        }
    }
}

/// Whether a file does something with images of the Engine: runs, reads or saves them.
fn is_used(text: &str) -> bool {
    const USES: [&str; 16] = [
        "docker run",
        "docker container run",
        "docker create",
        "docker cp",
        "docker exec",
        "docker inspect",
        "docker image inspect",
        "docker save",
        "docker scan",
        "docker scout",
        "compose up",
        "compose run",
        "container-structure-test",
        "dockle",
        "trivy",
        "grype",
    ];
    USES.iter().any(|used| memchr::memmem::find(text.as_bytes(), used.as_bytes()).is_some())
}
