//! HEALTHCHECK.

use super::{Args, Decoder};
use crate::dockerfile::flags::Takes;
use crate::dockerfile::instruction::{problem, quote};
use crate::dockerfile::{Command, Kind};

pub(super) const FLAGS: &[(&str, Takes)] = &[
    ("interval", Takes::Text),
    ("timeout", Takes::Text),
    ("start-period", Takes::Text),
    ("start-interval", Takes::Text),
    ("retries", Takes::Text),
];

impl<'a> Decoder<'_, 'a> {
    pub(super) fn healthcheck(&mut self) -> Kind<'a> {
        let text = self.args.text.as_ref();
        if text.is_empty() {
            self.refuse("HEALTHCHECK requires at least one argument");
            return Kind::Invalid;
        }
        let is_blank = |c: char| c.is_ascii_whitespace() || c == '\x0B';
        let end = text.find(is_blank).unwrap_or(text.len());
        let (kind, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let start = text.len() - rest.trim_start_matches(is_blank).len();
        let command = self.json(start);
        if kind.eq_ignore_ascii_case("NONE") {
            let some = match command {
                Args::Json(words) => !words.is_empty(),
                Args::Text => start < text.len(),
                Args::Refused => return Kind::Invalid,
            };
            if some {
                self.refuse("HEALTHCHECK NONE takes no arguments");
            }
            return Kind::Healthcheck(None);
        }
        self.check_flags(FLAGS);
        self.check_values();
        if !kind.eq_ignore_ascii_case("CMD") {
            self.refuse(format!("Unknown type {} in HEALTHCHECK (try CMD)", quote(&kind.to_uppercase())));
            return Kind::Invalid;
        }
        match command {
            Args::Json(words) if !words.is_empty() => Kind::Healthcheck(Some(Command::Exec(words))),
            Args::Text if start < text.len() => {
                let text = self.args.slice(self.context.source, start..text.len());
                Kind::Healthcheck(Some(Command::Shell(text)))
            }
            Args::Refused => Kind::Invalid,
            Args::Json(_) | Args::Text => {
                self.refuse("Missing command after HEALTHCHECK CMD");
                Kind::Invalid
            }
        }
    }

    /// Durations and the number of retries.
    fn check_values(&mut self) {
        for flag in self.flags {
            let Some(value) = flag.value.as_ref().filter(|value| !value.text.is_empty()) else { continue };
            let wrong = match flag.name.as_ref() {
                "interval" | "timeout" | "start-period" | "start-interval" => match duration(&value.text) {
                    Ok(nanoseconds) if nanoseconds != 0.0 && nanoseconds < 1e6 => {
                        Some(format!("Interval {} cannot be less than 1ms", quote(&flag.name)))
                    }
                    Ok(_) => None,
                    Err(error) => Some(error),
                },
                "retries" => match value.text.parse::<i32>() {
                    Ok(retries) if retries < 0 => Some(format!("--retries cannot be negative ({retries})")),
                    Ok(_) => None,
                    Err(_) => {
                        Some(format!("strconv.ParseInt: parsing {}: invalid syntax", quote(&value.text)))
                    }
                },
                _ => None,
            };
            if let Some(wrong) = wrong {
                self.problems.push(problem(value.span, wrong));
            }
        }
    }
}

/// A duration as Go's `time.ParseDuration` reads it, in nanoseconds.
fn duration(text: &str) -> Result<f64, String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(0.0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let number: f64 = match number.strip_suffix('.') {
            Some(whole) => whole.parse().map_err(|_| invalid())?,
            None => number.parse().map_err(|_| invalid())?,
        };
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(end).unwrap_or((after, ""));
        let scale = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            "" => return Err(format!("time: missing unit in duration {}", quote(text))),
            _ => return Err(format!("time: unknown unit {} in duration {}", quote(unit), quote(text))),
        };
        total += number * scale;
        rest = next;
    }
    Ok(if negative { -total } else { total })
}
