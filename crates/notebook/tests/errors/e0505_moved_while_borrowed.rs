let list = vec![1];
let view = &list;
drop(/*>*/list);
println!("{view:?}");
