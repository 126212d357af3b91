//! The talk with rust-analyzer, in the Language Server Protocol: what is said next is a function of what was heard.
//!
//! It is asked one thing at a time, and of what is wanted meanwhile only the last: a text that changes while it works
//! makes it begin anew.
//! <https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/>

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification;
use lsp_types::request::{self, Request as _};
use lsp_types::{CompletionItem, CompletionItemKind, CompletionResponse, CompletionTextEdit};
use serde_json::{Value, json};

use super::page::{Page, ROOT};
use super::{Member, NoMembers};

/// What it says when it begins or ends to work: rust-analyzer's own extension of the protocol.
const STATUS: &str = "experimental/serverStatus";

/// The request that a talk begins with.
const HELLO: i32 = 0;

/// A talk, in which each question is known by a `W`.
#[derive(Debug)]
pub struct Talk<W> {
    /// The folder of the files that are shown.
    folder: PathBuf,
    /// Whether it has ever read all that it needs to answer.
    has_begun: bool,
    /// Whether it has done so now.
    is_ready: bool,
    /// The number of the last request, and the version of the last text.
    last: i32,
    /// The files that are shown.
    shown: BTreeSet<String>,
    asked: Option<(RequestId, W, Page)>,
    next: Option<(W, Page)>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Move<W> {
    /// Say this.
    Say(Message),
    /// This is the answer to a question.
    Answer(W, Result<Vec<Member>, NoMembers>),
}

impl<W> Talk<W> {
    /// Begins with a message, about files in a folder and a project.
    pub(super) fn begin(folder: &Path, project: Value) -> (Talk<W>, Message) {
        let (shown, asked, next) = (BTreeSet::new(), None, None);
        let talk =
            Talk { folder: folder.to_owned(), has_begun: false, is_ready: false, last: HELLO, shown, asked, next };
        let hello = json!({
            "processId": std::process::id(),
            "rootUri": uri(folder),
            "capabilities": {
                "general": { "positionEncodings": ["utf-8"] },
                "textDocument": { "completion": { "completionItem": {
                    "labelDetailsSupport": true,
                    // Nobody reads these in a list.
                    "resolveSupport": { "properties": ["documentation", "additionalTextEdits"] },
                } } },
                "experimental": { "serverStatusNotification": true },
            },
            "initializationOptions": {
                "linkedProjects": [project],
                // It is there to answer, not to be ahead of questions: the processors are for cells.
                "cachePriming": { "enable": false },
                "checkOnSave": false,
                "numThreads": 1,
                "diagnostics": { "enable": false },
                "procMacro": { "enable": false },
                "cargo": { "buildScripts": { "enable": false } },
                "files": { "watcher": "client" },
                "completion": {
                    "autoimport": { "enable": false },
                    "callable": { "snippets": "none" },
                    "postfix": { "enable": false },
                },
            },
        });
        (talk, Request::new(HELLO.into(), request::Initialize::METHOD.to_owned(), hello).into())
    }

    /// Whether it has ever been ready to answer.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Asks what could stand at the place of a page.
    pub fn ask(&mut self, who: W, page: Page) -> Vec<Move<W>> {
        let before = self.next.replace((who, page));
        let before = before.map(|(who, _)| Move::Answer(who, Err(NoMembers::Superseded)));
        before.into_iter().chain(self.go_on()).collect()
    }

    /// Hears a message.
    pub fn hear(&mut self, message: Message) -> Vec<Move<W>> {
        match message {
            // It asks for nothing that it could not do without.
            Message::Request(request) => vec![Move::Say(Response::new_ok(request.id, ()).into())],
            Message::Notification(said) => {
                let is_quiet = said.params.get("quiescent").and_then(Value::as_bool) == Some(true);
                if said.method == STATUS {
                    self.is_ready = is_quiet;
                    self.has_begun |= is_quiet;
                }
                self.go_on()
            }
            Message::Response(response) if response.id == RequestId::from(HELLO) => {
                // A root that is there from the beginning is read with all else.
                let root = self.open(ROOT.to_owned(), "");
                vec![Move::Say(notify::<notification::Initialized>(json!({}))), Move::Say(root)]
            }
            Message::Response(response) => self.answered(response),
        }
    }

    /// All who wait for an answer, since none will come.
    pub fn end(&mut self) -> Vec<W> {
        let asked = self.asked.take().map(|(_, who, _)| who);
        asked.into_iter().chain(self.next.take().map(|(who, _)| who)).collect()
    }

    fn answered(&mut self, response: Response) -> Vec<Move<W>> {
        let Some((_, who, page)) = self.asked.take_if(|(id, ..)| *id == response.id) else { return Vec::new() };
        let is_cut_short = match &response.response_result {
            Ok(result) => result.is_null() && !self.is_ready,
            Err(error) => [ErrorCode::ContentModified as i32, ErrorCode::ServerCancelled as i32].contains(&error.code),
        };
        let answer = match response.response_result {
            // Something that it reads has changed: it is asked again, unless something else is wanted by now.
            _ if is_cut_short && self.next.is_none() => {
                self.next = Some((who, page));
                return self.go_on();
            }
            _ if is_cut_short => Err(NoMembers::Superseded),
            Ok(result) => serde_json::from_value::<Option<CompletionResponse>>(result)
                .map(|found| found.map(members).unwrap_or_default())
                .map_err(|error| NoMembers::Failed(error.to_string())),
            Err(error) => Err(NoMembers::Failed(error.message)),
        };
        std::iter::once(Move::Answer(who, answer)).chain(self.go_on()).collect()
    }

    /// Asks what is to be asked next, if it can be.
    fn go_on(&mut self) -> Vec<Move<W>> {
        if !self.is_ready || self.asked.is_some() {
            return Vec::new();
        }
        let Some((who, page)) = self.next.take() else { return Vec::new() };
        let mut said = self.show(&page);
        let (line, character) = page.position();
        let place = json!({
            "textDocument": { "uri": self.file(ROOT) },
            "position": { "line": line, "character": character },
        });
        self.last += 1;
        let id = RequestId::from(self.last);
        said.push(Request::new(id.clone(), request::Completion::METHOD.to_owned(), place).into());
        self.asked = Some((id, who, page));
        said.into_iter().map(Move::Say).collect()
    }

    /// Shows a page, as far as that is news.
    fn show(&mut self, page: &Page) -> Vec<Message> {
        let modules = page.modules.iter().map(|(name, text)| (format!("{name}.rs"), text));
        let modules: Vec<_> = modules.collect();
        let is_wanted = |file: &String| file == ROOT || modules.iter().any(|(name, _)| name == file);
        let gone: Vec<String> = self.shown.iter().filter(|file| !is_wanted(file)).cloned().collect();
        let mut said = Vec::new();
        for file in gone {
            self.shown.remove(&file);
            let closed = json!({ "textDocument": { "uri": self.file(&file) } });
            said.push(notify::<notification::DidCloseTextDocument>(closed));
        }
        // What a module says is known by its name.
        for (file, text) in modules {
            if !self.shown.contains(&file) {
                said.push(self.open(file, text));
            }
        }
        self.last += 1;
        said.push(notify::<notification::DidChangeTextDocument>(json!({
            "textDocument": { "uri": self.file(ROOT), "version": self.last },
            "contentChanges": [{ "text": page.text }],
        })));
        said
    }

    fn open(&mut self, file: String, text: &str) -> Message {
        let item = json!({ "uri": self.file(&file), "languageId": "rust", "version": self.last, "text": text });
        self.shown.insert(file);
        notify::<notification::DidOpenTextDocument>(json!({ "textDocument": item }))
    }

    fn file(&self, name: &str) -> String {
        uri(&self.folder.join(name))
    }
}

fn notify<N: notification::Notification>(params: Value) -> Message {
    Notification::new(N::METHOD.to_owned(), params).into()
}

/// A path as a URI. <https://www.rfc-editor.org/rfc/rfc3986#section-2>
fn uri(path: &Path) -> String {
    let mut uri = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// What a list of completions offers: fields first, then what belongs to the type itself, then what its traits bring.
fn members(found: CompletionResponse) -> Vec<Member> {
    let items = match found {
        CompletionResponse::Array(items) => items,
        CompletionResponse::List(list) => list.items,
    };
    let mut members: Vec<(u8, Member)> = items.into_iter().map(|item| (rank(&item), member(item))).collect();
    members.sort_by(|(rank, one), (other_rank, other)| (rank, &one.text).cmp(&(other_rank, &other.text)));
    members.dedup_by(|(_, one), (_, other)| one.text == other.text);
    members.into_iter().map(|(_, member)| member).collect()
}

fn rank(item: &CompletionItem) -> u8 {
    let details = item.label_details.as_ref().and_then(|details| details.detail.as_deref());
    let is_of_trait = details.is_some_and(|details| details.trim_start().starts_with("(as "));
    match item.kind {
        _ if item.deprecated == Some(true) || item.tags.as_ref().is_some_and(|tags| !tags.is_empty()) => 4,
        Some(CompletionItemKind::FIELD | CompletionItemKind::ENUM_MEMBER) => 0,
        Some(CompletionItemKind::KEYWORD) => 3,
        _ if is_of_trait => 2,
        _ => 1,
    }
}

fn member(item: CompletionItem) -> Member {
    let text = match item.text_edit {
        Some(CompletionTextEdit::Edit(edit)) => edit.new_text,
        Some(CompletionTextEdit::InsertAndReplace(edit)) => edit.new_text,
        None => item.insert_text.unwrap_or(item.label),
    };
    let about = item.detail.unwrap_or_default();
    let is_called = matches!(item.kind, Some(CompletionItemKind::METHOD | CompletionItemKind::FUNCTION));
    match arguments(&about).filter(|_| is_called) {
        Some("") => Member { text: text + "()", about },
        Some(_) => Member { text: text + "(", about },
        None => Member { text, about },
    }
}

/// What a function takes beside itself, by its signature.
fn arguments(signature: &str) -> Option<&str> {
    let (_, rest) = signature.split_once("fn(")?;
    let mut depth = 0;
    let end = rest.find(|c| {
        depth += match c {
            '(' | '[' => 1,
            ')' | ']' => -1,
            _ => 0,
        };
        depth < 0
    })?;
    let all = &rest[..end];
    let (first, others) = all.split_once(", ").unwrap_or((all, ""));
    Some(if first.trim_start_matches('&').trim_start_matches("mut ") == "self" { others } else { all })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Page {
        Page { text: text.to_owned(), place: text.len(), modules: vec![("cell_1".to_owned(), String::new())] }
    }

    fn said(moves: Vec<Move<u8>>) -> Vec<String> {
        let told = |one| match one {
            Move::Say(Message::Request(request)) => request.method,
            Move::Say(Message::Notification(said)) => said.method,
            Move::Say(Message::Response(_)) => "response".to_owned(),
            Move::Answer(who, Ok(members)) => format!("{who}: {}", members.len()),
            Move::Answer(who, Err(why)) => format!("{who}: {why:?}"),
        };
        moves.into_iter().map(told).collect()
    }

    fn ready() -> Message {
        status(true)
    }

    fn status(quiet: bool) -> Message {
        Notification::new(STATUS.to_owned(), json!({ "health": "ok", "quiescent": quiet })).into()
    }

    fn begun() -> Talk<u8> {
        let (mut talk, hello) = Talk::begin(Path::new("/a b"), json!({}));
        let Message::Request(hello) = hello else { panic!("it asks: {hello:?}") };
        let text = hello.params.to_string();
        assert!(text.contains("file:///a%20b"), "{text}");
        assert_eq!(
            said(talk.hear(Response::new_ok(hello.id, json!({})).into())),
            ["initialized", "textDocument/didOpen"]
        );
        talk
    }

    fn answer(talk: &Talk<u8>, result: Result<Value, i32>) -> Message {
        let id = talk.asked.as_ref().expect("it was asked").0.clone();
        match result {
            Ok(items) => Response::new_ok(id, items).into(),
            Err(code) => Response::new_err(id, code, "no".to_owned()).into(),
        }
    }

    #[test]
    fn nothing_is_asked_before_it_can_be_answered_and_then_the_last() {
        let mut talk = begun();
        assert!(talk.ask(1, page("a.")).is_empty());
        assert_eq!(said(talk.ask(2, page("ab."))), ["1: Superseded"]);
        let (open, change) = ("textDocument/didOpen", "textDocument/didChange");
        assert_eq!(said(talk.hear(ready())), [open, change, "textDocument/completion"]);
        // One at a time; the text changes when it is asked again.
        assert!(talk.ask(3, page("abc.")).is_empty());
        let items = json!([{ "label": "len", "kind": 2, "detail": "fn(&self) -> usize" }]);
        let heard = talk.hear(answer(&talk, Ok(items)));
        assert_eq!(said(heard), ["2: 1", change, "textDocument/completion"]);
        assert_eq!(said(talk.hear(answer(&talk, Ok(Value::Null)))), ["3: 0"]);
        assert!(talk.end().is_empty());
    }

    #[test]
    fn what_was_cut_short_is_asked_again_unless_something_else_is_wanted() {
        let mut talk = begun();
        talk.hear(ready());
        talk.ask(1, page("a."));
        let modified = ErrorCode::ContentModified as i32;
        let again = talk.hear(answer(&talk, Err(modified)));
        assert_eq!(said(again), ["textDocument/didChange", "textDocument/completion"]);
        assert!(talk.ask(2, page("b.")).is_empty());
        let other = talk.hear(answer(&talk, Err(modified)));
        assert_eq!(said(other), ["1: Superseded", "textDocument/didChange", "textDocument/completion"]);
        assert_eq!(said(talk.hear(answer(&talk, Err(-1)))), ["2: Failed(\"no\")"]);
    }

    #[test]
    fn nothing_that_it_knows_while_it_reads_is_believed() {
        let mut talk = begun();
        talk.hear(ready());
        talk.ask(1, page("a."));
        assert!(talk.hear(status(false)).is_empty());
        assert!(talk.hear(answer(&talk, Ok(Value::Null))).is_empty());
        assert_eq!(said(talk.hear(status(true))), ["textDocument/didChange", "textDocument/completion"]);
        assert_eq!(said(talk.hear(answer(&talk, Ok(Value::Null)))), ["1: 0"]);
    }

    #[test]
    fn modules_that_are_gone_are_closed() {
        let mut talk = begun();
        talk.hear(ready());
        talk.ask(1, page("a."));
        talk.hear(answer(&talk, Ok(Value::Null)));
        let without = Page { modules: Vec::new(), ..page("b.") };
        let said = said(talk.ask(2, without));
        assert_eq!(said, ["textDocument/didClose", "textDocument/didChange", "textDocument/completion"]);
    }

    #[test]
    fn members_come_in_order_and_functions_with_their_brackets() {
        let items = json!([
            { "label": "map", "kind": 2, "detail": "fn(self, F) -> Map<Self, F>", "labelDetails": { "detail": "(as Iterator)" } },
            { "label": "await", "kind": 14, "detail": "expr.await" },
            { "label": "len", "kind": 2, "detail": "const fn(&self) -> usize" },
            { "label": "count", "kind": 5, "detail": "u8" },
            { "label": "with(…)", "kind": 3, "detail": "unsafe fn((u8, u8)) -> Self", "textEdit": {
                "newText": "with", "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } } } },
            { "label": "old", "kind": 2, "detail": "fn(&mut self)", "deprecated": true },
        ]);
        let found = members(serde_json::from_value(items).expect("a list of completions"));
        let texts: Vec<&str> = found.iter().map(|member| member.text.as_str()).collect();
        assert_eq!(texts, ["count", "len()", "with(", "map(", "await", "old()"]);
        assert_eq!(found[1].about, "const fn(&self) -> usize");
    }
}
