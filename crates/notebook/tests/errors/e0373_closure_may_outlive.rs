let words = vec!["a"];
std::thread::spawn(/*>*/|| println!("{}", words.len()));
words.len()
