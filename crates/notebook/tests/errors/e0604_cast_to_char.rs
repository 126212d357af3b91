let letter = /*>*/66u32 as char;
