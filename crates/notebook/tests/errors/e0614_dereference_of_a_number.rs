let number = 7_u32;
let value = /*>*/*number;
