let word = "b";
match word {
    /*>*/"a"..="c" => 1,
    _ => 2,
}
