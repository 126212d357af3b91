/*>*/std::fs::remove_file("nothing");
