let list = [1 /*>*/2];
