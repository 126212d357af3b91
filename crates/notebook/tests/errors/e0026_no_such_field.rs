struct Point { x: i32 }
let point = Point { x: 1 };
let Point { /*>*/z, .. } = point;
