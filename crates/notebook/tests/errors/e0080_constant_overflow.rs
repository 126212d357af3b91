const BYTE: u8 = /*>*/255 + 1;
BYTE
