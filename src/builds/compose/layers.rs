//! The files of a Compose project, and what each says of a service, the weakest first.

use super::Request;
use crate::builds::yaml::{self, Node};
use crate::builds::{Files, ReadError, Vars, join, parent};
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// How many files one project may include and extend.
const MAX_FILES: usize = 64;
/// How long a chain of `extends` may be.
const MAX_EXTENDS: u32 = 16;
/// How many layers a service may have.
const MAX_LAYERS: usize = 256;

/// What one file says of a service.
#[derive(Clone, Debug)]
pub(crate) struct Layer<'a> {
    /// The service.
    pub node: Arc<Node<'a>>,
    /// Its name and its text.
    pub span: Span,
    /// The file.
    pub file: Arc<str>,
    /// The directory to which its paths are relative.
    pub directory: Arc<str>,
}

struct File<'a> {
    path: Arc<str>,
    directory: Arc<str>,
    root: Arc<Node<'a>>,
}

/// The files of a project.
pub(super) struct Loaded<'a> {
    files: Vec<File<'a>>,
    /// Files that only `extends` names, by path.
    others: FxHashMap<String, Option<File<'a>>>,
    /// What is known of the environment, `.env` included.
    pub(super) vars: Vars,
    order: Vec<String>,
}

impl<'a> Loaded<'a> {
    pub(super) fn read(request: &Request, files: Files<'a>) -> Result<Self, ReadError> {
        let first = request.files.first().map_or("", String::as_str);
        let directory = request.directory.clone().unwrap_or_else(|| parent(first).to_owned());
        let mut loaded = Self {
            files: Vec::new(),
            others: FxHashMap::default(),
            vars: request.vars.clone(),
            order: Vec::new(),
        };
        if let Some(env) = join(&directory, ".env").and_then(|path| files(&path)) {
            dotenv(env, &mut loaded.vars);
        }
        let mut queue: Vec<(String, String)> =
            request.files.iter().map(|path| (path.clone(), directory.clone())).collect();
        queue.reverse();
        while let Some((path, directory)) = queue.pop() {
            let Some(text) = files(&path) else { continue };
            if loaded.files.len() >= MAX_FILES || loaded.files.iter().any(|file| *file.path == *path) {
                continue;
            }
            let Some(root) = yaml::parse(text)? else { continue };
            // Included files come before the file that includes them.
            let base = parent(&path).to_owned();
            for item in root.get("include").map(|list| list.items()).unwrap_or_default() {
                let own = item.get("project_directory").and_then(|own| own.str());
                let paths = item.get("path").unwrap_or(item);
                for (included, _) in paths.strings() {
                    if let Some(included) = join(&base, included) {
                        let directory = own.and_then(|own| join(&base, own));
                        let directory = directory.unwrap_or_else(|| parent(&included).to_owned());
                        queue.push((included, directory));
                    }
                }
            }
            loaded.files.push(File { path: path.into(), directory: directory.into(), root });
        }
        loaded.extended(files);
        loaded.list();
        Ok(loaded)
    }

    /// Reads the files that `extends` names. One that is not YAML is left out: it is read, and found fault with, by itself.
    fn extended(&mut self, files: Files<'a>) {
        let mut open: Vec<(Arc<Node<'a>>, Arc<str>)> =
            self.files.iter().map(|file| (file.root.clone(), file.path.clone())).collect();
        while let Some((root, path)) = open.pop() {
            let services = root.get("services").map(|services| services.entries()).unwrap_or_default();
            for service in services {
                let Some(name) = service.value.at(&["extends", "file"]).and_then(Node::str) else { continue };
                let Some(wanted) = join(parent(&path), name) else { continue };
                if self.others.len() >= MAX_FILES || self.others.contains_key(&wanted) {
                    continue;
                }
                let root = files(&wanted).and_then(|text| yaml::parse(text).ok().flatten());
                let file = root.map(|root| {
                    let path: Arc<str> = wanted.as_str().into();
                    open.push((root.clone(), path.clone()));
                    File { directory: parent(&wanted).into(), path, root }
                });
                self.others.insert(wanted, file);
            }
        }
    }

    /// The names of the services in the order in which they first stand.
    fn list(&mut self) {
        let mut seen = rustc_hash::FxHashSet::default();
        for file in &self.files {
            for service in services(&file.root) {
                if let Some(name) = service.name()
                    && seen.insert(name.to_owned())
                {
                    self.order.push(name.to_owned());
                }
            }
        }
    }

    /// Every service with its layers.
    pub(super) fn services(&self) -> impl Iterator<Item = (&str, Vec<Layer<'a>>)> {
        self.order.iter().map(|name| {
            let mut layers = Vec::new();
            for file in &self.files {
                self.layers(name, file, &mut layers, 0);
            }
            (name.as_str(), layers)
        })
    }

    /// Appends what a file says of a service, after what the service extends.
    fn layers(&self, name: &str, file: &File<'a>, out: &mut Vec<Layer<'a>>, depth: u32) {
        if depth > MAX_EXTENDS || out.len() >= MAX_LAYERS {
            return;
        }
        let Some(entry) = services(&file.root).iter().rev().find(|entry| entry.name() == Some(name)) else {
            return;
        };
        if let Some(extends) = entry.value.get("extends") {
            let base = extends.str().or_else(|| extends.get("service").and_then(|base| base.str()));
            let from = match extends.get("file").and_then(|name| name.str()) {
                Some(other) => join(parent(&file.path), other)
                    .and_then(|path| self.others.get(&path))
                    .and_then(Option::as_ref),
                None => Some(file),
            };
            if let (Some(base), Some(from)) = (base, from) {
                self.layers(base, from, out, depth + 1);
            }
        }
        out.push(Layer {
            node: entry.value.clone(),
            span: entry.span(),
            file: file.path.clone(),
            directory: file.directory.clone(),
        });
    }
}

fn services<'n, 'a>(root: &'n Node<'a>) -> &'n [yaml::Entry<'a>] {
    root.get("services").map(|services| services.entries()).unwrap_or_default()
}

/// `NAME=value` lines. The environment wins over the file.
fn dotenv(text: &str, vars: &mut Vars) {
    for line in text.lines().take(4096) {
        let line = line.trim_start().trim_start_matches("export ");
        let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else { continue };
        let name = name.trim();
        let value = value.trim();
        let quoted = value.len() >= 2 && value.starts_with(['"', '\'']) && value.ends_with(['"', '\'']);
        let value = if quoted {
            value.get(1..value.len() - 1).unwrap_or(value)
        } else {
            value.split(" #").next().unwrap_or(value).trim_end()
        };
        if vars.get(name).is_none() {
            vars.set_foreign(name, value);
        }
    }
}
