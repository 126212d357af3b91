let list = /*>*/rnage(3);
