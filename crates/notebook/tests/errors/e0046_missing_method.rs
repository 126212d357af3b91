trait Speak {
    fn speak(&self) -> String;
}
struct Dog;
/*>*/impl Speak for Dog {}
