let count = 3_usize;
//---
let wanted: String = /*>*/count;
