"""Points that travel between stores: new ones go to another store, in any order, any number of times."""
