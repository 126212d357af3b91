let number = 1;
let nothing: /*>*/! = panic!();
