let text = /*>*/"abc;
