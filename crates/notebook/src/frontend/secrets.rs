//! What in a command is not for others to see: the cookie that `:connect` is given. It is neither shown while it is
//! typed, nor kept in the history, nor repeated in an error.

use std::borrow::Cow;
use std::ops::Range;

use super::commands::is_command;

/// How long a cookie is, in hexadecimal digits.
const COOKIE: usize = 64;

/// An input as it can be shown: a point for each character of a secret.
pub(super) fn masked(input: &str) -> Cow<'_, str> {
    replaced(input, |secret| "•".repeat(secret.chars().count()))
}

/// An input as it can be kept, without secrets.
pub(super) fn without(input: &str) -> Cow<'_, str> {
    match replaced(input, |_| String::new()) {
        Cow::Borrowed(input) => Cow::Borrowed(input),
        Cow::Owned(input) => Cow::Owned(input.trim_end().to_owned()),
    }
}

fn replaced(input: &str, by: impl Fn(&str) -> String) -> Cow<'_, str> {
    let secrets = secrets(input);
    if secrets.is_empty() {
        return Cow::Borrowed(input);
    }
    let (mut text, mut end) = (String::new(), 0);
    for secret in secrets {
        text.push_str(&input[end..secret.start]);
        text.push_str(&by(&input[secret.clone()]));
        end = secret.end;
    }
    text.push_str(&input[end..]);
    Cow::Owned(text)
}

/// Where the secrets of a command are: all behind the address of a `:connect`, however that is written, and whatever
/// looks like a cookie.
fn secrets(input: &str) -> Vec<Range<usize>> {
    if !is_command(input) {
        return Vec::new();
    }
    let mut words = Vec::new();
    for word in input.split_whitespace() {
        let start = word.as_ptr() as usize - input.as_ptr() as usize;
        words.push(start..start + word.len());
    }
    // `: connect` is read as `:connect`.
    let name = words.iter().position(|word| !input[word.clone()].trim_start_matches(':').is_empty());
    let is_connect = name.is_some_and(|name| {
        let name = input[words[name].clone()].trim_start_matches(':');
        strsim::jaro_winkler(name, "connect") > 0.9
    });
    let is_secret = |(place, word): &(usize, &Range<usize>)| {
        let text = &input[(*word).clone()];
        let is_cookie = text.len() == COOKIE && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_cookie || is_connect && name.is_some_and(|name| *place > name + 1)
    };
    words.iter().enumerate().filter(is_secret).map(|(_, word)| word.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_the_address_is_neither_shown_nor_kept() {
        for (input, shown, kept) in [
            (":connect a@h:1 abc", ":connect a@h:1 •••", ":connect a@h:1"),
            (" : connect  a@h  ä b ", " : connect  a@h  • • ", " : connect  a@h"),
            (":conect a@h abc", ":conect a@h •••", ":conect a@h"),
            (":connect a@h:1", ":connect a@h:1", ":connect a@h:1"),
            (":node a b c", ":node a b c", ":node a b c"),
            ("connect(a, b, c)", "connect(a, b, c)", "connect(a, b, c)"),
        ] {
            assert_eq!((&*masked(input), &*without(input)), (shown, kept));
        }
        let cookie = "0f".repeat(32);
        assert_eq!(without(&format!(":node {cookie}")), ":node");
        assert_eq!(without(&format!("\"{cookie}\"")), format!("\"{cookie}\""));
    }
}
