"""Your graphs: one module each. Every GraphRegistration at the top of a module here is deployed."""
