async fn work() {}
/*>*/work();
