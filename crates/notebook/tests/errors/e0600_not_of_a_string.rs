let text = "a";
let opposite = /*>*/!text;
