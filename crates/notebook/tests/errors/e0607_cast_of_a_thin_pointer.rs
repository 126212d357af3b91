let thin = 0 as *const u8;
let wide = /*>*/thin as *const [u8];
