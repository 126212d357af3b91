let /*>*/type = 1;
