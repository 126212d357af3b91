let list = /*>*/vecc![1, 2];
