struct Guard;
impl Drop for Guard {
    fn drop(&mut self) {}
}
let guard = Guard;
guard./*>*/drop();
