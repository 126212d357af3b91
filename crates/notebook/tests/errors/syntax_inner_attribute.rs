/*>*/#![feature(let_chains)]
let number = 1;
