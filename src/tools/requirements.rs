//! pip's requirements files: what they include, and whether they install from the project.

use super::condition::Site;
use super::environment::File;

/// Files that are followed; includes of includes count.
const MAX_FILES: usize = 32;

/// Adds the files that those in `named` include (`-r`, `-c`), where they are known. Tells whether one of them installs
/// from a directory of the project (`-e .`, `./pkg`), so that its sources are needed.
pub(super) fn follow(site: &Site<'_, '_>, named: &mut Vec<String>) -> bool {
    let mut sources = false;
    let mut next = 0;
    while let Some(name) = named.get(next).cloned() {
        next += 1;
        let text = match site.read(&name) {
            File::Text(text) => text,
            _ => continue,
        };
        let base = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        for line in text.lines() {
            let line = line.split(" #").next().unwrap_or("").trim();
            let option = |names: [&str; 2]| {
                names.iter().find_map(|name| {
                    let rest = line.strip_prefix(name)?;
                    rest.starts_with([' ', '=']).then(|| rest.trim_start_matches([' ', '=']))
                })
            };
            if let Some(file) = option(["-r", "--requirement"]).or_else(|| option(["-c", "--constraint"])) {
                let file = if base.is_empty() { file.to_owned() } else { format!("{base}/{file}") };
                if named.len() < MAX_FILES && !named.contains(&file) && !file.contains("://") {
                    named.push(file);
                }
            } else if option(["-e", "--editable"]).is_some_and(|target| !target.contains("://"))
                || is_local(line)
            {
                sources = true;
            }
        }
    }
    sources
}

/// Whether a requirement is a directory or file of the project.
fn is_local(line: &str) -> bool {
    let path = line.split(['[', ';', ' ']).next().unwrap_or("");
    path == "."
        || path == ".."
        || path.starts_with("./")
        || path.starts_with("../")
        || path.starts_with("file:")
}
