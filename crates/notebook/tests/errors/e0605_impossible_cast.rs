let list = /*>*/vec![1u8] as Vec<u32>;
