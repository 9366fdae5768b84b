"""What must hold between the fields of a spec. One rule, one function."""
