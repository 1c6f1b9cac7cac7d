{#- Rows whose value lies outside [low, high]; null is fine. -#}
{% test between(model, column_name, low, high) %}
    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} not between {{ low }} and {{ high }}
{% endtest %}


{#- Rows that share all of some columns. -#}
{% test unique_together(model, columns) %}
    select {{ columns | join(", ") }}
    from {{ model }}
    group by all
    having count(*) > 1
{% endtest %}


{#- Columns that hold a null, and in how many rows. A table has one such test and not one a column: dbt takes longer to
    run a test than DuckDB to look at a table. -#}
{% test never_null(model, columns) %}
    select
        column_name,
        nulls
    from (
        select {% for name in columns %}count(*) - count({{ name }}) as {{ name }}{{ ", " if not loop.last }}{% endfor %}
        from {{ model }}
    )
    unpivot (nulls for column_name in ({{ columns | join(", ") }}))
    where nulls > 0
{% endtest %}
