let number = 1;
fn f() {
    /*>*/break;
}
