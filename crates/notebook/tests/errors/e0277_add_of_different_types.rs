let half = 0.5;
let sum = half /*>*/+ 1;
