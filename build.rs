//! Turns `rules/tools/*.toml` into what the program reads soonest: one JSON text per tool, parsed when a command first asks
//! for the tool, and a sorted table of all executables; and what is known of images.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=rules/tools");
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    for entry in fs::read_dir("rules/tools")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    // By name: `a` stands before `a-b`, which of the file names it would not.
    files.sort_by(|a, b| a.file_stem().cmp(&b.file_stem()));

    let mut tools = String::from("&[\n");
    let mut executables = Vec::new();
    for (number, path) in files.iter().enumerate() {
        let tool: toml::Table = toml::from_str(&fs::read_to_string(path)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        writeln!(tools, "    ({name:?}, {:?}),", serde_json::to_string(&tool)?)?;
        for executable in tool.get("executables").and_then(toml::Value::as_array).into_iter().flatten() {
            let executable = executable.as_str().unwrap_or_default();
            let program = executable.split(' ').next().unwrap_or_default();
            executables.push((program.to_owned(), number, executables.len(), executable.to_owned()));
        }
    }
    tools.push_str("]\n");
    let (globs, mut exact): (Vec<_>, Vec<_>) =
        executables.into_iter().partition(|(program, ..)| program.contains('*'));
    exact.sort();
    let table = |entries: &[(String, usize, usize, String)]| {
        let line = |(program, number, _, executable): &(String, usize, usize, String)| {
            let words = executable.split(' ').count();
            format!("    ({program:?}, {number}, {executable:?}, {words}),\n")
        };
        format!("&[\n{}]\n", entries.iter().map(line).collect::<String>())
    };

    let images: toml::Table = toml::from_str(&fs::read_to_string("rules/tools/common/images.toml")?)?;

    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("images.in"), format!("{:?}", serde_json::to_string(&images)?))?;
    fs::write(Path::new(&out).join("tools.in"), tools)?;
    fs::write(Path::new(&out).join("executables.in"), table(&exact))?;
    fs::write(Path::new(&out).join("globs.in"), table(&globs))?;
    Ok(())
}
