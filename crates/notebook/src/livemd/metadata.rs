//! Metadata comments, `<!-- livebook:{…} -->`: from text to typed fields and back.
//!
//! Owns their form; where one may stand is for `import` and `print`.

use serde_json::Value;

use super::model::{CodeAttributes, Metadata, OutputSize};

/// Reads the inside of a comment: `None` if it is not metadata at all.
pub(super) fn parse(comment: &str) -> Option<Result<Metadata, String>> {
    let json = comment.strip_prefix("livebook:")?;
    Some(serde_json::from_str(json).map_err(|error| error.to_string()))
}

/// The comment that holds these keys and values.
pub(super) fn comment(metadata: &Metadata) -> String {
    // Inside JSON, `>` can only stand in a string, where its escape means the same.
    let json = Value::from_iter(metadata.clone()).to_string().replace("-->", "--\\u003e");
    format!("<!-- livebook:{json} -->")
}

/// Takes typed fields out of metadata and remembers what could not be understood.
pub(super) struct Fields {
    metadata: Metadata,
    complaints: Vec<String>,
}

impl Fields {
    pub(super) fn new(metadata: Metadata) -> Self {
        let complaints = Vec::new();
        Fields { metadata, complaints }
    }

    /// A flag, false by default.
    pub(super) fn flag(&mut self, key: &str) -> bool {
        let value = self.take(key, "true or false", Value::as_bool);
        value.unwrap_or(false)
    }

    /// An index, absent by default.
    pub(super) fn index(&mut self, key: &str) -> Option<usize> {
        self.take(key, "the number of a section, from 0", |value| usize::try_from(value.as_u64()?).ok())
    }

    /// How a code cell is to be run and shown, with all that is left.
    pub(super) fn code_attributes(mut self) -> (CodeAttributes, Vec<String>) {
        let sizes = "\"default\", \"wide\" or \"full\"";
        let attributes = CodeAttributes {
            continue_on_error: self.flag("continue_on_error"),
            reevaluate_automatically: self.flag("reevaluate_automatically"),
            output_size: self
                .take("output_size", sizes, |value| match value.as_str()? {
                    "default" => Some(OutputSize::Default),
                    "wide" => Some(OutputSize::Wide),
                    "full" => Some(OutputSize::Full),
                    _ => None,
                })
                .unwrap_or_default(),
            metadata: self.metadata,
        };
        (attributes, self.complaints)
    }

    /// What was not taken, and the complaints.
    pub(super) fn rest(self) -> (Metadata, Vec<String>) {
        (self.metadata, self.complaints)
    }

    /// Takes a field that must be something in particular.
    fn take<T>(&mut self, key: &str, expected: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.metadata.remove(key)?;
        let field = read(&value);
        if field.is_none() {
            let complaint = format!("`{key}` is {value}, not {expected}; it is left out");
            self.complaints.push(complaint);
        }
        field
    }
}

/// The metadata that says what differs from the defaults.
pub(super) fn of_code(attributes: &CodeAttributes) -> Metadata {
    let mut metadata = attributes.metadata.clone();
    if attributes.continue_on_error {
        metadata.insert("continue_on_error".into(), true.into());
    }
    if attributes.reevaluate_automatically {
        metadata.insert("reevaluate_automatically".into(), true.into());
    }
    let size = match attributes.output_size {
        OutputSize::Default => None,
        OutputSize::Wide => Some("wide"),
        OutputSize::Full => Some("full"),
    };
    if let Some(size) = size {
        metadata.insert("output_size".into(), size.into());
    }
    metadata
}
