let number = 1;
let byte = /*>*/128_i8 as i16;
