mod tools {
    fn hammer() {}
}
tools::/*>*/hammer();
