macro_rules! pair {
    ($a:expr, $b:expr) => {
        ($a, $b)
    };
}
let two = /*>*/pair!();
