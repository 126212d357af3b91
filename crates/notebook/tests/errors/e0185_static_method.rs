trait Make {
    fn make();
}
struct Thing;
impl Make for Thing {
    /*>*/fn make(&self) {}
}
