//! Edits of whole instructions: comments, line ends and everything else in the file stay as they are.

use super::Fix;
use crate::dockerfile::{Dockerfile, ItemKind};
use crate::source::Span;
use std::sync::Arc;

/// The line end that a text uses: that of its first line.
#[must_use]
pub fn line_end(text: &str) -> &'static str {
    match text.split_once('\n') {
        Some((line, _)) if line.ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// The lines of the instruction that starts at `start`, with their ends.
#[must_use]
pub fn lines(dockerfile: &Dockerfile<'_>, start: u32) -> Option<Span> {
    let index = position(dockerfile, start)?;
    dockerfile.items.get(index).map(|item| item.span)
}

/// [`lines`] with the comment lines that stand directly above: they tell about the instruction and go where it goes.
#[must_use]
pub fn block(dockerfile: &Dockerfile<'_>, start: u32) -> Option<Span> {
    let index = position(dockerfile, start)?;
    let own = dockerfile.items.get(index)?.span;
    let above = dockerfile.items.get(..index)?.iter().rev();
    let comments = above.take_while(|item| matches!(item.kind, ItemKind::Comment));
    Some(comments.fold(own, |block, item| block.cover(item.span)))
}

fn position(dockerfile: &Dockerfile<'_>, start: u32) -> Option<usize> {
    let index = dockerfile.items.partition_point(|item| item.span.end <= start);
    let item = dockerfile.items.get(index)?;
    (matches!(item.kind, ItemKind::Instruction(_)) && item.span.start <= start).then_some(index)
}

/// The text of `span` as whole lines: the last line of a file may lack its end.
#[must_use]
pub fn whole_lines(text: &str, span: Span) -> String {
    let mut lines = span.of(text).to_owned();
    if !lines.ends_with('\n') {
        lines.push_str(line_end(text));
    }
    lines
}

impl Fix {
    /// With the instructions that start at `moved` taken from where they are, comments above them included, and put
    /// above the one that starts at `before`, in the order given. `None` where one of them is no instruction of the file.
    #[must_use]
    pub fn move_up_to(
        self,
        path: &Arc<str>,
        dockerfile: &Dockerfile<'_>,
        moved: &[u32],
        before: u32,
    ) -> Option<Self> {
        let at = block(dockerfile, before)?.start;
        self.put(path, dockerfile, moved, at)
    }

    /// As [`Fix::move_up_to`], but they are put below the instruction that starts at `after`.
    #[must_use]
    pub fn move_below(
        self,
        path: &Arc<str>,
        dockerfile: &Dockerfile<'_>,
        moved: &[u32],
        after: u32,
    ) -> Option<Self> {
        let at = lines(dockerfile, after)?.end;
        self.put(path, dockerfile, moved, at)
    }

    fn put(mut self, path: &Arc<str>, dockerfile: &Dockerfile<'_>, moved: &[u32], at: u32) -> Option<Self> {
        let source = dockerfile.source;
        let mut text = String::new();
        let before = source.get(..at as usize)?;
        if !before.is_empty() && !before.ends_with('\n') {
            text.push_str(line_end(source));
        }
        let mut gone = Vec::with_capacity(moved.len());
        for start in moved {
            let block = block(dockerfile, *start)?;
            text.push_str(&whole_lines(source, block));
            gone.push(block);
        }
        // At the end of a file whose last line has no end, none is added.
        if at as usize == source.len() && !source.ends_with('\n') {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        self = self.insert(path, at, text);
        for block in gone {
            self = self.delete(path, block);
        }
        Some(self)
    }

    /// With the instruction that starts at `start` removed; comments above it stay.
    #[must_use]
    pub fn remove(self, path: &Arc<str>, dockerfile: &Dockerfile<'_>, start: u32) -> Option<Self> {
        Some(self.delete(path, lines(dockerfile, start)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::parse;
    use crate::fix::{Fix, Safety, apply, select};
    use std::sync::Arc;

    fn edited(
        text: &str,
        edit: impl FnOnce(Fix, &Arc<str>, &crate::dockerfile::Dockerfile<'_>) -> Option<Fix>,
    ) -> String {
        let path: Arc<str> = Arc::from("Dockerfile");
        let fix = edit(Fix::safe("x"), &path, &parse(text)).unwrap();
        let selection = select([&fix], Safety::Safe);
        apply(text, &selection.edits["Dockerfile"])
    }

    fn start(text: &str, line: &str) -> u32 {
        u32::try_from(text.find(line).unwrap()).unwrap()
    }

    #[test]
    fn an_instruction_moves_with_the_comment_above_it() {
        let text = "FROM a\n# the commit\nARG C\nRUN x\n\n# why\nRUN y";
        let (c, x, y) = (start(text, "ARG C"), start(text, "RUN x"), start(text, "RUN y"));
        assert_eq!(
            edited(text, |fix, path, file| fix.move_up_to(path, file, &[c], y)),
            "FROM a\nRUN x\n\n# the commit\nARG C\n# why\nRUN y"
        );
        assert_eq!(
            edited(text, |fix, path, file| fix.move_below(path, file, &[c], y)),
            "FROM a\nRUN x\n\n# why\nRUN y\n# the commit\nARG C"
        );
        assert_eq!(
            edited(text, |fix, path, file| fix.move_up_to(path, file, &[y, x], c)),
            "FROM a\n# why\nRUN y\nRUN x\n# the commit\nARG C\n\n"
        );
    }

    #[test]
    fn line_ends_stay() {
        let text = "FROM a\r\nARG C\r\nRUN x \\\r\n  y";
        let (c, x) = (start(text, "ARG C"), start(text, "RUN x"));
        assert_eq!(
            edited(text, |fix, path, file| fix.move_below(path, file, &[c], x)),
            "FROM a\r\nRUN x \\\r\n  y\r\nARG C"
        );
        assert_eq!(edited(text, |fix, path, file| fix.remove(path, file, c)), "FROM a\r\nRUN x \\\r\n  y");
    }
}
