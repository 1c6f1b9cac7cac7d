{#- The rows of a Python model go straight into its table, over dbt's own connection. What dbt-duckdb would do is
    write new rows to a table beside it first, and leave that in the warehouse: every row twice. A stream can be
    read once, which appending does; what a unique key replaces is read twice, and has to be a pyarrow.Table. -#}
{% macro py_write_table(temporary, relation, compiled_code, partitioned_by=none, sorted_by=none) %}
{{ compiled_code }}

rows_of_model = model


def model(dbt, session):
    return session.from_arrow(rows_of_model(dbt, session))


def materialize(rows, connection):
    {%- if temporary %}
    connection.register("{{ relation.identifier }}", rows)
    {%- else %}
    connection.register("python_rows", rows)
    connection.execute('create table {{ relation }} as from python_rows')
    connection.unregister("python_rows")
    {%- endif %}
{% endmacro %}
