let list = Vec::new();
/*>*/list.push(1);
