enum Shape { Box(u8, u8) }
let shape = Shape::Box(1, 2);
match shape {
    Shape::Box(/*>*/width) => width,
}
