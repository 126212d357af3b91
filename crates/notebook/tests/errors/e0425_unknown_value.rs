let total = 1;
let twice = /*>*/totl * 2;
