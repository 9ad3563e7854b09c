"""Your graphs, one module each. Every GraphRegistration at the top level of a module in this package is deployed."""
