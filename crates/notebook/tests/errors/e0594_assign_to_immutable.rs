struct Point { x: i32 }
let point = Point { x: 1 };
/*>*/point.x = 2;
