enum Light { Red, Green }
let light = Light::Red;
match /*>*/light {
    Light::Red => 1,
}
