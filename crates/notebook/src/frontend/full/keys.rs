//! The keys of the document view: Livebook's, where they fit. What they do is for `state`.

/// What a key asks for, while no text is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Next,
    Previous,
    First,
    Last,
    NextSection,
    PreviousSection,
    Edit,
    CodeBelow,
    CodeAbove,
    ProseBelow,
    ProseAbove,
    SectionBelow,
    BranchBelow,
    Delete,
    MoveDown,
    MoveUp,
    Undo,
    Redo,
    Evaluate,
    EvaluateSection,
    EvaluateAll,
    EvaluateOutdated,
    Stop,
    Restart,
    Save,
    Inputs,
    Outline,
    Unfold,
    Help,
    Quit,
}

/// Keys, what they ask for, and what help says.
pub(super) const KEYS: &[(&str, Asked, &str)] = &[
    ("j", Asked::Next, "next cell (also ↓)"),
    ("k", Asked::Previous, "previous cell (also ↑)"),
    ("gg", Asked::First, "first cell"),
    ("G", Asked::Last, "last cell"),
    ("}", Asked::NextSection, "next section"),
    ("{", Asked::PreviousSection, "previous section"),
    ("i", Asked::Edit, "edit (also Enter); Esc ends it"),
    ("n", Asked::CodeBelow, "new code cell below"),
    ("N", Asked::CodeAbove, "new code cell above"),
    ("m", Asked::ProseBelow, "new text below"),
    ("M", Asked::ProseAbove, "new text above"),
    ("S", Asked::SectionBelow, "new section"),
    ("B", Asked::BranchBelow, "new branch of this section"),
    ("dd", Asked::Delete, "delete the cell"),
    ("J", Asked::MoveDown, "move the cell down"),
    ("K", Asked::MoveUp, "move the cell up"),
    ("u", Asked::Undo, "undo"),
    ("U", Asked::Redo, "redo"),
    ("ee", Asked::Evaluate, "evaluate the cell (editing: Alt-Enter)"),
    ("es", Asked::EvaluateSection, "evaluate the section"),
    ("ea", Asked::EvaluateAll, "evaluate everything"),
    ("eo", Asked::EvaluateOutdated, "evaluate what is out of date"),
    ("ex", Asked::Stop, "stop (also Ctrl-C)"),
    ("r0", Asked::Restart, "restart the runtime"),
    ("I", Asked::Inputs, "set what the cell asks for"),
    ("s", Asked::Save, "save (also Ctrl-S)"),
    ("o", Asked::Outline, "show or hide the outline"),
    ("z", Asked::Unfold, "show all of an output, or less"),
    ("?", Asked::Help, "these keys"),
    ("q", Asked::Quit, "leave"),
];

/// What the keys pressed so far come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pressed {
    Asked(Asked),
    /// They begin something.
    More,
    /// They mean nothing.
    Nothing,
}

/// What keys mean.
pub(super) fn meaning(keys: &str) -> Pressed {
    match KEYS.iter().find(|(known, ..)| *known == keys) {
        Some((_, asked, _)) => Pressed::Asked(*asked),
        None if KEYS.iter().any(|(known, ..)| known.starts_with(keys)) => Pressed::More,
        None => Pressed::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_hides_another() {
        for (keys, asked, _) in KEYS {
            assert_eq!(meaning(keys), Pressed::Asked(*asked), "{keys}");
            for (other, ..) in KEYS.iter().filter(|(other, ..)| other != keys) {
                assert!(!other.starts_with(keys), "{keys} hides {other}");
            }
        }
        assert_eq!(meaning("e"), Pressed::More);
        assert_eq!(meaning("ez"), Pressed::Nothing);
    }
}
