//! Values as their `Debug` writes them, taken apart again as far as that goes, to be shown as tables. What cannot be
//! taken apart is shown as it is.

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number, a string, a name; also whatever has a form of its own.
    Atom(String),
    /// `[…]`
    List(Vec<Value>),
    /// `{…}`: keys and values of a map.
    Map(Vec<(Value, Value)>),
    /// `{…}`: the elements of a set.
    Set(Vec<Value>),
    /// `Name { … }`
    Struct(String, Vec<(String, Value)>),
    /// `Name(…)`, or without a name a tuple.
    Tuple(String, Vec<Value>),
}

/// Rows of text below heads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// How deep values are taken apart.
const DEEPEST: usize = 64;
/// The longest cell of a table, in characters.
const WIDEST: usize = 60;

/// Takes a value apart.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut rest = Rest { text: text.trim(), depth: 0 };
    let value = rest.value()?;
    rest.text.is_empty().then_some(value)
}

struct Rest<'a> {
    text: &'a str,
    depth: usize,
}

impl Rest<'_> {
    fn skip(&mut self) {
        self.text = self.text.trim_start();
    }

    fn take(&mut self, what: &str) -> bool {
        self.skip();
        match self.text.strip_prefix(what) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let value = self.any();
        self.depth -= 1;
        value
    }

    fn any(&mut self) -> Option<Value> {
        if self.take("[") {
            return Some(Value::List(self.values("]")?));
        }
        if self.take("{") {
            return self.entries();
        }
        let name = self.atom()?;
        let is_name = name.chars().all(|char| char.is_alphanumeric() || char == '_');
        if is_name && self.take("(") {
            return Some(Value::Tuple(name, self.values(")")?));
        }
        if is_name && !name.is_empty() && self.take("{") {
            return Some(Value::Struct(name, self.fields()?));
        }
        (!name.is_empty()).then_some(Value::Atom(name))
    }

    /// What stands up to the next mark that means something: a string or a word.
    fn atom(&mut self) -> Option<String> {
        self.skip();
        let mut end = 0;
        let mut quote = None;
        let mut chars = self.text.char_indices();
        while let Some((at, char)) = chars.next() {
            match (quote, char) {
                (Some(_), '\\') => drop(chars.next()),
                (Some(open), char) if open == char => quote = None,
                (Some(_), _) => {}
                (None, '"') => quote = Some(char),
                // A character, not an apostrophe in a word.
                (None, '\'') if at == 0 => quote = Some(char),
                (None, '<') if at == 0 => quote = Some('>'),
                (None, ',' | '(' | ')' | '[' | ']' | '{' | '}' | '\n') => break,
                (None, ':') if !self.text[at..].starts_with("::") && !self.text[..at].ends_with(':') => break,
                (None, _) => {}
            }
            end = at + char.len_utf8();
        }
        if quote.is_some() {
            return None;
        }
        let (atom, rest) = self.text.split_at(end.min(self.text.len()));
        // An escaped quote may have moved past `end`.
        let atom = atom.trim_end().to_owned();
        self.text = rest;
        Some(atom)
    }

    fn values(&mut self, close: &str) -> Option<Vec<Value>> {
        let mut values = Vec::new();
        while !self.take(close) {
            values.push(self.value()?);
            if !self.take(",") {
                return self.take(close).then_some(values);
            }
        }
        Some(values)
    }

    fn fields(&mut self) -> Option<Vec<(String, Value)>> {
        let mut fields = Vec::new();
        while !self.take("}") {
            let name = self.atom()?;
            if name == ".." {
                return self.take("}").then_some(fields);
            }
            if !self.take(":") {
                return None;
            }
            fields.push((name, self.value()?));
            if !self.take(",") {
                return self.take("}").then_some(fields);
            }
        }
        Some(fields)
    }

    fn entries(&mut self) -> Option<Value> {
        if self.take("}") {
            return Some(Value::Map(Vec::new()));
        }
        let first = self.value()?;
        if !self.take(":") {
            let mut values = vec![first];
            if self.take(",") {
                values.extend(self.values("}")?);
            } else if !self.take("}") {
                return None;
            }
            return Some(Value::Set(values));
        }
        let mut entries = vec![(first, self.value()?)];
        while self.take(",") && !self.text.trim_start().starts_with('}') {
            let key = self.value()?;
            if !self.take(":") {
                return None;
            }
            entries.push((key, self.value()?));
        }
        self.take("}").then_some(Value::Map(entries))
    }
}

impl Value {
    /// On one line.
    pub(super) fn one_line(&self) -> String {
        let join = |values: &[Value]| values.iter().map(Value::one_line).collect::<Vec<_>>().join(", ");
        match self {
            Value::Atom(text) => text.clone(),
            Value::List(values) => format!("[{}]", join(values)),
            Value::Set(values) => format!("{{{}}}", join(values)),
            Value::Tuple(name, values) => format!("{name}({})", join(values)),
            Value::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, value)| format!("{}: {}", key.one_line(), value.one_line())).collect();
                format!("{{{}}}", entries.join(", "))
            }
            Value::Struct(name, fields) => {
                let fields: Vec<_> =
                    fields.iter().map(|(name, value)| format!("{name}: {}", value.one_line())).collect();
                format!("{name} {{ {} }}", fields.join(", "))
            }
        }
    }

    /// The rows of a table, if it is one: a list of structs with the same fields or of tuples of the same length, or a
    /// map; two rows at least.
    pub(super) fn rows(&self) -> Option<Rows> {
        let rows = match self {
            Value::List(values) | Value::Set(values) => list_rows(values)?,
            Value::Map(entries) => {
                let rows = entries.iter().map(|(key, value)| vec![key.one_line(), value.one_line()]).collect();
                Rows { head: vec!["key".to_owned(), "value".to_owned()], rows }
            }
            Value::Atom(_) | Value::Struct(..) | Value::Tuple(..) => return None,
        };
        let fits = |cell: &String| cell.chars().count() <= WIDEST;
        (rows.rows.len() >= 2 && rows.rows.iter().flatten().all(fits)).then_some(rows)
    }
}

impl Rows {
    /// The rows in words, one a line.
    pub(super) fn said(&self) -> String {
        let row = |row: &Vec<String>| {
            let cells: Vec<_> = self.head.iter().zip(row).map(|(head, cell)| format!("{head} {cell}")).collect();
            cells.join(", ") + "\n"
        };
        self.rows.iter().map(row).collect()
    }

    /// The rows of a table, each as its `Debug` writes it. Rows that do not go together are one column.
    pub(super) fn of(rows: &[String]) -> Rows {
        let values: Option<Vec<Value>> = rows.iter().map(|row| parse(row)).collect();
        let mut table = values.as_deref().and_then(list_rows).unwrap_or_else(|| Rows {
            head: vec!["value".to_owned()],
            rows: rows.iter().map(|row| vec![row.clone()]).collect(),
        });
        for cell in table.rows.iter_mut().flatten() {
            if let Some((at, _)) = cell.char_indices().nth(WIDEST) {
                cell.truncate(at);
                cell.push('…');
            }
        }
        table
    }
}

fn list_rows(values: &[Value]) -> Option<Rows> {
    match values.first()? {
        Value::Struct(name, fields) if !fields.is_empty() => {
            let head: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
            let row = |value: &Value| match value {
                Value::Struct(other, fields)
                    if other == name && fields.iter().map(|(name, _)| name).eq(head.iter()) =>
                {
                    Some(fields.iter().map(|(_, value)| value.one_line()).collect())
                }
                _ => None,
            };
            Some(Rows { rows: values.iter().map(row).collect::<Option<_>>()?, head })
        }
        Value::Tuple(name, first) if name.is_empty() && first.len() >= 2 => {
            let row = |value: &Value| match value {
                Value::Tuple(name, values) if name.is_empty() && values.len() == first.len() => {
                    Some(values.iter().map(Value::one_line).collect())
                }
                _ => None,
            };
            let head = (0..first.len()).map(|place| place.to_string()).collect();
            Some(Rows { rows: values.iter().map(row).collect::<Option<_>>()?, head })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[derive(Debug)]
    #[expect(dead_code, reason = "only their Debug is looked at")]
    struct Row {
        name: &'static str,
        size: Option<u8>,
    }

    fn same(value: &dyn std::fmt::Debug) {
        let (line, lines) = (format!("{value:?}"), format!("{value:#?}"));
        let parsed = parse(&line).unwrap_or_else(|| panic!("{line} is not taken apart"));
        assert_eq!(parsed.one_line(), line);
        assert_eq!(parse(&lines).map(|value| value.one_line()), Some(line));
    }

    #[test]
    fn values_are_taken_apart_and_put_together_again() {
        same(&1);
        same(&-1.5);
        same(&"a \"quoted\" [text], { } \\");
        same(&'\'');
        same(&vec![Some(1), None]);
        same(&(1, "a"));
        same(&BTreeMap::from([("a, b", vec![1, 2]), ("c", vec![])]));
        same(&BTreeSet::from([1, 2]));
        same(&Row { name: "a: b", size: Some(1) });
        same(&vec![Row { name: "a", size: None }]);
        same(&std::net::Ipv4Addr::LOCALHOST);
        same(&Some(std::time::Duration::from_millis(5)));
    }

    #[test]
    fn what_has_no_end_is_left_alone() {
        for text in ["[1, 2", "\"a", "{1: 2", "A { b", "[1]]", "A { b: 1, .. } x{"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"[".repeat(1000)), None);
    }

    #[test]
    fn lists_of_the_same_and_maps_are_tables() {
        let rows = |value: &dyn std::fmt::Debug| parse(&format!("{value:#?}")).and_then(|value| value.rows());
        let found = rows(&[Row { name: "a", size: None }, Row { name: "b", size: Some(2) }]).expect("a table");
        assert_eq!(found.head, ["name", "size"]);
        assert_eq!(found.rows, [["\"a\"", "None"], ["\"b\"", "Some(2)"]]);
        assert_eq!(rows(&[(1, 'a'), (2, 'b')]).expect("a table").head, ["0", "1"]);
        assert_eq!(rows(&BTreeMap::from([(1, 2), (3, 4)])).expect("a table").head, ["key", "value"]);
        assert_eq!(rows(&[1, 2, 3]), None);
        assert_eq!(rows(&[Row { name: "a", size: None }]), None);
    }
}
