struct Point {
    x: i32,
    /*>*/x: i32,
}
