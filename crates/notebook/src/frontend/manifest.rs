//! The dependencies of a notebook as text: adding and removing one, with everything else as the person wrote it.

/// The dependencies, one a line.
pub(super) fn list(manifest: &str) -> String {
    lines(manifest).filter(|(_, line)| is_entry(line)).map(|(_, line)| format!("{}\n", line.trim())).collect()
}

/// The manifest with this dependency, in place of one of the same name.
pub(super) fn with(manifest: &str, name: &str, requirement: &str) -> String {
    let entry = match requirement.starts_with(['{', '"']) {
        true => format!("{name} = {requirement}"),
        false => format!("{name} = \"{requirement}\""),
    };
    let known = lines(manifest).find(|(_, line)| is_named(line, name)).map(|(at, _)| at);
    let mut all: Vec<String> = manifest.lines().map(str::to_owned).collect();
    match (known, lines(manifest).filter(|(_, line)| is_entry(line)).last(), head(manifest)) {
        (Some(known), ..) => all[known] = entry,
        (None, Some((last, _)), _) => all.insert(last + 1, entry),
        (None, None, Some(head)) => all.insert(head + 1, entry),
        (None, None, None) => {
            if all.last().is_some_and(|last| !last.is_empty()) {
                all.push(String::new());
            }
            all.extend(["[dependencies]".to_owned(), entry]);
        }
    }
    all.join("\n")
}

/// The manifest without a dependency; nothing if it has none of that name.
pub(super) fn without(manifest: &str, name: &str) -> Option<String> {
    let known = lines(manifest).find(|(_, line)| is_named(line, name)).map(|(at, _)| at)?;
    let kept = manifest.lines().enumerate().filter(|(at, _)| *at != known).map(|(_, line)| line);
    Some(kept.collect::<Vec<_>>().join("\n"))
}

/// Where `[dependencies]` stands.
fn head(manifest: &str) -> Option<usize> {
    manifest.lines().position(|line| line.trim() == "[dependencies]")
}

/// The lines of `[dependencies]`, with their places.
fn lines(manifest: &str) -> impl Iterator<Item = (usize, &str)> {
    let after = head(manifest).map_or(usize::MAX, |head| head + 1);
    manifest.lines().enumerate().skip(after).take_while(|(_, line)| !line.trim_start().starts_with('['))
}

fn is_entry(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn is_named(line: &str, name: &str) -> bool {
    let key = line.split('=').next().unwrap_or("").trim().trim_matches('"');
    key == name || key.split('.').next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_added_replaced_and_removed() {
        let one = with("", "rand", "0.9");
        assert_eq!(one, "[dependencies]\nrand = \"0.9\"");
        let two = with(&one, "serde", "{ version = \"1\", features = [\"derive\"] }");
        assert_eq!(two, "[dependencies]\nrand = \"0.9\"\nserde = { version = \"1\", features = [\"derive\"] }");
        assert_eq!(with(&two, "rand", "*").lines().nth(1), Some("rand = \"*\""));
        assert_eq!(without(&two, "serde"), Some(one));
        assert_eq!(without(&two, "ser"), None);
        let commented = "# mine\n[dependencies]\n# none\n\n[profile]\nrand = 1";
        assert_eq!(with(commented, "rand", "1").lines().nth(2), Some("rand = \"1\""));
        assert_eq!(list(&two).lines().count(), 2);
    }
}
