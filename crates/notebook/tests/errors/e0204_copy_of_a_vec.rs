#[derive(Clone, Copy)]
struct /*>*/Words {
    all: Vec<String>,
}
