fn greet(name: &str) {}
greet(/*>*/7);
