use std::collections::HashMap;
/*>*/struct HashMap;
