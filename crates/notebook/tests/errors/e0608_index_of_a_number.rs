let number = 7_u32;
let digit = number/*>*/[0];
