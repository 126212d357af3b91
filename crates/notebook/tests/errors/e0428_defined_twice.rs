struct Point;
/*>*/struct Point;
