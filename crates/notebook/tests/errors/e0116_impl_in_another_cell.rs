struct Counter(u32);
//---
/*>*/impl Counter {
    fn up(&mut self) {}
}
