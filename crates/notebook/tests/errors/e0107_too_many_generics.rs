struct Pair<T>(T, T);
let pair: /*>*/Pair<u8, u8> = Pair(1, 2);
