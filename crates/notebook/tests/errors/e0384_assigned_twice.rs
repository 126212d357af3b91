let count = 1;
/*>*/count = 2;
count
