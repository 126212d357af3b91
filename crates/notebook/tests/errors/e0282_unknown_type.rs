let /*>*/list = Vec::new();
