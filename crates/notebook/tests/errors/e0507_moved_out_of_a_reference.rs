struct Named { name: String }
fn take(named: &Named) -> String {
    /*>*/named.name
}
