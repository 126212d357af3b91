fn number() -> u8 {
    /*>*/return;
}
