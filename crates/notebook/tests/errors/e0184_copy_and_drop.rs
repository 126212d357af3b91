#[derive(Clone, Copy)]
struct /*>*/Handle;
impl Drop for Handle {
    fn drop(&mut self) {}
}
