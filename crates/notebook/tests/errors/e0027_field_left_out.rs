struct Point { x: i32, y: i32 }
let point = Point { x: 1, y: 2 };
let /*>*/Point { x } = point;
