let pointer = &1 as *const i32;
let value = /*>*/*pointer;
