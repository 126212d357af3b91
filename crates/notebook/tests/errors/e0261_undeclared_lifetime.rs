fn first(text: &/*>*/'a str) -> &str {
    text
}
