{#- Names of relations have no database, which DuckDB calls after the file: a copy of the warehouse answers
    whatever it is called, its views too. -#}
{% macro ref() %}
    {% do return(builtins.ref(*varargs, **kwargs).include(database=false)) %}
{% endmacro %}


{% macro source() %}
    {% do return(builtins.source(*varargs).include(database=false)) %}
{% endmacro %}
