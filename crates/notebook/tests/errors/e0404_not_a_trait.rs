struct Animal;
struct Dog;
impl /*>*/Animal for Dog {}
