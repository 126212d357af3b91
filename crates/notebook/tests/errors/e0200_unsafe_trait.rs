struct Own;
unsafe trait Trust {}
/*>*/impl Trust for Own {}
