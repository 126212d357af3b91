fn load(path: /*>*/PathBuf) {}
