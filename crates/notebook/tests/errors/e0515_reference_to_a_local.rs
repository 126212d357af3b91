fn longest() -> &'static str {
    let text = String::from("long");
    /*>*/text.as_str()
}
