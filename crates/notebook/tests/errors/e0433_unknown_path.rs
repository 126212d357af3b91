let map = /*>*/HashMap::<u8, u8>::new();
