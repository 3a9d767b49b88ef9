"""What people and Apps do on a GitHub: rules, state and deliveries, one module a subject. Callers hold the state's lock."""
