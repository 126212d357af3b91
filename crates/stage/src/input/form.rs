//! What an input is, as data: what it says, what it accepts, and how a value is written.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Form {
    /// What it is called.
    pub label: String,
    /// What it accepts.
    pub kind: Kind,
    /// Its value as long as nobody has set one.
    pub default: Value,
}

/// What an input accepts. Later versions add kinds and change none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Kind {
    /// A text.
    Text,
    /// A text that is not shown.
    Password,
    /// A finite number.
    Number,
    /// Yes or no.
    Checkbox,
    /// One of these.
    Select(Vec<String>),
    /// A number within these bounds, which belong to it.
    Range {
        /// The least.
        from: f64,
        /// The greatest.
        to: f64,
    },
}

/// What an input is set to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

/// Why an input cannot have a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSuch {
    label: String,
    wanted: String,
}

impl fmt::Display for NotSuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the input `{}` takes {}", self.label, self.wanted)
    }
}

impl std::error::Error for NotSuch {}

impl Form {
    /// A number for it. Two forms have the same if they say the same, and then share their value.
    pub fn id(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        // Floating-point numbers have no hash; what is written of them differs where they do.
        format!("{self:?}").hash(&mut hash);
        hash.finish()
    }

    /// About how many bytes it holds.
    pub(crate) fn size(&self) -> usize {
        let options = match &self.kind {
            Kind::Select(options) => options.iter().map(String::len).sum(),
            _ => 0,
        };
        self.label.len() + options + if let Value::Text(text) = &self.default { text.len() } else { 0 }
    }

    /// Whether it can have this value.
    ///
    /// # Errors
    /// [`NotSuch`] says what it can have.
    pub fn check(&self, value: &Value) -> Result<(), NotSuch> {
        let fits = match (&self.kind, value) {
            (Kind::Text | Kind::Password, Value::Text(_)) | (Kind::Checkbox, Value::Flag(_)) => true,
            (Kind::Number, Value::Number(number)) => number.is_finite(),
            (Kind::Range { from, to }, Value::Number(number)) => (*from..=*to).contains(number),
            (Kind::Select(options), Value::Text(text)) => options.contains(text),
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.not_such()) }
    }

    fn not_such(&self) -> NotSuch {
        NotSuch { label: self.label.clone(), wanted: self.wanted() }
    }

    /// The value that a person has written.
    ///
    /// # Errors
    /// [`NotSuch`], if it is none that the input can have.
    ///
    /// # Examples
    /// ```
    /// use greenroom_stage::input::{Form, Kind, Value};
    ///
    /// let form = Form { label: "On".into(), kind: Kind::Checkbox, default: Value::Flag(false) };
    /// assert_eq!(form.read("yes"), Ok(Value::Flag(true)));
    /// assert_eq!(form.read("maybe").unwrap_err().to_string(), "the input `On` takes yes or no");
    /// ```
    pub fn read(&self, text: &str) -> Result<Value, NotSuch> {
        let value = match self.kind {
            Kind::Text | Kind::Password | Kind::Select(_) => Some(Value::Text(text.to_owned())),
            Kind::Number | Kind::Range { .. } => text.trim().parse().ok().map(Value::Number),
            Kind::Checkbox => match text.trim().to_lowercase().as_str() {
                "yes" | "y" | "true" | "on" | "1" => Some(Value::Flag(true)),
                "no" | "n" | "false" | "off" | "0" => Some(Value::Flag(false)),
                _ => None,
            },
        };
        let value = value.ok_or_else(|| self.not_such())?;
        self.check(&value).map(|()| value)
    }

    /// What it takes, in words.
    pub fn wanted(&self) -> String {
        match &self.kind {
            Kind::Text | Kind::Password => "a text".to_owned(),
            Kind::Number => "a number".to_owned(),
            Kind::Checkbox => "yes or no".to_owned(),
            Kind::Select(options) => format!("one of: {}", options.join(", ")),
            Kind::Range { from, to } => format!("a number from {from} to {to}"),
        }
    }

    /// The value as it is shown; of a password only that there is one.
    pub fn shown(&self, value: &Value) -> String {
        match (&self.kind, value) {
            (Kind::Password, Value::Text(text)) if !text.is_empty() => "•".repeat(8),
            (_, Value::Text(text)) => text.clone(),
            (_, Value::Number(number)) => number.to_string(),
            (_, Value::Flag(flag)) => if *flag { "yes" } else { "no" }.to_owned(),
        }
    }
}

/// As it is shown where it cannot be set: `Name: World`.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.label, self.shown(&self.default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(kind: Kind) -> Form {
        Form { label: "It".into(), kind, default: Value::Flag(false) }
    }

    #[test]
    fn what_is_written_becomes_a_value_or_is_refused_with_what_is_wanted() {
        let check = |kind: Kind, text: &str, expected: Result<Value, &str>| {
            let read = form(kind).read(text).map_err(|error| error.to_string());
            assert_eq!(read, expected.map_err(|wanted| format!("the input `It` takes {wanted}")));
        };
        let of = |number| Ok(Value::Number(number));
        check(Kind::Text, " as it is ", Ok(Value::Text(" as it is ".into())));
        check(Kind::Number, " -1.5e3 ", of(-1500.0));
        check(Kind::Number, "one", Err("a number"));
        for not_finite in ["inf", "NaN"] {
            check(Kind::Number, not_finite, Err("a number"));
        }
        check(Kind::Range { from: 0.0, to: 1.0 }, "1", of(1.0));
        check(Kind::Range { from: 0.0, to: 1.0 }, "1.01", Err("a number from 0 to 1"));
        check(Kind::Range { from: 0.0, to: 1.0 }, "NaN", Err("a number from 0 to 1"));
        let options = || Kind::Select(vec!["red".into(), "green".into()]);
        check(options(), "green", Ok(Value::Text("green".into())));
        check(options(), "blue", Err("one of: red, green"));
        check(Kind::Checkbox, "Off", Ok(Value::Flag(false)));
    }

    #[test]
    fn what_says_the_same_is_the_same() {
        let name = |default: &str| Form { default: Value::Text(default.into()), ..form(Kind::Text) };
        assert_eq!(name("a").id(), name("a").id());
        assert_ne!(name("a").id(), name("b").id());
        assert_ne!(name("a").id(), Form { kind: Kind::Password, ..name("a") }.id());
    }

    #[test]
    fn a_password_is_not_shown() {
        let password = form(Kind::Password);
        assert_eq!(password.shown(&Value::Text("secret".into())), "••••••••");
        assert_eq!(password.shown(&Value::Text(String::new())), "");
    }
}
