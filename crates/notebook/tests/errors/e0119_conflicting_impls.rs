trait Name {}
impl<T> Name for T {}
/*>*/impl Name for u8 {}
