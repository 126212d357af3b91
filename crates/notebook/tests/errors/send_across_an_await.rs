let /*>*/shared = std::rc::Rc::new(1);
sleep(Duration::from_millis(1)).await;
println!("{shared}");
