let word = String::from("a");
for _ in 0..2 {
    drop(/*>*/word);
}
