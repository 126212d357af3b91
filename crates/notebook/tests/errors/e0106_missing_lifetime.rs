struct View {
    text: /*>*/&str,
}
