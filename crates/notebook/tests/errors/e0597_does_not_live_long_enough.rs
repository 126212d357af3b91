let outer;
{
    let inner = String::from("short");
    outer = /*>*/&inner;
}
println!("{outer}");
