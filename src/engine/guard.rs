//! A panic in one rule is one finding, not the end of the run.

use crate::rules::{Finding, Place, internal_error};
use crate::source::Span;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a rule, so that a panic becomes a finding and need not be printed.
#[must_use]
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// Keeps the panics that become findings off the standard error. For programs; a library leaves the hook alone.
pub fn silence_guarded_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !is_guarded() {
            hook(info);
        }
    }));
}

/// Runs `body`; the message of its panic, if it panics. What `body` was writing to is used afterwards only in the states
/// that the writing can leave: a sink holds whole findings.
///
/// # Errors
///
/// The first line of the panic's message.
pub fn guarded<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    GUARDED.set(outer);
    result.map_err(|payload| message(&*payload))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").lines().next().unwrap_or("no message").to_owned()
}

/// The finding that says that a rule failed.
pub(super) fn internal_error(rule: &str, path: &Arc<str>, panic: &str) -> Finding {
    let meta = &internal_error::META;
    Finding {
        rule: meta.name,
        category: meta.category,
        severity: meta.severity,
        message: format!("the rule `{rule}` failed here: {panic}"),
        help: format!("please report it; `--ignore {rule}` leaves the rule out until it is mended"),
        place: Place { path: path.clone(), span: Span::at(0) },
        causes: Vec::new(),
        fix: None,
    }
}
