/*>*/struct List {
    next: Option<List>,
}
