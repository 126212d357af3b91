let /*>*/sum = (1..3).sum();
