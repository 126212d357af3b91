struct Point { x: i32 }
let point = /*>*/Point(1);
