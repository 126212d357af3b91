mod shapes {
    pub struct Circle {
        radius: u8,
    }
}
let circle = shapes::Circle { /*>*/radius: 1 };
