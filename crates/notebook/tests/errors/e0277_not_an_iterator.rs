for digit in /*>*/5 {
    println!("{digit}");
}
