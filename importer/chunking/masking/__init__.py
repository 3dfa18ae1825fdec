"""Say what in a text is a secret: tables of rules, and the modules that apply them."""
