//! Expansion ends for any text and value, and its three doors agree.
#![no_main]

use hitrate::dockerfile::expand::{self, Options};
use libfuzzer_sys::fuzz_target;
use std::borrow::Cow;

fuzz_target!(|input: (&str, &str, bool)| {
    let (raw, value, backtick) = input;
    let escape = if backtick { '`' } else { '\\' };
    let env = |name: &str| (name == "v").then_some(Cow::Borrowed(value));
    let word = expand::word(raw, escape, &env);
    let evaluated = expand::evaluate(raw, Options::new(escape), &env);
    assert_eq!(word.as_deref().ok(), evaluated.as_ref().ok().map(|it| &*it.text));
    assert_eq!(word.is_ok(), expand::words(raw, escape, &env).is_ok());
    for variable in expand::variables(raw, escape) {
        assert!(raw.get(variable.range).is_some_and(|text| text.contains(variable.name)));
    }
});
