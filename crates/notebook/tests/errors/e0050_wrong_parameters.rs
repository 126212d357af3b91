trait Add {
    fn add(&self, other: u8) -> u8;
}
impl Add for u8 {
    fn add(/*>*/&self) -> u8 {
        0
    }
}
