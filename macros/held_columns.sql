{#- A table that was built before its model had a column cannot be added to. Its own model may fail first, on what is
    not there of the rows before; so each of a build is looked at before anything is built. -#}
{% macro check_held_columns() %}
    {%- if execute and not flags.FULL_REFRESH %}
        {%- set held, lacking, models = {}, [], [] %}
        {%- set found = run_query("
            select schema_name || '.' || table_name, string_agg(column_name) from duckdb_columns()
            where database_name = current_database() group by all
        ") %}
        {%- for table, columns in found.rows %}{% do held.update({table: columns.split(",")}) %}{% endfor %}
        {%- for name in selected_resources | sort if name.startswith("model.") %}
            {%- set node = graph.nodes[name] %}
            {%- set table = node.schema ~ "." ~ node.alias %}
            {%- if node.config.materialized == "incremental" and table in held %}
                {%- for column in node.columns if column not in held[table] %}
                    {%- do lacking.append(table ~ "." ~ column) %}
                    {%- if node.name ~ "+" not in models %}{% do models.append(node.name ~ "+") %}{% endif %}
                {%- endfor %}
            {%- endif %}
        {%- endfor %}
        {%- if lacking %}
            {%- do exceptions.raise_compiler_error(
                "Tables were built by an older version, before these columns were added: " ~ lacking | join(", ")
                ~ ". Build them and what reads them anew: dbt build --full-refresh --select " ~ models | join(" ")
            ) %}
        {%- endif %}
    {%- endif %}
{% endmacro %}
