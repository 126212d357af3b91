//! What can be said of Rust while it is typed, by its tokens alone: whether it is finished, how far its next line
//! stands in, and what each part of it is. Works on what does not parse yet.
//!
//! Owns no colours; those are for `paint`.

use std::ops::Range;

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};

/// How far each open bracket moves the lines in it, in columns.
pub(super) const INDENT: usize = 4;

/// Whether a text is ready to be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    /// It is, or it is wrong in a way that more text does not mend.
    Complete,
    /// It goes on: a bracket, a string or a comment is open, or an operator waits for its other side.
    Open,
}

/// What a part of a text is, as far as its token tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A word of the language.
    Keyword,
    /// A name that begins with a capital letter, or that of a primitive type.
    Type,
    /// A name before `(`.
    Function,
    /// A name before `!`, with the `!`.
    Macro,
    /// A string or a character.
    String,
    /// A number, `true` or `false`.
    Number,
    /// A comment.
    Comment,
    /// `'a`, and what stands in `#[…]`.
    Lifetime,
}

struct Part<'a> {
    kind: TokenKind,
    text: &'a str,
    start: usize,
}

impl Part<'_> {
    fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn is_blank(&self) -> bool {
        matches!(self.kind, TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. })
    }

    /// Whether it is a comment or a literal whose end has not been typed.
    fn is_open(&self) -> bool {
        match self.kind {
            TokenKind::BlockComment { terminated, .. } => !terminated,
            TokenKind::Literal { kind, .. } => match kind {
                LiteralKind::Str { terminated } | LiteralKind::ByteStr { terminated } => !terminated,
                LiteralKind::CStr { terminated } => !terminated,
                LiteralKind::RawStr { n_hashes } | LiteralKind::RawByteStr { n_hashes } => n_hashes.is_none(),
                LiteralKind::RawCStr { n_hashes } => n_hashes.is_none(),
                LiteralKind::Int { .. } | LiteralKind::Float { .. } => false,
                // A character does not go over the end of a line.
                LiteralKind::Char { .. } | LiteralKind::Byte { .. } => false,
            },
            _ => false,
        }
    }
}

fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut start = 0;
    tokenize(text, FrontmatterAllowed::No).map(move |token| {
        let end = start + token.len as usize;
        let part = Part { kind: token.kind, text: &text[start..end], start };
        start = end;
        part
    })
}

/// Whether Enter evaluates a text or begins its next line. Two empty lines at the end evaluate anything.
pub(super) fn completeness(text: &str) -> Completeness {
    if text.ends_with("\n\n") || text.trim().is_empty() {
        return Completeness::Complete;
    }
    let mut brackets = Vec::new();
    let mut last: Option<Part<'_>> = None;
    for part in parts(text) {
        if part.is_open() {
            return Completeness::Open;
        }
        if let Some(closing) = closing(part.kind) {
            brackets.push(closing);
        } else if is_closing(part.kind) && brackets.pop() != Some(part.kind) {
            return Completeness::Complete;
        }
        if !part.is_blank() {
            last = Some(part);
        }
    }
    match last {
        Some(last) if brackets.is_empty() && !waits(&last) && !is_lone_attribute(text) => Completeness::Complete,
        None => Completeness::Complete,
        Some(_) => Completeness::Open,
    }
}

/// Whether a text that ends with this token goes on for sure.
fn waits(last: &Part<'_>) -> bool {
    use TokenKind as T;
    match last.kind {
        T::Eq | T::Plus | T::Minus | T::Star | T::Slash | T::Percent | T::Caret | T::And | T::Or | T::Dot => true,
        T::Comma | T::Colon | T::Pound => true,
        T::Ident => matches!(last.text, "else" | "in" | "as" | "where" | "impl" | "fn" | "let" | "use" | "pub"),
        _ => false,
    }
}

/// Whether a text has attributes and nothing that they belong to.
fn is_lone_attribute(text: &str) -> bool {
    let mut depth = 0;
    let mut rest = parts(text).filter(|part| !part.is_blank()).peekable();
    let mut is_empty = true;
    while let Some(part) = rest.next() {
        is_empty = false;
        if part.kind != TokenKind::Pound {
            return false;
        }
        for part in rest.by_ref() {
            match part.kind {
                TokenKind::OpenBracket => depth += 1,
                TokenKind::CloseBracket => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ if depth == 0 => return false,
                _ => {}
            }
        }
    }
    !is_empty
}

fn closing(kind: TokenKind) -> Option<TokenKind> {
    Some(match kind {
        TokenKind::OpenBrace => TokenKind::CloseBrace,
        TokenKind::OpenBracket => TokenKind::CloseBracket,
        TokenKind::OpenParen => TokenKind::CloseParen,
        _ => return None,
    })
}

fn is_closing(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::CloseBrace | TokenKind::CloseBracket | TokenKind::CloseParen)
}

/// How far a line that follows a text stands in: brackets that open on one line move it once. Text in an open string
/// or comment is its own.
pub(super) fn indentation(text: &str) -> usize {
    let mut open: Vec<usize> = Vec::new();
    let mut line = 0;
    for part in parts(text) {
        if part.is_open() {
            return 0;
        }
        if closing(part.kind).is_some() {
            open.push(line);
        } else if is_closing(part.kind) {
            open.pop();
        }
        line += part.text.matches('\n').count();
    }
    open.dedup();
    open.len() * INDENT
}

/// What is evaluated when this was typed.
pub(super) fn meant(typed: &str) -> String {
    whole(tidy(typed.trim_end()))
}

/// A text as it was typed, with the lines that begin with a closing bracket no further in than they belong: while one
/// types, they stand where the line before has put them.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            tidied.push('\n');
        }
        let code = line.trim_start();
        let brackets = code.len() - code.trim_start_matches(['}', ')', ']']).len();
        let mut above = tidied.clone();
        above.push_str(&code[..brackets]);
        let is_code = brackets > 0 && string_at(&tidied, tidied.len()).is_none();
        match indentation(&above) {
            depth if is_code && depth < line.len() - code.len() => {
                tidied.push_str(&" ".repeat(depth));
                tidied.push_str(code);
            }
            _ => tidied.push_str(line),
        }
    }
    tidied
}

/// A text with the semicolon that it only wants to be whole: at a prompt, `let a = 1` says enough.
fn whole(mut text: String) -> String {
    let parses = |text: &str| syn::parse_str::<syn::Block>(&format!("{{{text}\n}}")).is_ok();
    if !parses(&text) && parses(&format!("{text};")) {
        text.push(';');
    }
    text
}

/// Whether a place of a text is in a string that is open there, and where the string's text begins.
pub(super) fn string_at(text: &str, place: usize) -> Option<usize> {
    let part = parts(&text[..place]).last()?;
    match part.kind {
        TokenKind::Literal { kind: LiteralKind::Str { terminated: false }, .. } => Some(part.start + 1),
        _ => None,
    }
}

/// Whether a place of a text is in a comment.
pub(super) fn is_comment(text: &str, place: usize) -> bool {
    parts(&text[..place]).last().is_some_and(|part| match part.kind {
        TokenKind::LineComment { .. } => true,
        TokenKind::BlockComment { terminated, .. } => !terminated,
        _ => false,
    })
}

/// The bracket at a place, or right before it, and the one that it belongs to.
pub(super) fn pair_at(text: &str, place: usize) -> Option<(usize, usize)> {
    let mut open: Vec<(usize, TokenKind)> = Vec::new();
    let mut before = None;
    for part in parts(text) {
        if let Some(closing) = closing(part.kind) {
            open.push((part.start, closing));
        } else if is_closing(part.kind) {
            let (start, kind) = open.pop()?;
            if kind != part.kind {
                return None;
            }
            let pair = (start, part.start);
            if pair.0 == place || pair.1 == place {
                return Some(pair);
            }
            if pair.1 + 1 == place {
                before = Some(pair);
            }
        }
    }
    before
}

/// The parts of a text that are more than punctuation and names, in order.
pub(super) fn classes(text: &str) -> Vec<(Range<usize>, Class)> {
    let all: Vec<_> = parts(text).collect();
    let mut classes = Vec::new();
    for (at, part) in all.iter().enumerate() {
        let class = match part.kind {
            TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => Class::Comment,
            TokenKind::Literal { kind: LiteralKind::Int { .. } | LiteralKind::Float { .. }, .. } => Class::Number,
            TokenKind::Literal { .. } => Class::String,
            TokenKind::Lifetime { .. } | TokenKind::RawLifetime => Class::Lifetime,
            TokenKind::Ident => {
                let follows = |kind| all.get(at + 1).is_some_and(|next| next.kind == kind);
                match part.text {
                    "true" | "false" => Class::Number,
                    word if KEYWORDS.contains(&word) => Class::Keyword,
                    _ if follows(TokenKind::Bang) && all.get(at + 2).is_none_or(|next| next.kind != TokenKind::Eq) => {
                        classes.push((part.start..part.range().end + 1, Class::Macro));
                        continue;
                    }
                    _ if follows(TokenKind::OpenParen) && part.text.starts_with(char::is_lowercase) => Class::Function,
                    word if word.starts_with(char::is_uppercase) || PRIMITIVES.contains(&word) => Class::Type,
                    _ => continue,
                }
            }
            _ => continue,
        };
        classes.push((part.range(), class));
    }
    classes
}

/// The words of the language that one types.
pub(super) const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "fn", "for", "if",
    "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "Self", "static",
    "struct", "super", "trait", "type", "unsafe", "use", "where", "while",
];

/// The primitive types.
pub(super) const PRIMITIVES: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32", "u64", "u128",
    "usize",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(text: &str) -> bool {
        completeness(text) == Completeness::Open
    }

    #[test]
    fn a_semicolon_that_alone_is_missing_is_added() {
        for (typed, meant) in [
            ("let a = 1", "let a = 1;"),
            ("fn a() {}\nlet b = a()", "fn a() {}\nlet b = a();"),
            ("1 + 1", "1 + 1"),
            ("let a = 1;", "let a = 1;"),
            ("let a = ", "let a = "),
            ("fn a() {}", "fn a() {}"),
        ] {
            assert_eq!(whole(typed.to_owned()), meant);
        }
    }

    #[test]
    fn a_text_goes_on_while_a_bracket_a_string_or_a_comment_is_open() {
        for open in ["fn f() {", "vec![1,", "f(1", "\"a", "r#\"a\"", "/* a", "/* /* */", "match x { _ => \"}\"", "b\"x"]
        {
            assert!(is_open(open), "{open}");
        }
        for complete in ["", "1 + 1", "let x = 1;", "\"{\"", "'{'", "// {", "r#\"{\"#", "fn f<'a>() {}", "b'{'"] {
            assert!(!is_open(complete), "{complete}");
        }
    }

    #[test]
    fn a_text_goes_on_after_an_operator_and_an_attribute() {
        for open in ["1 +", "let x =", "a.", "a &&", "#[derive(Debug)]", "#[a] // b", "if a { } else", "let", "fn"] {
            assert!(is_open(open), "{open}");
        }
        for complete in ["a?", "a;", "#[derive(Debug)] struct A;", "..", "x as u8", "return", "a..b"] {
            assert!(!is_open(complete) || complete == "..", "{complete}");
        }
    }

    #[test]
    fn what_more_text_does_not_mend_is_complete() {
        assert!(!is_open("f(1]"));
        assert!(!is_open("}"));
        assert!(!is_open("fn f() {\n\n\n"));
        assert!(is_open("fn f() {\n"));
    }

    #[test]
    fn a_line_stands_in_by_the_lines_that_open_brackets() {
        assert_eq!(indentation("fn f() {"), 4);
        assert_eq!(indentation("fn f() {\n    g(vec!["), 8);
        assert_eq!(indentation("f(|| {"), 4);
        assert_eq!(indentation("fn f() {\n}"), 0);
        assert_eq!(indentation("fn f() { \"a"), 0);
    }

    #[test]
    fn closing_brackets_stand_where_they_belong() {
        let typed = "fn f() {\n    if a {\n        1\n        } else { 2 }\n    }";
        assert_eq!(tidy(typed), "fn f() {\n    if a {\n        1\n    } else { 2 }\n}");
        for text in ["let a = \"{\n    }\";", "1", "", "f(\n    1,\n)"] {
            assert_eq!(tidy(text), text);
        }
    }

    #[test]
    fn places_know_what_they_stand_in() {
        assert_eq!(string_at("f(\"ab", 5), Some(3));
        assert_eq!(string_at("f(\"ab\")", 7), None);
        assert!(is_comment("1 // a", 6));
        assert!(!is_comment("1 /* a */ 2", 11));
        assert_eq!(pair_at("f(a(b))", 1), Some((1, 6)));
        assert_eq!(pair_at("f(a(b))", 7), Some((1, 6)));
        assert_eq!(pair_at("f(a(b))", 3), Some((3, 5)));
        assert_eq!(pair_at("f(\"(\")", 3), None);
    }

    #[test]
    fn each_part_has_its_class() {
        let text = "let v: Vec<u8> = f(\"a\", 1, true); // c\nprintln!(\"{v:?}\"); a != b; 'x: loop {}";
        let said: Vec<_> = classes(text).into_iter().map(|(range, class)| (&text[range], class)).collect();
        use Class::*;
        let expected = [
            ("let", Keyword),
            ("Vec", Type),
            ("u8", Type),
            ("f", Function),
            ("\"a\"", String),
            ("1", Number),
            ("true", Number),
            ("// c", Comment),
            ("println!", Macro),
            ("\"{v:?}\"", String),
            ("'x", Lifetime),
            ("loop", Keyword),
        ];
        assert_eq!(said, expected);
    }
}
