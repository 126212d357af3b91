let value: Option<u8> = None;
let /*>*/Some(number) = value;
