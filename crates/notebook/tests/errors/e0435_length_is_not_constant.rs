let length = 3;
let list = [0; /*>*/length];
