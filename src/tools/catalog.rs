//! The tools that are known, found by executable. A file is parsed when a command first asks for it.

use super::builtin::FILES;
use super::model::Tool;
use super::phrase::glob;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// The built-in tools with those of the user.
#[derive(Debug, Default)]
pub struct Catalog {
    own: Vec<Tool>,
    index: Index,
}

/// Why a tool file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// It is not the TOML of a tool.
    #[error("{name}: {source}")]
    Syntax {
        /// Which file.
        name: String,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// Its caches are of a tool that does not exist.
    #[error("{name}: there is no tool `{of}` whose caches it could use")]
    UnknownTool {
        /// Which file.
        name: String,
        /// The name in `of`.
        of: String,
    },
}

/// Which tool: built-in or the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Id {
    Builtin(usize),
    Own(usize),
}

/// Executables, by base name of the program.
#[derive(Clone, Debug, Default)]
struct Index {
    exact: FxHashMap<String, Vec<(Id, Vec<String>)>>,
    globs: Vec<(Id, Vec<String>)>,
}

/// A tool and the words of its executable that a command begins with.
pub(super) struct Candidate<'c> {
    pub(super) tool: &'c Tool,
    pub(super) executable: &'c [String],
}

impl Catalog {
    /// The built-in tools.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalog> = OnceLock::new();
        BUILTIN.get_or_init(Self::default)
    }

    /// The built-in tools with more: `(name of the file, its text)`, one tool each. One of a built-in's name replaces it.
    ///
    /// # Errors
    /// Where a text is not a tool.
    pub fn with<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        for (name, text) in texts {
            let tool: Tool = toml::from_str(text)
                .map_err(|error| CatalogError::Syntax { name: name.to_owned(), source: Box::new(error) })?;
            catalog.add(tool);
        }
        for tool in &catalog.own {
            if let Some(of) =
                tool.caches.iter().filter_map(|cache| cache.of.as_ref()).find(|of| catalog.tool(of).is_none())
            {
                return Err(CatalogError::UnknownTool { name: tool.name.clone(), of: of.clone() });
            }
        }
        Ok(catalog)
    }

    /// Adds tools that are already read (those of a configuration file).
    #[must_use]
    pub fn with_tools(tools: impl IntoIterator<Item = Tool>) -> Self {
        let mut catalog = Self::default();
        tools.into_iter().for_each(|tool| catalog.add(tool));
        catalog
    }

    fn add(&mut self, tool: Tool) {
        self.own.retain(|own| own.name != tool.name);
        self.own.push(tool);
        self.index = Index::default();
        for (number, tool) in self.own.iter().enumerate() {
            for executable in &tool.executables {
                self.index.add(Id::Own(number), executable);
            }
        }
    }

    /// The tool of that name.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        if let Some(own) = self.own.iter().find(|tool| tool.name == name) {
            return Some(own);
        }
        let number = FILES.binary_search_by(|(file, _)| (*file).cmp(name)).ok()?;
        parsed(number)
    }

    /// Every tool, the user's first.
    pub fn tools(&self) -> Vec<&Tool> {
        let builtin = (0..FILES.len())
            .filter(|number| !self.replaced(*number))
            .filter_map(|number| -> Option<&Tool> { parsed(number) });
        self.own.iter().chain(builtin).collect()
    }

    fn replaced(&self, number: usize) -> bool {
        FILES.get(number).is_some_and(|(name, _)| self.own.iter().any(|tool| tool.name == *name))
    }

    /// The tools whose executable begins with `program`, a base name.
    pub(super) fn candidates(&self, program: &str) -> Vec<Candidate<'_>> {
        let mut found = Vec::new();
        self.index.find(program, &mut found);
        builtin_index().find(program, &mut found);
        let tool = |id: Id| match id {
            Id::Own(number) => self.own.get(number),
            Id::Builtin(number) if self.replaced(number) => None,
            Id::Builtin(number) => parsed(number),
        };
        found
            .into_iter()
            .filter_map(|(id, executable)| Some(Candidate { tool: tool(id)?, executable }))
            .collect()
    }
}

impl Index {
    fn add(&mut self, id: Id, executable: &str) {
        let words: Vec<String> = executable.split(' ').map(str::to_owned).collect();
        match words.first() {
            Some(first) if first.contains('*') => self.globs.push((id, words)),
            Some(first) => self.exact.entry(first.clone()).or_default().push((id, words)),
            None => {}
        }
    }

    fn find<'s>(&'s self, program: &str, found: &mut Vec<(Id, &'s [String])>) {
        let exact = self.exact.get(program).into_iter().flatten();
        let fits = |words: &[String]| words.first().is_some_and(|first| glob(first, program));
        let globs = self.globs.iter().filter(|(_, words)| fits(words));
        found.extend(exact.chain(globs).map(|(id, words)| (*id, words.as_slice())));
    }
}

/// The built-in tool of that number.
fn parsed(number: usize) -> Option<&'static Tool> {
    static TOOLS: [OnceLock<Option<Tool>>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];
    let (_, text) = FILES.get(number)?;
    // A test parses every file; one that could not be read would be a tool that is not recognised.
    TOOLS.get(number)?.get_or_init(|| toml::from_str(text).ok()).as_ref()
}

fn builtin_index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index::default();
        for (number, (_, text)) in FILES.iter().enumerate() {
            for executable in executables(text) {
                index.add(Id::Builtin(number), executable);
            }
        }
        index
    })
}

/// The strings of the line `executables = […]`, found without parsing the file. A test compares them with the parser's.
fn executables(text: &str) -> impl Iterator<Item = &str> {
    let list = text.split_once("\nexecutables = [").and_then(|(_, rest)| rest.split_once(']'));
    list.map_or("", |(list, _)| list).split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_what_the_files_say() {
        for (number, (name, text)) in FILES.iter().enumerate() {
            let tool: Result<Tool, _> = toml::from_str(text);
            let tool = tool.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(tool.name, *name, "the file is named after its tool");
            assert_eq!(executables(text).collect::<Vec<_>>(), tool.executables, "{name}");
            assert!(parsed(number).is_some());
        }
        assert!(FILES.is_sorted_by_key(|(name, _)| *name));
    }
}
