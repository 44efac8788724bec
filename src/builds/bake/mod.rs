//! `docker-bake.hcl` and `.json`: targets with inheritance, groups, matrices, variables and functions (facts §7.2).

mod eval;
mod expr;
mod functions;
mod parse;
mod set;
mod target;

pub use set::{Override, apply};

use super::{Build, Files, Front, ReadError, System, Trigger, Vars, compose, parent};
use eval::Scope;
use parse::Definitions;
use rustc_hash::FxHashSet;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use target::{Bake, Leg};

/// The files that bake takes when it is given none, in the order in which they are merged (`bx:bake/bake.go`).
const DEFAULTS: &[&str] = &[
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
];

/// What is asked of bake.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The files in the order in which they are merged, relative to the project's root.
    pub files: Vec<String>,
    /// Where it runs: the directory to which contexts are relative. `None` where that is not known.
    pub cwd: Option<String>,
    /// Targets and groups; `default` if empty.
    pub targets: Vec<String>,
    /// What the environment is known to hold.
    pub vars: Vars,
}

/// The builds that a bake file defines: every target that a group names, that no other inherits from, or that by itself
/// says what it builds and what becomes of it.
///
/// # Errors
/// Where the file is not HCL or JSON.
pub fn read(path: &str, text: &str, files: Files<'_>) -> Result<Vec<Build>, ReadError> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let directory = parent(path);
    let mut request =
        Request { files: vec![path.to_owned()], cwd: Some(directory.to_owned()), ..Request::default() };
    if let Some((stem, extension)) = name.rsplit_once('.') {
        let sibling = |name: String| {
            let path = super::join(directory, &name)?;
            files(&path).is_some().then_some(path)
        };
        match stem.strip_suffix(".override") {
            // It is read with the file that it changes.
            Some(base)
                if sibling(format!("{base}.{extension}")).is_some()
                    || sibling(format!("{base}.hcl")).is_some() =>
            {
                return Definitions::default().read(path, text, 0).map(|()| Vec::new());
            }
            Some(_) => {}
            None => {
                let overrides = ["json", "hcl"].map(|other| sibling(format!("{stem}.override.{other}")));
                request.files.extend(overrides.into_iter().flatten());
            }
        }
    }
    let files = |wanted: &str| if wanted == path { Some(text) } else { files(wanted) };
    let mut first = evaluate(&request, &files, true)?;
    // A bake file that is not in the root may be one that is run from there.
    let found = |builds: &[Build]| {
        builds
            .iter()
            .filter_map(|build| build.dockerfile.as_ref())
            .filter(|file| files(&file.value).is_some())
            .count()
    };
    if !directory.is_empty() && found(&first) == 0 {
        request.cwd = Some(String::new());
        let second = evaluate(&request, &files, true)?;
        if found(&second) > 0 {
            first = second;
        }
    }
    Ok(first)
}

/// The files that bake takes in `directory` when it is given none.
#[must_use]
pub fn default_files(directory: &str, files: Files<'_>) -> Vec<String> {
    let there = |name: &&str| super::join(directory, name).filter(|path| files(path).is_some());
    DEFAULTS.iter().filter_map(there).collect()
}

/// The builds that bake would run. Each stands in the last of the files that has a block for its target.
///
/// # Errors
/// Where one of the files does not parse. Files that are not there are left out.
pub fn builds(request: &Request, files: Files<'_>) -> Result<Vec<Build>, ReadError> {
    evaluate(request, files, false)
}

fn evaluate(request: &Request, files: Files<'_>, all: bool) -> Result<Vec<Build>, ReadError> {
    let mut definitions = Definitions::default();
    let mut paths: Vec<Arc<str>> = Vec::new();
    let mut sources = Vec::new();
    let mut composed = Vec::new();
    for path in request.files.iter().take(64) {
        let Some(text) = files(path) else { continue };
        if path.ends_with(".yml") || path.ends_with(".yaml") {
            composed.push(path.clone());
            continue;
        }
        definitions.read(path, text, paths.len())?;
        paths.push(path.as_str().into());
        sources.push(text);
    }
    let services = if composed.is_empty() {
        Vec::new()
    } else {
        let request = compose::Request {
            files: composed,
            vars: request.vars.clone(),
            bake: true,
            ..Default::default()
        };
        compose::builds(&request, files)?
    };
    let (memo, steps) = (RefCell::default(), Cell::new(0));
    let scope = |defaults: bool| Scope {
        sources: &sources,
        variables: &definitions.variables,
        functions: &definitions.functions,
        environment: &request.vars,
        defaults,
        memo: &memo,
        steps: &steps,
    };
    let bake = Bake {
        definitions: &definitions,
        scope: scope(false),
        paths: &paths,
        cwd: request.cwd.as_deref(),
        files,
    };
    let wanted = if all { Wanted::All } else { Wanted::Names(&request.targets) };
    Ok(bake.builds(&wanted, services, scope(true)))
}

/// Which targets are asked for.
enum Wanted<'w> {
    /// All that are for building.
    All,
    /// These targets and groups.
    Names(&'w [String]),
}

impl<'b> Bake<'b, '_> {
    fn builds(&self, wanted: &Wanted<'_>, services: Vec<Build>, defaults: Scope<'b>) -> Vec<Build> {
        let names = match wanted {
            Wanted::All => self.buildable(),
            Wanted::Names([]) => self.expand(&["default".to_owned()], &services),
            Wanted::Names(names) => self.expand(names, &services),
        };
        let mut out = Vec::new();
        let mut done = FxHashSet::default();
        for name in names {
            if !done.insert(name.clone()) {
                continue;
            }
            let service = services.iter().find(|service| service.name.last() == Some(&name));
            let direct = self.definitions.target(&name);
            match (direct, service) {
                (Some(target), service) => {
                    for leg in self.legs(target) {
                        self.leg(target, &leg, service, defaults, &mut out);
                    }
                }
                (None, Some(service)) => out.push(Build { front: Front::Bake, ..service.clone() }),
                // A leg by its own name.
                (None, None) => {
                    let found = self.definitions.targets.iter().find_map(|target| {
                        Some((target, self.legs(target).into_iter().find(|leg| leg.name == name)?))
                    });
                    if let Some((target, leg)) = found {
                        self.leg(target, &leg, None, defaults, &mut out);
                    }
                }
            }
        }
        out
    }

    fn leg(
        &self,
        target: &parse::Target,
        leg: &Leg,
        service: Option<&Build>,
        defaults: Scope<'b>,
        out: &mut Vec<Build>,
    ) {
        let Some(home) = target.blocks.last() else { return };
        let Some(path) = self.paths.get(home.file) else { return };
        let fresh = service.is_none();
        let new = || Build::new(path.clone(), home.span, System::Bake, Front::Bake);
        let mut build = match service {
            // The service as it is, seen from the bake file.
            Some(service) => {
                let mut build = service.clone().started_by(&new());
                build.defined = None;
                build
            }
            None => new(),
        };
        build.name = vec![leg.name.clone()];
        build.matrix.clone_from(&leg.matrix);
        build.job = path.to_string();
        build.trigger = Trigger { unknown: true, ..Trigger::default() };
        self.fill(&mut build, target, leg, fresh);
        // Where it is, is asked with variables at their defaults: that is how it is found when nobody sets them.
        if build.dockerfile.is_none() && build.dockerfile_inline.is_none()
            || build.target.as_ref().is_some_and(|target| target.value.known().is_none())
        {
            let plain = Bake { scope: defaults, ..*self };
            let mut usual = new();
            plain.fill(&mut usual, target, leg, fresh);
            if build.dockerfile.is_none() && build.dockerfile_inline.is_none() {
                build.dockerfile = usual.dockerfile;
                build.context = usual.context;
            }
            if build.target.as_ref().is_some_and(|target| target.value.known().is_none()) {
                build.target = usual
                    .target
                    .filter(|target| target.value.known().is_some_and(|name| !name.is_empty()))
                    .or(build.target);
            }
        }
        out.push(build);
    }

    /// Targets that are for building ([`read`]).
    fn buildable(&self) -> Vec<String> {
        let mut grouped = FxHashSet::default();
        for group in &self.definitions.groups {
            grouped.extend(self.members(group));
        }
        let mut inherited = FxHashSet::default();
        for target in &self.definitions.targets {
            let locals = self.legs(target).into_iter().next().map(|leg| leg.locals).unwrap_or_default();
            inherited.extend(self.inherits(target, &locals).into_iter().filter(|name| *name != target.name));
        }
        // One that others inherit from may be for building too: it then says what and whereto.
        let whole = |target: &parse::Target| {
            let has = |keys: &[&str]| {
                let mut attributes = target.blocks.iter().flat_map(|block| &block.attributes);
                attributes.any(|(key, _)| keys.contains(&key.as_str()))
            };
            let placed = || has(&["dockerfile", "context", "target", "dockerfile-inline"]);
            has(&["output"]) || has(&["tags"]) && placed()
        };
        let kept = |target: &&parse::Target| {
            let name = &target.name;
            grouped.contains(name) || !name.starts_with('_') && (!inherited.contains(name) || whole(target))
        };
        self.definitions.targets.iter().filter(kept).map(|target| target.name.clone()).collect()
    }

    /// The targets behind names of targets and groups.
    fn expand(&self, names: &[String], services: &[Build]) -> Vec<String> {
        let mut out = Vec::new();
        let mut seen = FxHashSet::default();
        let mut queue: Vec<String> = names.iter().rev().cloned().collect();
        while let Some(name) = queue.pop() {
            if !seen.insert(name.clone()) || out.len() > 4096 {
                continue;
            }
            let group = self.definitions.groups.iter().find(|group| group.name == name);
            match group {
                Some(group) => queue.extend(self.members(group).into_iter().rev()),
                None if name == "default" && self.definitions.target("default").is_none() => {
                    out.extend(services.iter().filter_map(|service| service.name.last().cloned()));
                }
                None => out.push(name),
            }
        }
        out
    }

    fn members(&self, group: &parse::Group) -> Vec<String> {
        let mut out = Vec::new();
        for (expr, file) in &group.targets {
            match self.scope.eval(expr, *file, &eval::Locals::default(), 0) {
                eval::Val::List(items) => out.extend(items.iter().filter_map(eval::Val::known)),
                other => out.extend(other.known()),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests;
