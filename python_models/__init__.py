"""Python models of the dbt project and the pure functions they call."""
