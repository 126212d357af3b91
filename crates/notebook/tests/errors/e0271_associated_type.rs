fn numbers() -> /*>*/impl Iterator<Item = u32> {
    vec!["one"].into_iter()
}
