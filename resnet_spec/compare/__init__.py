"""Two of something side by side: specs, networks, or modules, for which torch is needed."""
