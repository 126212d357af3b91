let mut number = 1;
let view = &number;
/*>*/number = 2;
println!("{view}");
