let list = [1, 2, 3];
list.iter().for_each(|number| {
    /*>*/break;
});
