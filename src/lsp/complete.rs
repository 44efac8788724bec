//! What may be written at the cursor.

use super::dispatch::is_configuration;
use super::server::{Failure, Server};
use super::specs::{Spec, narrow};
use super::{configuration, convert, names};
use crate::cache::reference::{self, Entry, Takes};
use crate::dockerfile::{self, Dockerfile, Instruction, ItemKind, Keyword};
use crate::graph::{Graph, Options, Stage};
use crate::rules;
use crate::source::{SourceFile, Span, nearest};
use gen_lsp_types::{
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse, Documentation, MarkupContent,
    MarkupKind, TextEdit,
};
use std::collections::BTreeSet;

/// What can be chosen, and the text that it takes the place of.
pub(super) struct Choices {
    pub(super) replaced: Span,
    pub(super) items: Vec<Choice>,
}

/// One that can be chosen.
pub(super) struct Choice {
    pub(super) label: String,
    /// What is written, where it is not the label.
    text: Option<String>,
    kind: CompletionItemKind,
    detail: Option<String>,
    facts: Option<String>,
}

impl Choice {
    pub(super) fn new(label: impl Into<String>, kind: CompletionItemKind) -> Self {
        Self { label: label.into(), text: None, kind, detail: None, facts: None }
    }

    pub(super) fn with_facts(self, facts: impl Into<String>) -> Self {
        Self { facts: Some(facts.into()), ..self }
    }

    pub(super) fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub(super) fn followed_by(self, more: &str) -> Self {
        let text = format!("{}{more}", self.label);
        self.writing(text)
    }

    pub(super) fn writing(self, text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..self }
    }
}

impl Server {
    /// `textDocument/completion`.
    pub(super) fn completion(
        &mut self,
        params: &CompletionParams,
    ) -> Result<Option<CompletionResponse>, Failure> {
        let at = &params.text_document_position_params;
        let address = &at.text_document.uri.0;
        let Some(index) = self.folder_at(address) else { return Ok(None) };
        let Some(folder) = self.folders.get(index) else { return Ok(None) };
        let Some(file) = self.file_at(folder, address) else { return Ok(None) };
        let offset = convert::offset(&file, at.position, self.client.encoding);
        let is_dockerfile = folder.project.dockerfile(&file.path).is_some();
        let choices = in_suppression(&file, offset).or_else(|| {
            if is_dockerfile {
                in_dockerfile(&file, offset)
            } else if is_configuration(address) {
                configuration::choices(&file, offset)
            } else {
                in_cache_setting(&file, offset)
            }
        });
        Ok(choices.map(|choices| CompletionResponse::CompletionItemList(self.items(&file, choices))))
    }

    fn items(&self, file: &SourceFile, choices: Choices) -> Vec<CompletionItem> {
        let range = convert::range(file, choices.replaced, self.client.encoding);
        let typed = choices.replaced.of(&file.text);
        let begins = |choice: &Choice| {
            choice.label.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
        };
        // A slip of the fingers: what was meant is offered under what was typed, or editors would filter it out.
        let meant = if typed.is_empty() || choices.items.iter().any(begins) {
            None
        } else {
            nearest(typed, choices.items.iter().map(|choice| choice.label.as_str())).map(str::to_owned)
        };
        let is_meant = |choice: &Choice| meant.as_ref() == Some(&choice.label);
        let choices = choices.items.into_iter().enumerate();
        let items = choices.map(|(number, choice)| CompletionItem {
            preselect: is_meant(&choice).then_some(true),
            filter_text: Some(if is_meant(&choice) { typed.to_owned() } else { choice.label.clone() }),
            kind: Some(choice.kind),
            detail: choice.detail,
            documentation: choice.facts.map(|value| {
                Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })
            }),
            // As they are listed here: what is used most comes first.
            sort_text: Some(format!("{number:03}")),
            text_edit: Some(TextEdit { range, new_text: choice.text.unwrap_or(choice.label.clone()) }.into()),
            label: choice.label,
            ..CompletionItem::default()
        });
        items.collect()
    }
}

/// The text of the line before byte `offset`, and where the line starts.
fn line_before(file: &SourceFile, offset: u32) -> (&str, u32) {
    let start = file.lines().start(file.line(offset));
    (Span { start, end: offset.max(start) }.of(&file.text), start)
}

/// In `# hitrate: ignore[…`.
fn in_suppression(file: &SourceFile, offset: u32) -> Option<Choices> {
    let (line, _) = line_before(file, offset);
    let sign = line.find("hitrate:")?;
    line.get(..sign)?.contains(['#', '/']).then_some(())?;
    let after = line.get(sign + "hitrate:".len()..)?;
    let Some(open) = after.find('[') else {
        let word = after.trim_start();
        let replaced = Span { start: offset - narrow(word.len()), end: offset };
        let words = [
            ("ignore[]", "For the instruction or line below."),
            ("ignore-file[]", "For the whole file; it stands before the first instruction."),
        ];
        let items =
            words.map(|(word, facts)| Choice::new(word, CompletionItemKind::Keyword).with_facts(facts));
        return Some(Choices { replaced, items: items.into() });
    };
    let list = after.get(open + 1..).filter(|list| !list.contains(']'))?;
    let name = list.rsplit(',').next().unwrap_or("").trim_start();
    let replaced = Span { start: offset - narrow(name.len()), end: offset };
    Some(Choices { replaced, items: all_rules().collect() })
}

/// The rules by name.
pub(super) fn all_rules() -> impl Iterator<Item = Choice> {
    rules::ALL.iter().map(|rule| {
        let meta = rule.meta();
        Choice::new(meta.name, CompletionItemKind::Reference)
            .with_detail(meta.category.name())
            .with_facts(meta.summary())
    })
}

fn in_dockerfile(file: &SourceFile, offset: u32) -> Option<Choices> {
    let syntax = dockerfile::parse(&file.text);
    let item = syntax.items.iter().rev().find(|item| item.span.start < offset || item.span.start == 0)?;
    let (line, start) = line_before(file, offset);
    match &item.kind {
        ItemKind::Comment | ItemKind::Directive => None,
        // Behind the end of an instruction begins another one.
        ItemKind::Instruction(instruction) if offset <= instruction.span.end || item.span.end > start => {
            let words = Words::new(&syntax, instruction, offset)?;
            words.choices(file, &syntax)
        }
        _ => keywords(line, offset),
    }
}

/// A keyword at the start of a line.
fn keywords(line: &str, offset: u32) -> Option<Choices> {
    let word = line.trim_start();
    word.bytes().all(|byte| byte.is_ascii_alphabetic()).then_some(())?;
    Some(Choices {
        replaced: Span { start: offset - narrow(word.len()), end: offset },
        items: all_keywords(word),
    })
}

fn all_keywords(word: &str) -> Vec<Choice> {
    let lower = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let keyword = |keyword: Keyword| {
        let name = keyword.name();
        let text = if lower { name.to_ascii_lowercase() } else { name.to_owned() };
        Choice::new(name, CompletionItemKind::Keyword).writing(text).with_facts(reference::keyword(keyword))
    };
    Keyword::ALL.into_iter().map(keyword).collect()
}

/// The words of an instruction as far as the cursor.
struct Words<'t> {
    keyword: Keyword,
    /// Where it starts.
    instruction: u32,
    /// Those between the keyword and the one at hand.
    before: Vec<&'t str>,
    /// The one that the cursor ends, and where it starts.
    word: &'t str,
    start: u32,
    /// The same with what stands behind the cursor.
    whole: &'t str,
}

impl<'t> Words<'t> {
    fn new(syntax: &Dockerfile<'t>, instruction: &Instruction<'_>, offset: u32) -> Option<Self> {
        let in_heredoc = instruction.heredocs.iter().any(|heredoc| heredoc.body.start <= offset);
        let in_comment = |span: &Span| span.start <= offset && offset <= span.end;
        if in_heredoc || instruction.comments.iter().any(in_comment) {
            return None;
        }
        let source = syntax.source;
        let text = Span { start: instruction.span.start, end: offset }.of(source);
        let blank = |c: char| c.is_ascii_whitespace();
        let length = text.len() - text.rfind(blank).map_or(0, |at| at + 1);
        let start = offset - narrow(length);
        let word = Span { start, end: offset }.of(source);
        let rest = source.get(start as usize..)?;
        let whole = rest.get(..rest.find(blank).unwrap_or(rest.len()))?;
        let mut before: Vec<&str> = text.get(..text.len() - length)?.split_ascii_whitespace().collect();
        // A continuation mark is no word.
        before.retain(|word| !(word.len() == 1 && word.starts_with(syntax.escape)));
        let mut keyword = None;
        while let Some(first) = before.first().copied() {
            keyword = Keyword::read(first);
            before.remove(0);
            if keyword != Some(Keyword::Onbuild) {
                break;
            }
        }
        let keyword = keyword.unwrap_or(Keyword::Onbuild);
        Some(Self { keyword, instruction: instruction.span.start, before, word, start, whole })
    }

    /// The bytes of the last `length` bytes of the word.
    fn end(&self, length: usize) -> Span {
        let end = self.start + narrow(self.word.len());
        Span { start: end - narrow(length), end }
    }

    fn choices(&self, file: &SourceFile, syntax: &Dockerfile<'_>) -> Option<Choices> {
        let word = self.word;
        if self.keyword == Keyword::Onbuild {
            return Some(Choices { replaced: self.end(word.len()), items: all_keywords(word) });
        }
        let among_flags = self.before.iter().all(|word| word.starts_with("--"));
        if let Some(flag) = word.strip_prefix("--").filter(|_| among_flags) {
            return self.flag(flag, syntax);
        }
        if let Some(at) = word.rfind('$') {
            let name = word.get(at + 1..)?;
            let name = name.strip_prefix('{').unwrap_or(name);
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(())?;
            return Some(Choices {
                replaced: self.end(name.len()),
                items: variables(file, syntax, self.start),
            });
        }
        if self.keyword == Keyword::From {
            let arguments = self.before.iter().filter(|word| !word.starts_with("--")).count();
            let items = match arguments {
                0 => stages(syntax, self.instruction, self.keyword),
                1 => vec![Choice::new("AS", CompletionItemKind::Keyword)],
                _ => Vec::new(),
            };
            return Some(Choices { replaced: self.end(word.len()), items });
        }
        None
    }

    fn flag(&self, flag: &str, syntax: &Dockerfile<'_>) -> Option<Choices> {
        let Some((name, value)) = flag.split_once('=') else {
            let items = reference::flags(self.keyword).iter().map(|entry| {
                let equals = if entry.takes == Takes::Switch { "" } else { "=" };
                Choice::new(format!("--{}", entry.name), CompletionItemKind::Field)
                    .writing(format!("--{}{equals}", entry.name))
                    .with_facts(entry.facts)
            });
            return Some(Choices { replaced: self.end(flag.len() + 2), items: items.collect() });
        };
        let entry = reference::flags(self.keyword).iter().find(|entry| entry.name == name)?;
        if name != "mount" {
            return self.value(entry, value, syntax);
        }
        let options = self.whole.split_once('=').map_or("", |(_, options)| options);
        let kind = options.split(',').find_map(|option| option.strip_prefix("type="));
        let kind = kind.unwrap_or("bind");
        let option = value.rsplit(',').next().unwrap_or("");
        if let Some((key, value)) = option.split_once('=') {
            let options = reference::mount_options(kind).iter();
            let entry = options.into_iter().find(|entry| entry.name == reference::canonical(key))?;
            return self.value(entry, value, syntax);
        }
        let written: BTreeSet<&str> = options
            .split(',')
            .filter_map(|option| option.split('=').next())
            .filter(|key| *key != option)
            .map(reference::canonical)
            .collect();
        let entries = reference::mount_options(kind).iter().filter(|entry| !written.contains(entry.name));
        let items = entries.map(|entry| {
            let equals = if entry.takes == Takes::Switch { "" } else { "=" };
            Choice::new(entry.name, CompletionItemKind::Property)
                .writing(format!("{}{equals}", entry.name))
                .with_facts(entry.facts)
        });
        Some(Choices { replaced: self.end(option.len()), items: items.collect() })
    }

    fn value(&self, entry: &Entry, value: &str, syntax: &Dockerfile<'_>) -> Option<Choices> {
        let items = match entry.takes {
            Takes::Stage => stages(syntax, self.instruction, self.keyword),
            other => values(entry.name, other),
        };
        (!items.is_empty()).then(|| Choices { replaced: self.end(value.len()), items })
    }
}

/// The values that a flag, an option or an attribute may have.
fn values(name: &str, takes: Takes) -> Vec<Choice> {
    let known = match name {
        "type" => [reference::MOUNT_TYPES, reference::CACHE_TYPES].concat(),
        _ => Vec::new(),
    };
    let choice = |value: &&str| {
        let choice = Choice::new(*value, CompletionItemKind::Value);
        match known.iter().find(|entry| entry.name == *value) {
            Some(entry) => choice.with_facts(entry.facts),
            None => choice,
        }
    };
    match takes {
        Takes::OneOf(values) => values.iter().map(choice).collect(),
        Takes::Switch => ["true", "false"].iter().map(choice).collect(),
        Takes::Stage | Takes::Text(_) => Vec::new(),
    }
}

/// The stages that the instruction at byte `start` can name, nearest first.
fn stages(syntax: &Dockerfile<'_>, start: u32, keyword: Keyword) -> Vec<Choice> {
    let graph = Graph::new(syntax, &Options::default());
    let mut earlier: Vec<_> = graph.stages.iter().filter(|stage| stage.from.span.start < start).collect();
    // That of the instruction itself is not among those it may take from.
    if keyword != Keyword::From {
        earlier.pop();
    }
    let choice = |stage: &&Stage<'_>| {
        let from = stage.from.args.text.split_ascii_whitespace().next().unwrap_or("");
        let choice = Choice::new(stage.name.clone()?, CompletionItemKind::Module);
        Some(choice.with_detail(format!("FROM {from}")))
    };
    earlier.iter().rev().filter_map(choice).collect()
}

fn variables(file: &SourceFile, syntax: &Dockerfile<'_>, offset: u32) -> Vec<Choice> {
    let in_force = names::in_force(syntax, offset).into_iter();
    let choice = |(name, span): (String, Span)| {
        Choice::new(name, CompletionItemKind::Variable).with_detail(format!("line {}", file.line(span.start)))
    };
    in_force.map(choice).collect()
}

/// In the value of `cache-to`, `cache_from`, `--import-cache` and the like, in any file: `type=registry,mo…`.
fn in_cache_setting(file: &SourceFile, offset: u32) -> Option<Choices> {
    let spec = Spec::at(file, offset)?;
    let field = spec.field(offset)?;
    let attributes = reference::cache_attributes(spec.kind().unwrap_or(""), spec.export);
    if let Some((_, span)) = field.value.filter(|(_, span)| span.start <= offset) {
        let entry = attributes.iter().find(|entry| entry.name == field.key)?;
        let mut items = values(field.key, entry.takes);
        // An inline cache is imported as the image that it is in.
        items.retain(|choice| spec.export || field.key != "type" || choice.label != "inline");
        return (!items.is_empty()).then_some(Choices { replaced: Span { end: offset, ..span }, items });
    }
    let written: BTreeSet<&str> =
        spec.text.split(',').filter_map(|field| Some(field.split_once('=')?.0)).collect();
    let left = attributes.iter().filter(|entry| !written.contains(entry.name));
    let items = left.map(|entry| {
        Choice::new(entry.name, CompletionItemKind::Property)
            .writing(format!("{}=", entry.name))
            .with_facts(entry.facts)
    });
    Some(Choices { replaced: Span { start: field.key_span.start, end: offset }, items: items.collect() })
}
