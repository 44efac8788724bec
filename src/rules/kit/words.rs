//! The words of messages: one style for all rules.

/// `1 step`, `3 steps`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `line 5`, `lines 5 and 7`, `lines 5, 7 and 9`; of more than four the first three and how many more.
#[must_use]
pub fn lines(lines: &[u32]) -> String {
    let numbers: Vec<String> = lines.iter().map(u32::to_string).collect();
    format!("line{} {}", if lines.len() == 1 { "" } else { "s" }, list(&numbers))
}

/// `a`, `a and b`, `a, b and c`; of more than four the first three and how many more.
#[must_use]
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first, second, third, _, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", items.len() - 3)
        }
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// `text` in backticks, blanks joined, cut to `max` characters.
#[must_use]
pub fn code(text: &str, max: usize) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "'");
    if words.chars().count() > max {
        words = words.chars().take(max.saturating_sub(1)).collect();
        words.truncate(words.trim_end().len());
        words.push('…');
    }
    format!("`{words}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_well() {
        assert_eq!(lines(&[5]), "line 5");
        assert_eq!(lines(&[5, 7]), "lines 5 and 7");
        assert_eq!(lines(&[1, 2, 3, 4]), "lines 1, 2, 3 and 4");
        assert_eq!(lines(&[1, 2, 3, 4, 5]), "lines 1, 2, 3 and 2 more");
        assert_eq!((count(1, "step"), count(2, "step")), ("1 step".into(), "2 steps".into()));
    }

    #[test]
    fn code_is_one_short_line() {
        assert_eq!(code("apt-get  update &&\n `x`", 40), "`apt-get update && 'x'`");
        assert_eq!(code("äbcdef", 4), "`äbc…`");
    }
}
