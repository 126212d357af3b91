let add = |a: i32, b: i32| a + b;
let sum = /*>*/add(1);
