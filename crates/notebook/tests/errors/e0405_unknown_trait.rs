struct Dog;
impl /*>*/Walk for Dog {}
