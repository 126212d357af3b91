let text: &str = /*>*/String::from("short").as_str();
println!("{text}");
