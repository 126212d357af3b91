struct Secret;
println!("found {}", /*>*/Secret);
