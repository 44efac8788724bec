//! The form of a rule's page (`rules/README.md`), and the examples on it.

use std::collections::BTreeMap;

/// The headings that every page has, in order.
pub(crate) const HEADINGS: [&str; 4] = ["Why it costs", "How to mend it", "When to ignore it", "Examples"];

/// One example: a project in which one file is bad or good.
#[derive(Clone, Debug, Default)]
pub(crate) struct Example {
    /// The line of the page at which its fence starts.
    pub(crate) line: usize,
    /// The file that the example is about.
    pub(crate) path: String,
    /// Every file of the project.
    pub(crate) files: BTreeMap<String, String>,
    /// What the rule has to report.
    pub(crate) expect: Expect,
    /// The files after the fixes; `None` where there is no `fixed` fence.
    pub(crate) fixed: Option<BTreeMap<String, String>>,
}

/// What the rule has to report.
#[derive(Clone, Debug, Default)]
pub(crate) enum Expect {
    /// Nothing.
    #[default]
    Silence,
    /// A finding at each of these lines, with this severity if it is not the rule's own.
    Findings { lines: Vec<u32>, severity: Option<String> },
}

struct Fence {
    line: usize,
    words: Vec<String>,
    text: String,
    section: usize,
}

/// The examples of a page. A page that cannot be read is an error with its line.
pub(crate) fn examples(page: &str) -> Result<Vec<Example>, String> {
    let mut examples: Vec<(usize, Example)> = Vec::new();
    let mut around: BTreeMap<usize, BTreeMap<String, String>> = BTreeMap::new();
    for fence in fences(page)? {
        let fail = |message: &str| Err(format!("line {}: {message}", fence.line));
        let has = |word: &str| fence.words.iter().any(|other| other == word);
        let value = |key: &str| fence.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        for word in fence.words.iter().skip(1) {
            let known = ["bad", "good", "fixed", "files"].contains(&word.as_str())
                || ["line=", "file=", "severity="].iter().any(|key| word.starts_with(key));
            if !known {
                return fail(&format!("a fence cannot say `{word}`"));
            }
        }
        if has("bad") || has("good") {
            let path = value("file").unwrap_or("Dockerfile").to_owned();
            let expect = if has("bad") {
                let Some(lines) = value("line") else { return fail("a bad example needs `line=`") };
                let Ok(lines) = lines.split(',').map(str::parse).collect::<Result<Vec<u32>, _>>() else {
                    return fail("`line=` takes numbers");
                };
                Expect::Findings { lines, severity: value("severity").map(str::to_owned) }
            } else {
                Expect::Silence
            };
            let files = BTreeMap::from([(path.clone(), fence.text)]);
            let example = Example { line: fence.line, path, files, expect, fixed: None };
            examples.push((fence.section, example));
        } else if has("fixed") {
            let last = examples.last_mut().filter(|(section, _)| *section == fence.section);
            let Some((_, example)) = last.filter(|(_, last)| matches!(last.expect, Expect::Findings { .. }))
            else {
                return fail("a fixed example follows a bad one");
            };
            let path = value("file").map_or_else(|| example.path.clone(), str::to_owned);
            example.fixed.get_or_insert_default().insert(path, fence.text);
        } else if has("files") {
            let files = around.entry(fence.section).or_default();
            files.extend(fence.text.lines().map(|path| (path.trim().to_owned(), String::new())));
        } else if let Some(path) = value("file") {
            around.entry(fence.section).or_default().insert(path.to_owned(), fence.text);
        }
    }
    for (section, example) in &mut examples {
        for (path, text) in around.get(section).into_iter().flatten() {
            example.files.entry(path.clone()).or_insert_with(|| text.clone());
        }
    }
    Ok(examples.into_iter().map(|(_, example)| example).collect())
}

fn fences(page: &str) -> Result<Vec<Fence>, String> {
    let mut fences = Vec::new();
    let mut section = 0;
    let mut open: Option<(String, Fence)> = None;
    for (index, line) in page.lines().enumerate() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &mut open {
            Some((marker, fence)) => {
                if line.trim_end() == marker {
                    fences.extend(open.take().map(|(_, fence)| fence));
                } else {
                    fence.text.push_str(line);
                    fence.text.push('\n');
                }
            }
            None if ticks.len() >= 3 => {
                let words = line.trim_start_matches('`').split_whitespace().map(str::to_owned).collect();
                open = Some((ticks, Fence { line: index + 1, words, text: String::new(), section }));
            }
            None if line.starts_with('#') => section += 1,
            None => {}
        }
    }
    match open {
        Some((_, fence)) => Err(format!("line {}: a fence without an end", fence.line)),
        None => Ok(fences),
    }
}

/// What is wrong with the page's form.
pub(crate) fn check_form(name: &str, page: &str) -> Result<(), String> {
    let mut lines = page.lines();
    if lines.next() != Some(&format!("# {name}")) {
        return Err(format!("the first line has to be `# {name}`"));
    }
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    if headings != HEADINGS {
        return Err(format!("the headings have to be {HEADINGS:?}, they are {headings:?}"));
    }
    if let Some(long) = page.lines().position(|line| line.chars().count() > 120 && !line.contains("```")) {
        return Err(format!("line {} is longer than 120 characters", long + 1));
    }
    Ok(())
}
