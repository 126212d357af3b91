let base = 10;
fn add(number: i32) -> i32 {
    number + /*>*/base
}
