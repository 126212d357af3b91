let name = "a";
println!("/*<*//*>*/{} {}", name);
