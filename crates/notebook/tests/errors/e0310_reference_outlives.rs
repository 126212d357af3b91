struct Holder<T> {
    value: /*>*/&'static T,
}
