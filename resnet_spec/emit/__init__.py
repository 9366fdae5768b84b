"""Network -> something: a module, source, a table. Siblings never import each other."""
