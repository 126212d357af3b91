let slice = /*>*/&[0_usize; 2] as [usize];
