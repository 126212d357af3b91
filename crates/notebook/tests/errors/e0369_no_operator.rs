struct Money(u32);
let sum = Money(1) /*>*/+ Money(2);
