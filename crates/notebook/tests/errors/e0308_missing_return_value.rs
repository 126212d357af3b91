fn number() -> /*>*/u8 {
    1;
}
