//! The tools that are known, found by executable. A file is parsed when a command first asks for it.

use super::builtin::{EXECUTABLES, Executable, GLOBS, TOOLS};
use super::model::Tool;
use super::phrase::glob;
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::OnceLock;

/// The built-in tools with those of the user.
#[derive(Debug, Default)]
pub struct Catalog {
    own: Vec<Tool>,
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

/// A tool and its executable that a command may begin with.
pub(super) struct Candidate<'c> {
    pub(super) tool: &'c Tool,
    /// Words, separated by blanks.
    pub(super) executable: &'c str,
    /// How many they are.
    pub(super) words: usize,
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
    }

    /// The tool of that name.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        if let Some(own) = self.own.iter().find(|tool| tool.name == name) {
            return Some(own);
        }
        let number = TOOLS.binary_search_by(|(own, _)| (*own).cmp(name)).ok()?;
        parsed(number)
    }

    /// Every tool, the user's first.
    pub fn tools(&self) -> Vec<&Tool> {
        let builtin = (0..TOOLS.len())
            .filter(|number| !self.replaced(*number))
            .filter_map(|number| -> Option<&Tool> { parsed(number) });
        self.own.iter().chain(builtin).collect()
    }

    fn replaced(&self, number: usize) -> bool {
        !self.own.is_empty()
            && TOOLS.get(number).is_some_and(|(name, _)| self.own.iter().any(|tool| tool.name == *name))
    }

    /// Shows `visit` the tools whose executable begins with `program`, a base name: the user's, then the built-in ones,
    /// globs last.
    pub(super) fn candidates<'c>(&'c self, program: &str, mut visit: impl FnMut(Candidate<'c>)) {
        for globs in [false, true] {
            let tools = self.own.iter();
            for (tool, executable) in
                tools.flat_map(|tool| tool.executables.iter().map(move |own| (tool, own)))
            {
                let first = executable.split(' ').next().unwrap_or_default();
                // A glob without a star is the word itself.
                if first.contains('*') == globs && glob(first, program) {
                    visit(Candidate { tool, executable, words: executable.split(' ').count() });
                }
            }
        }
        let mut builtin = |&(_, number, executable, words): &Executable| {
            if !self.replaced(number)
                && let Some(tool) = parsed(number)
            {
                visit(Candidate { tool, executable, words });
            }
        };
        let same = builtin_places().get(program).cloned().and_then(|range| EXECUTABLES.get(range));
        same.into_iter().flatten().for_each(&mut builtin);
        GLOBS.iter().filter(|(own, ..)| glob(own, program)).for_each(&mut builtin);
    }
}

/// Where in [`EXECUTABLES`] those of a program stand.
fn builtin_places() -> &'static FxHashMap<&'static str, Range<usize>> {
    static PLACES: OnceLock<FxHashMap<&str, Range<usize>>> = OnceLock::new();
    PLACES.get_or_init(|| {
        let mut places: FxHashMap<&str, Range<usize>> = FxHashMap::default();
        for (at, (program, ..)) in EXECUTABLES.iter().enumerate() {
            places.entry(program).or_insert(at..at).end = at + 1;
        }
        places
    })
}

/// The built-in tool of that number.
fn parsed(number: usize) -> Option<&'static Tool> {
    static PARSED: [OnceLock<Option<Tool>>; TOOLS.len()] = [const { OnceLock::new() }; TOOLS.len()];
    let (_, text) = TOOLS.get(number)?;
    // A test parses every one; one that could not be read would be a tool that is not recognised.
    PARSED.get(number)?.get_or_init(|| serde_json::from_str(text).ok()).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_what_the_files_say() {
        let place = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/tools");
        for (number, (name, _)) in TOOLS.iter().enumerate() {
            let text = std::fs::read_to_string(place.join(format!("{name}.toml"))).unwrap();
            let tool: Result<Tool, _> = toml::from_str(&text);
            let tool = tool.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(tool.name, *name, "the file is named after its tool");
            assert_eq!(format!("{tool:?}"), format!("{:?}", parsed(number).unwrap()));
            for executable in &tool.executables {
                let program = executable.split(' ').next().unwrap().replace('*', "7");
                let mut is_found = false;
                Catalog::builtin().candidates(&program, |one| {
                    is_found |= one.tool.name == *name
                        && one.executable == executable
                        && one.words == executable.split(' ').count();
                });
                assert!(is_found, "{name}: {executable}");
            }
        }
        assert!(TOOLS.is_sorted_by_key(|(name, _)| *name));
        let files = std::fs::read_dir(place).unwrap();
        let tools = files.filter(|file| {
            file.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "toml")
        });
        assert_eq!(tools.count(), TOOLS.len());
    }

    #[test]
    fn a_tool_of_the_users_stands_before_the_built_in_ones_and_takes_the_place_of_its_name() {
        let own =
            |name: &str| format!("name = \"{name}\"\necosystem = \"x\"\nexecutables = [\"npm\", \"np*\"]\n");
        let names = |catalog: &Catalog| -> Vec<String> {
            let mut names = Vec::new();
            catalog.candidates("npm", |one| names.push(format!("{} {}", one.tool.name, one.executable)));
            names
        };
        let builtin = names(Catalog::builtin());
        assert!(builtin.contains(&"npm npm".to_owned()), "{builtin:?}");
        let more = names(&Catalog::with([("mine", own("mine").as_str())]).unwrap());
        assert_eq!(more, [&["mine npm".to_owned(), "mine np*".to_owned()], builtin.as_slice()].concat());
        let instead = names(&Catalog::with([("npm", own("npm").as_str())]).unwrap());
        let rest = builtin.iter().filter(|one| !one.starts_with("npm ")).cloned();
        let expected: Vec<String> =
            ["npm npm".to_owned(), "npm np*".to_owned()].into_iter().chain(rest).collect();
        assert_eq!(instead, expected);
    }
}
