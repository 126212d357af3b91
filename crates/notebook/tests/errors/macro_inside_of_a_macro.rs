macro_rules! double {
    ($value:expr) => {
        $value /*>*/* 2
    };
}
double!("a")
