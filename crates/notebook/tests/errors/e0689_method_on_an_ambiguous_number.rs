let root = 2.0./*>*/powi(2);
