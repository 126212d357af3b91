trait Size {
    fn size(&self) -> u64;
}
impl Size for u8 {
    fn size(&self) -> /*>*/u32 {
        1
    }
}
