let shared = std::rc::Rc::new(1);
spawn(async move {
    drop(/*>*/shared);
});
