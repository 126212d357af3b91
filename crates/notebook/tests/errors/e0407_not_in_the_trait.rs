trait Speak {}
struct Dog;
impl Speak for Dog {
    /*>*/fn bark(&self) {}
}
