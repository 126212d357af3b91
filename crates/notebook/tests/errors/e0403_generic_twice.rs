fn same<T, /*>*/T>(value: T) {}
