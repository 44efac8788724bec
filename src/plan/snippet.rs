//! Settings as each system writes them.

use super::candidates::{Candidate, Guard};
use super::choose::Decided;
use super::subject::Subject;
use super::{Kind, Snippet};
use crate::builds::{Driver, Front, System, Value};
use crate::cache::{self, text};

/// What to paste for what was chosen.
pub(super) fn snippets(subject: &Subject<'_>, decided: &Decided) -> Vec<Snippet> {
    let chosen = &decided.chosen;
    if chosen.kind == Kind::Keep {
        return Vec::new();
    }
    let mut all = Vec::new();
    all.extend(driver(subject, chosen));
    if chosen.kind == Kind::Builder && chosen.guard == Guard::None {
        return all;
    }
    let (from, to) = (chosen.from.clone(), exports(subject, chosen));
    all.push(match (subject.build.front, subject.build.system) {
        (Front::BuildPushAction, _) => inputs(subject, &from, &to),
        (Front::Bake, System::GithubActions) => bake_action(subject, &from, &to),
        (Front::Bake, _) => bake_file(subject, &from, &to),
        (Front::Compose | Front::ComposeClassic, _) => compose(subject, &from, &to),
        (Front::BuildkitePlugin, _) => buildkite_plugin(subject, &from, &to),
        (Front::Buildctl, _) => buildctl(subject, &from, &to, chosen),
        (_, System::CloudBuild) => cloud_build(subject, &from, &to, chosen),
        (_, System::GitlabCi) => gitlab(subject, &from, &to, chosen),
        _ => command(subject, &from, &to, needs_driver(subject, chosen) && leaves_image(subject)),
    });
    all
}

/// The exports, in GitHub's expressions only outside pull requests where that has to be.
fn exports(subject: &Subject<'_>, chosen: &Candidate) -> Vec<String> {
    if subject.build.front != Front::BuildPushAction {
        return chosen.to.clone();
    }
    chosen.to.iter().map(|to| guarded(to, chosen.guard)).collect()
}

/// An input that is empty where the cache must not be exported. Expressions do not nest: those inside become part of a
/// `format`.
pub(super) fn guarded(export: &str, guard: Guard) -> String {
    let condition = match guard {
        Guard::None => return export.to_owned(),
        Guard::PullRequests => "github.event_name != 'pull_request'",
        Guard::DefaultBranch => "github.ref_name == github.event.repository.default_branch",
    };
    let mut names = Vec::new();
    let mut template = String::new();
    let mut rest = export;
    while let Some((before, after)) = rest.split_once("${{") {
        let Some((inner, tail)) = after.split_once("}}") else { break };
        template.push_str(before);
        template.push_str(&format!("{{{}}}", names.len()));
        names.push(inner.trim().to_owned());
        rest = tail;
    }
    template.push_str(rest);
    let value = match names.is_empty() {
        true => format!("'{export}'"),
        false => format!("format('{template}', {})", names.join(", ")),
    };
    format!("${{{{ {condition} && {value} || '' }}}}")
}

/// Whether the builder has to be another one for an export that is not inline (facts §6).
pub(super) fn needs_driver(subject: &Subject<'_>, chosen: &Candidate) -> bool {
    if matches!(chosen.kind, Kind::Keep | Kind::Inline) || chosen.to.is_empty() {
        return false;
    }
    let builder = &subject.build.builder;
    let docker = matches!(
        subject.build.front,
        Front::DockerBuild
            | Front::Buildx
            | Front::Compose
            | Front::Bake
            | Front::BuildkitePlugin
            | Front::BuildPushAction
    );
    match builder.driver {
        Driver::Docker => builder.containerd_store != Some(true),
        Driver::Unknown => docker,
        _ => false,
    }
}

fn driver(subject: &Subject<'_>, chosen: &Candidate) -> Option<Snippet> {
    if !needs_driver(subject, chosen) {
        return None;
    }
    let build = subject.build;
    let (title, language, text) = match (build.system, build.front) {
        (System::GithubActions, _) => {
            ("before it, a builder that can export", "yaml", "- uses: docker/setup-buildx-action@v3\n".to_owned())
        }
        (System::Buildkite, Front::BuildkitePlugin) => (
            "in the plugin's settings, a builder that can export",
            "yaml",
            "builder:\n  name: cache-builder\n  use: true\n  create: true\n  driver: docker-container\n".to_owned(),
        ),
        (System::GitlabCi, _) => (
            "before it, a builder that can export",
            "yaml",
            "before_script:\n  - docker context create builder\n  - docker buildx create --use --driver docker-container builder\n".to_owned(),
        ),
        (System::CloudBuild, _) => (
            "before it, a builder that can export",
            "yaml",
            "- name: gcr.io/cloud-builders/docker\n  args: [buildx, create, --use, --name, cache-builder, --driver, docker-container]\n".to_owned(),
        ),
        _ => (
            "before it, a builder that can export",
            "sh",
            "docker buildx create --use --name cache-builder --driver docker-container\n".to_owned(),
        ),
    };
    Some(Snippet { title: title.to_owned(), language, text })
}

fn list(key: &str, values: &[String], quoted: bool) -> String {
    let quote = |value: &String| if quoted { format!("\"{value}\"") } else { value.clone() };
    match values {
        [] => String::new(),
        [one] if !quoted => format!("{key}: {one}\n"),
        all => {
            let items: Vec<String> = all.iter().map(|value| format!("  - {}\n", quote(value))).collect();
            format!("{key}:\n{}", items.concat())
        }
    }
}

/// Inputs of docker/build-push-action: several values are lines of one text.
fn inputs(subject: &Subject<'_>, from: &[String], to: &[String]) -> Snippet {
    let input = |key: &str, values: &[String]| match values {
        [] => String::new(),
        [one] => format!("{key}: {one}\n"),
        all => format!("{key}: |\n{}", all.iter().map(|value| format!("  {value}\n")).collect::<String>()),
    };
    Snippet {
        title: format!("{}, under `with:` of the step at line {}", subject.file.path, line(subject)),
        language: "yaml",
        text: format!("{}{}", input("cache-from", from), input("cache-to", to)),
    }
}

fn bake_action(subject: &Subject<'_>, from: &[String], to: &[String]) -> Snippet {
    let target = subject.build.name.last().map_or("*", String::as_str);
    let of = |key: &str, values: &[String]| {
        values.iter().map(|value| format!("  {target}.{key}={value}\n")).collect::<String>()
    };
    Snippet {
        title: format!("{}, under `with:` of the step at line {}", subject.file.path, line(subject)),
        language: "yaml",
        text: format!("set: |\n{}{}", of("cache-from", from), of("cache-to", to)),
    }
}

fn bake_file(subject: &Subject<'_>, from: &[String], to: &[String]) -> Snippet {
    let of = |key: &str, values: &[String]| {
        let values: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
        if values.is_empty() { String::new() } else { format!("  {key} = [{}]\n", values.join(", ")) }
    };
    let target = subject.build.name.last().map_or("default", String::as_str);
    let path = subject.build.defined.as_ref().map_or(&*subject.file.path, |(path, _)| path);
    Snippet {
        title: format!(
            "the bake file{}",
            if path.ends_with(".hcl") { format!(" ({path})") } else { String::new() }
        ),
        language: "hcl",
        text: format!("target \"{target}\" {{\n{}{}}}\n", of("cache-from", from), of("cache-to", to)),
    }
}

fn compose(subject: &Subject<'_>, from: &[String], to: &[String]) -> Snippet {
    let service = subject.build.name.last().map_or("app", String::as_str);
    let of = |key: &str, values: &[String]| {
        let values: Vec<String> = values.iter().map(|value| format!("        - {value}\n")).collect();
        if values.is_empty() { String::new() } else { format!("      {key}:\n{}", values.concat()) }
    };
    Snippet {
        title: "the Compose file".to_owned(),
        language: "yaml",
        text: format!(
            "services:\n  {service}:\n    build:\n{}{}",
            of("cache_from", from),
            of("cache_to", to)
        ),
    }
}

fn buildkite_plugin(subject: &Subject<'_>, from: &[String], to: &[String]) -> Snippet {
    let service = subject.build.name.last().map_or("app", String::as_str);
    let of = |values: &[String]| -> Vec<String> {
        values.iter().map(|value| format!("{service}:{value}")).collect()
    };
    let inline = to.iter().any(|to| to == "type=inline");
    let exports =
        if inline { "buildkit-inline-cache: true\n".to_owned() } else { list("cache-to", &of(to), true) };
    Snippet {
        title: format!(
            "{}, in the settings of docker-compose-buildkite-plugin at line {}",
            subject.file.path,
            line(subject)
        ),
        language: "yaml",
        text: format!("{}{exports}", list("cache-from", &of(from), true)),
    }
}

fn buildctl(subject: &Subject<'_>, from: &[String], to: &[String], chosen: &Candidate) -> Snippet {
    let mut text = String::from("buildctl build … \\\n");
    flags(&mut text, "--import-cache", "--export-cache", from, to);
    Snippet { title: place(subject, chosen), language: "sh", text }
}

/// Whether the command itself neither pushes the image nor loads it into the engine, as a builder in a container needs.
pub(super) fn leaves_image(subject: &Subject<'_>) -> bool {
    let build = subject.build;
    let inside = |span: crate::source::Span| span.start >= build.span.start && span.end <= build.span.end;
    let says = |setting: &Option<crate::builds::Setting<Value>>| {
        setting.as_ref().is_some_and(|set| {
            inside(set.span) && !matches!(&set.value, Value::Known(value) if value == "false")
        })
    };
    !says(&build.push) && !says(&build.load) && build.outputs.is_empty()
}

fn command(subject: &Subject<'_>, from: &[String], to: &[String], load: bool) -> Snippet {
    let load = if load { "--load " } else { "" };
    let mut text = match subject.build.front {
        Front::DockerBuild => format!("docker build {load}… \\\n"),
        _ => format!("docker buildx build {load}… \\\n"),
    };
    flags(&mut text, "--cache-from", "--cache-to", from, to);
    Snippet {
        title: format!("{}, in the command at line {}", subject.file.path, line(subject)),
        language: "sh",
        text,
    }
}

fn place(subject: &Subject<'_>, _: &Candidate) -> String {
    format!("{}, in the command at line {}", subject.file.path, line(subject))
}

/// The flags of a command line; inside double quotes where a shell expands a name in them.
fn flags(text: &mut String, import: &str, export: &str, from: &[String], to: &[String]) {
    let all: Vec<String> = from
        .iter()
        .map(|value| format!("  {import} {}", shell_word(value)))
        .chain(to.iter().map(|value| format!("  {export} {}", shell_word(value))))
        .collect();
    text.push_str(&all.join(" \\\n"));
    text.push('\n');
}

pub(super) fn shell_word(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "=,.:/_-$@+".contains(c);
    if value.chars().all(plain) { value.to_owned() } else { format!("\"{value}\"") }
}

fn gitlab(subject: &Subject<'_>, from: &[String], to: &[String], chosen: &Candidate) -> Snippet {
    let mut text = String::from("script:\n");
    let mut from = from.to_vec();
    if let (Some(fallback), Some(own)) = (&chosen.fallback, from.last_mut()) {
        let name = |spec: &str| spec.trim_start_matches("type=registry,ref=").to_owned();
        let (mine, main) = (name(own), name(fallback));
        text.push_str(&format!("  - CACHE=\"{mine}\"\n"));
        text.push_str(&format!(
            "  - docker buildx imagetools inspect \"$CACHE\" >/dev/null 2>&1 || CACHE=\"{main}\"\n"
        ));
        *own = "type=registry,ref=$CACHE".to_owned();
    }
    let load = if needs_driver(subject, chosen) && leaves_image(subject) { "--load " } else { "" };
    let program =
        if subject.build.front == Front::DockerBuild { "docker build" } else { "docker buildx build" };
    text.push_str(&format!("  - |\n    {program} {load}… \\\n"));
    let mut lines = String::new();
    flags(&mut lines, "--cache-from", "--cache-to", &from, to);
    for line in lines.lines() {
        text.push_str(&format!("    {line}\n"));
    }
    Snippet {
        title: format!("{}, in the command at line {}", subject.file.path, line(subject)),
        language: "yaml",
        text,
    }
}

fn cloud_build(subject: &Subject<'_>, from: &[String], to: &[String], chosen: &Candidate) -> Snippet {
    let build = subject.build;
    let mut args = vec!["build".to_owned()];
    // The docker driver makes inline caches, and `images:` pushes.
    if needs_driver(subject, chosen) || build.front != Front::DockerBuild {
        args.insert(0, "buildx".to_owned());
        if cache::is_pushed(build) {
            args.push("--push".to_owned());
        }
    }
    let value = |args: &mut Vec<String>, flag: &str, value: &str| {
        args.push(flag.to_owned());
        args.push(value.to_owned());
    };
    if let Some(target) = &build.target {
        value(&mut args, "--target", text(&target.value));
    }
    for tag in &build.tags {
        value(&mut args, "-t", text(&tag.value));
    }
    for spec in from {
        value(&mut args, "--cache-from", spec);
    }
    for spec in to {
        value(&mut args, "--cache-to", spec);
    }
    args.push("…".to_owned());
    let lines: Vec<String> = args.iter().map(|arg| format!("    - {arg}\n")).collect();
    Snippet {
        title: format!("{}, in the place of the step at line {}", subject.file.path, line(subject)),
        language: "yaml",
        text: format!("- name: gcr.io/cloud-builders/docker\n  args:\n{}", lines.concat()),
    }
}

/// The first line of the build.
pub(super) fn line(subject: &Subject<'_>) -> u32 {
    subject.file.line(subject.build.span.start)
}
