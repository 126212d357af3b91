let words = vec![String::from("a")];
let others = words;
println!("{}", /*>*/words.len());
