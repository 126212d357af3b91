trait Fast {
    /*>*/const fn fast();
}
