"""Getting the diff: git called safely, patches from files, objects by id."""
