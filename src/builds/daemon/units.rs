//! Sizes and durations as the daemons read them (go-units `RAMInBytes`, Go's `time.ParseDuration`).

/// An amount of disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Size {
    /// Bytes.
    Bytes(u64),
    /// A share of the disk, in percent.
    Percent(u64),
}

/// A size: a number of bytes, `512MB`, `10 GiB`, `1.5g` (powers of 1024 all of them), `10%`.
#[must_use]
pub fn size(text: &str) -> Option<Size> {
    let text = text.trim();
    if let Some(percent) = text.strip_suffix('%') {
        return percent.trim().parse().ok().map(Size::Percent);
    }
    let split = text.find(|ch: char| !ch.is_ascii_digit() && ch != '.').unwrap_or(text.len());
    let number: f64 = text.get(..split)?.parse().ok()?;
    let unit = text.get(split..)?.trim().to_ascii_lowercase();
    let unit = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit);
    let power = match unit {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    let bytes = number * 1024_f64.powi(power);
    // Disks are smaller than what a double holds exactly.
    (bytes.is_finite() && (0.0..1e18).contains(&bytes)).then_some(Size::Bytes(bytes as u64))
}

/// A duration in seconds: `48h`, `1h30m`, `3600s`, or a plain number of seconds.
#[must_use]
pub fn duration(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let mut total = 0_f64;
    let mut rest = text;
    while !rest.is_empty() {
        let split = rest.find(|ch: char| !ch.is_ascii_digit() && ch != '.')?;
        let number: f64 = rest.get(..split)?.parse().ok()?;
        let tail = rest.get(split..)?;
        let end = tail.find(|ch: char| ch.is_ascii_digit() || ch == '.').unwrap_or(tail.len());
        total += number
            * match tail.get(..end)? {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = tail.get(end..)?;
    }
    (total.is_finite() && total < 1e15 && !text.is_empty()).then_some(total as u64)
}
