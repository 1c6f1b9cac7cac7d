{#- Schemas are exactly raw, bronze, silver and gold: dbt's default would make silver_bronze. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
