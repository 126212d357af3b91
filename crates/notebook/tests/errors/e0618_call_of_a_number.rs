let number = 7;
let result = /*>*/number(1);
