//! What happens when several things come at once, or one fails.

use super::server::{Ended, Event, Server};
use crate::engine;
use lsp_server::{ErrorCode, Message, Notification, Request};
use serde_json::{Value, json};
use std::sync::mpsc;

const UNTITLED: &str = "untitled:Untitled-1";

fn request(id: i32, method: &str, params: Value) -> Event {
    Event::Client(Request { id: id.into(), method: method.into(), params }.into())
}

fn notification(method: &str, params: Value) -> Event {
    Event::Client(Notification { method: method.into(), params }.into())
}

/// The answers of a server to which all of these came at once: a result, or the code of an error.
fn answers(events: Vec<Event>) -> Vec<(String, Result<Value, i32>)> {
    let (told, heard) = mpsc::channel();
    let (sender, inbox) = mpsc::channel();
    let params = json!({ "capabilities": { "textDocument": { "diagnostic": {} } } });
    let server = Server::new(&params, Box::new(move |message| drop(told.send(message))), sender.clone());
    let item = json!({ "uri": UNTITLED, "languageId": "dockerfile", "version": 1, "text": "FROM alpine\n" });
    sender.send(notification("textDocument/didOpen", json!({ "textDocument": item }))).unwrap();
    for event in events {
        sender.send(event).unwrap();
    }
    sender.send(request(99, "shutdown", Value::Null)).unwrap();
    sender.send(notification("exit", Value::Null)).unwrap();
    assert_eq!(server.run(&inbox), Ended::Orderly);
    let answers = heard.iter().filter_map(|message| match message {
        Message::Response(response) => {
            Some((response.id.to_string(), response.response_result.map_err(|error| error.code)))
        }
        _ => None,
    });
    answers.filter(|(id, _)| id != "99").collect()
}

fn about(extra: Value) -> Value {
    let mut params = json!({ "textDocument": { "uri": UNTITLED } });
    for (key, value) in extra.as_object().into_iter().flatten() {
        params[key] = value.clone();
    }
    params
}

fn edit(version: i32) -> Event {
    let params = json!({
        "textDocument": { "uri": UNTITLED, "version": version },
        "contentChanges": [{ "text": "FROM debian\n" }],
    });
    notification("textDocument/didChange", params)
}

#[test]
fn a_panic_in_one_request_is_its_answer_and_the_server_lives() {
    engine::silence_guarded_panics();
    let hover = about(json!({ "position": { "line": 0, "character": 1 } }));
    let found = answers(vec![request(1, "test/panic", Value::Null), request(2, "textDocument/hover", hover)]);
    assert_eq!(found[0], ("1".into(), Err(ErrorCode::InternalError as i32)));
    let (id, hover) = &found[1];
    assert_eq!(id, "2");
    assert!(hover.as_ref().unwrap()["contents"]["value"].is_string(), "{hover:?}");
}

#[test]
fn diagnostics_of_a_text_that_was_typed_over_are_not_worked_out() {
    let pull = |id| request(id, "textDocument/diagnostic", about(Value::Null));
    let found = answers(vec![pull(1), edit(2), pull(2)]);
    assert_eq!(found[0], ("1".into(), Err(ErrorCode::ServerCancelled as i32)));
    let items = found[1].1.as_ref().unwrap()["items"].as_array().unwrap();
    assert!(items[0]["message"].as_str().unwrap().contains("debian"), "those of the last text");
}

#[test]
fn a_request_that_is_cancelled_is_answered_as_such() {
    let pull = request(1, "textDocument/diagnostic", about(Value::Null));
    let found = answers(vec![
        pull,
        notification("$/cancelRequest", json!({ "id": 1 })),
        notification("$/cancelRequest", json!({ "id": 7 })),
    ]);
    assert_eq!(found, [("1".into(), Err(ErrorCode::RequestCanceled as i32))]);
}
