//! Sizes of disks, written as people write them.

use serde::{Deserialize, Deserializer, de};

/// A number of bytes: `50GB`, `1.5TiB`, `512 MB`, `1024`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    /// Reads a size; decimal units count in thousands, `KiB`, `MiB` … in 1024ths, as BuildKit's own settings do.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits)?;
        let number: f64 = number.parse().ok()?;
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "k" | "kb" => 1e3,
            "m" | "mb" => 1e6,
            "g" | "gb" => 1e9,
            "t" | "tb" => 1e12,
            "kib" => 1024.0,
            "mib" => 1024.0 * 1024.0,
            "gib" => 1024.0 * 1024.0 * 1024.0,
            "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
            _ => return None,
        };
        let bytes = number * factor;
        // 2^63 is exact in a float, so that the comparison is.
        (bytes < 9_223_372_036_854_775_808.0).then_some(Self(bytes as u64))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format!("`{text}` is no size; write it like `50GB`")))
    }
}

impl schemars::JsonSchema for Size {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A number of bytes with a unit, for instance `50GB`.",
            "pattern": r"^[0-9.]+ *([kKmMgGtT]([iI]?[bB])?|[bB])?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn units() {
        assert_eq!(Size::parse("50GB"), Some(Size(50_000_000_000)));
        assert_eq!(Size::parse("1.5 KiB"), Some(Size(1536)));
        assert_eq!(Size::parse("7"), Some(Size(7)));
        for wrong in ["", "GB", "1 parsec", "99999999999TB", "-1GB", "1.2.3"] {
            assert_eq!(Size::parse(wrong), None, "{wrong}");
        }
    }
}
