let words = vec!["a", "b"];
words./*>*/lenght()
