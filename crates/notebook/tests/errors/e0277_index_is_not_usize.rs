let list = [1, 2, 3];
let at: i32 = 0;
list[/*>*/at]
